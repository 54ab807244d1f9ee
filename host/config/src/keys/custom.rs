//! The keys of an entry of `policy.custom`.

pub(crate) mod limits;
pub(crate) mod signers;

use std::time::Duration;

use crate::form::Parsed;
use crate::form::Word;
use crate::form::WrittenSource;
use crate::form::source;
use crate::keys::ConfigKey;
use crate::keys::DURATION;
use crate::keys::Nested;
use crate::keys::Section;
use crate::keys::custom::signers::SignedByForm;
use crate::keys::duration;
use crate::keys::policy::mode;
use crate::settings::SettingsForm;
use smcp_model::digest::Digest;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::name::PolicyName;
use smcp_model::policy::BuiltIn;

/// One entry of `policy.custom`.
pub(crate) static SECTION: Section = Section {
    title: "an entry of `policy.custom`",
    keys: &[&NAME, &SOURCE, &DIGEST, &SIGNED_BY, &REFRESH, &MAX_AGE, &MODE, &ON_WARN, &SETTINGS, &LIMITS],
    foreign: &[],
    meant: &[
        ("path", "source"),
        ("file", "source"),
        ("url", "source"),
        ("wasm", "source"),
        ("sha256", "digest"),
        ("hash", "digest"),
        ("checksum", "digest"),
        ("pin", "digest"),
        ("signatures", "signed_by"),
        ("signature", "signed_by"),
        ("signers", "signed_by"),
        ("keys", "signed_by"),
        ("enforcement", "mode"),
        ("enabled", "mode"),
        ("config", "settings"),
        ("options", "settings"),
    ],
    free: Some("settings"),
};

/// The file of one policy in `policies.d`.
pub(crate) static FILE_SECTION: Section = Section {
    title: "a file of `policies.d` (its own name is the policy's)",
    keys: &[&SOURCE, &DIGEST, &SIGNED_BY, &REFRESH, &MAX_AGE, &MODE, &ON_WARN, &SETTINGS, &LIMITS],
    foreign: SECTION.foreign,
    meant: SECTION.meant,
    free: SECTION.free,
};

/// Returns a text as the name of a custom policy; those of the built-in ones are taken.
pub(crate) fn policy_name(text: &str) -> Option<PolicyName> {
    text.parse().ok().filter(|_| BuiltIn::ALL.iter().all(|taken| taken.as_str() != text))
}

/// `policy.custom[].name`
pub(crate) static NAME: ConfigKey<Parsed<PolicyName>> = ConfigKey {
    name: "name",
    about: "The policy's name, unique in this file; origin, certification and score are taken.",
    default: None,
    required: true,
    form: Parsed {
        allowed: "1 to 64 characters of a-z, 0-9 and -; not origin, certification or score",
        words: &[],
        parse: |text, _| policy_name(text).ok_or(None),
        pattern: "^[a-z0-9-]{1,64}$",
    },
};

/// `policy.custom[].source`
pub(crate) static SOURCE: ConfigKey<Parsed<WrittenSource>> = ConfigKey {
    name: "source",
    about: "The component: a file (absolute, ~/…, or relative to the directory of this file), or an artefact or a file \
            elsewhere, which needs a digest: oci://HOST/REPO:TAG, https://…/NAME.wasm.",
    default: None,
    required: true,
    form: Parsed {
        allowed: "a path (absolute, ~/…, or relative to the directory of this file), \
                  oci://HOST[:PORT]/REPO[:TAG][@sha256:DIGEST], or https://…/NAME.wasm",
        words: &[],
        parse: source,
        pattern: "^.+$",
    },
};

/// `policy.custom[].digest`
pub(crate) static DIGEST: ConfigKey<Parsed<Digest>> = ConfigKey {
    name: "digest",
    about: "The digest that the component must have; another one refuses to run in every mode but disabled.",
    default: None,
    required: false,
    form: Parsed {
        allowed: "`sha256:` and 64 lower-case hex digits",
        words: &[],
        parse: |text, _| text.parse().map_err(|_| None),
        pattern: "^sha256:[0-9a-f]{64}$",
    },
};

/// `policy.custom[].signed_by`
pub(crate) static SIGNED_BY: ConfigKey<SignedByForm> = ConfigKey {
    name: "signed_by",
    about: "Who must have signed the component: a list, of which one must fit. A component that is not signed so refuses \
            to run in every mode but disabled.",
    default: None,
    required: false,
    form: SignedByForm,
};

/// `policy.custom[].refresh`
pub(crate) static REFRESH: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "refresh",
    about: "The age from which a source elsewhere is asked again what it has; never with a digest.",
    default: Some("24h"),
    required: false,
    form: AGE,
};

/// `policy.custom[].max_age`
pub(crate) static MAX_AGE: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "max_age",
    about: "The age up to which what a source elsewhere gave last stays in force when it can't be asked.",
    default: Some("7d"),
    required: false,
    form: AGE,
};

const AGE: Parsed<Duration> = Parsed {
    allowed: "a duration above zero and at most 365d, such as `24h`",
    words: &[],
    parse: |text, _| duration(text, smcp_model::limits::oci::AGE_CEILING),
    pattern: DURATION,
};

/// `policy.custom[].mode`
pub(crate) static MODE: ConfigKey<Word<Mode>> =
    mode("mode", "How strictly the policy is meant. Absent: cert_mode if that is strict or warn, else strict.", None);

/// `policy.custom[].on_warn`
pub(crate) static ON_WARN: ConfigKey<Word<OnWarn>> = ConfigKey {
    name: "on_warn",
    about: "What a violation leads to under warn. Absent: what the component describes.",
    default: None,
    required: false,
    form: Word { all: &OnWarn::ALL, name: OnWarn::as_str },
};

/// `policy.custom[].settings`
pub(crate) static SETTINGS: ConfigKey<SettingsForm> = ConfigKey {
    name: "settings",
    about: "What the component is told, as JSON; what it may be, `smcp policy inspect` shows. Absent: {}.",
    default: None,
    required: false,
    form: SettingsForm,
};

/// `policy.custom[].limits`
pub(crate) static LIMITS: ConfigKey<Nested> = ConfigKey {
    name: "limits",
    about: "What the component may use; each that is absent has its default.",
    default: None,
    required: false,
    form: Nested(&limits::SECTION),
};
