//! The keys under `policy.policy_set`, and those of `set.yaml` in a set.

use std::path::Path;
use std::time::Duration;

use crate::form::Base;
use crate::form::CountForm;
use crate::form::ListOf;
use crate::form::Parsed;
use crate::form::RefusalReason;
use crate::form::registry;
use crate::form::set_source;
use crate::keys::ADMIN_CONTACT;
use crate::keys::ConfigKey;
use crate::keys::DURATION;
use crate::keys::Nested;
use crate::keys::Section;
use crate::keys::custom::signers::SignedByForm;
use crate::keys::duration;
use crate::keys::names_a_file;
use crate::keys::policy;
use crate::keys::trusted::TrustedForm;
use crate::keys::trusted::TrustedRegistryForm;
use smcp_model::limits::sets;
use smcp_model::registry::Registry;
use smcp_model::source::SetSource;
use smcp_model::time;

/// The mapping under `policy.policy_set`.
pub(crate) static SECTION: Section = Section {
    title: "`policy.policy_set`",
    keys: &[&SOURCE, &SIGNED_BY, &REFRESH, &MAX_AGE, &MINIMUM],
    foreign: &[],
    meant: &[
        ("file", "source"),
        ("path", "source"),
        ("url", "source"),
        ("signatures", "signed_by"),
        ("signature", "signed_by"),
        ("signers", "signed_by"),
        ("keys", "signed_by"),
        ("version", "minimum"),
        ("min", "minimum"),
    ],
    free: None,
};

/// `policy.policy_set.source`
pub(crate) static SOURCE: ConfigKey<Parsed<SetSource>> = ConfigKey {
    name: "source",
    about: "The archive of the set, as `smcp policy set build` makes it: a file, or elsewhere, which needs signed_by or a \
            digest in it: oci://HOST/REPO:TAG, https://…/NAME.tar.gz.",
    default: None,
    required: true,
    form: Parsed {
        allowed: "the path of a file (absolute, ~/…, or relative to the directory of this file), \
                  oci://HOST[:PORT]/REPO[:TAG][@sha256:DIGEST], or https://…/NAME.tar.gz",
        words: &[],
        parse: |text, base| {
            let source = set_source(text, base)?;
            let SetSource::File(path) = &source else { return Ok(source) };
            let names = !text.ends_with('/') && names_a_file(Path::new(text)) && names_a_file(path);
            if names { Ok(source) } else { Err(Some("it names no file")) }
        },
        pattern: "^.*[^/]$",
    },
};

/// `policy.policy_set.signed_by`
pub(crate) static SIGNED_BY: ConfigKey<SignedByForm> = ConfigKey {
    name: "signed_by",
    about: "Who must have signed the archive: a list, of which one must fit. A set that is not signed so never counts.",
    default: None,
    required: false,
    form: SignedByForm,
};

/// `policy.policy_set.refresh`
pub(crate) static REFRESH: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "refresh",
    about: "The age from which a set elsewhere is asked for again; a file is looked at by every start.",
    default: Some("1h"),
    required: false,
    form: Parsed {
        allowed: "a duration above zero and at most 30d, such as `1h`",
        words: &[],
        parse: |text, _| duration(text, sets::REFRESH),
        pattern: DURATION,
    },
};

/// `policy.policy_set.max_age`
pub(crate) static MAX_AGE: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "max_age",
    about: "How long the last good set stays in force while no newer look at the source succeeds.",
    default: Some("7d"),
    required: false,
    form: Parsed {
        allowed: "a duration above zero and at most 365d, such as `7d`",
        words: &[],
        parse: |text, _| duration(text, sets::MAX_AGE),
        pattern: DURATION,
    },
};

/// `policy.policy_set.minimum`
pub(crate) static MINIMUM: ConfigKey<CountForm> = ConfigKey {
    name: "minimum",
    about: "The lowest version of the set that is accepted, also on a machine that has seen none.",
    default: Some("1"),
    required: false,
    form: CountForm { least: 1, most: sets::VERSION },
};

/// The whole of `set.yaml`.
pub(crate) static FILE_SECTION: Section = Section {
    title: "a policy set",
    keys: &[&VERSION, &EXPIRES, &ADMIN_CONTACT, &TRUSTED_REGISTRIES, &POLICY],
    foreign: &[],
    meant: &[("policies", "policy"), ("rules", "policy"), ("until", "expires"), ("expiry", "expires")],
    free: None,
};

/// `version` of a set.
pub(crate) static VERSION: ConfigKey<CountForm> = ConfigKey {
    name: "version",
    about: "The number of this version of the set; it only grows.",
    default: None,
    required: true,
    form: CountForm { least: 1, most: sets::VERSION },
};

/// `expires` of a set, in seconds since the Unix epoch.
pub(crate) static EXPIRES: ConfigKey<Parsed<u64>> = ConfigKey {
    name: "expires",
    about: "When this version ends to be valid.",
    default: None,
    required: true,
    form: Parsed {
        allowed: "a time of RFC 3339, such as 2027-01-31T12:00:00Z",
        words: &[],
        parse: |text, _| time::seconds_of(text).ok_or(None),
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})$",
    },
};

/// `trusted_registries` of a set.
pub(crate) static TRUSTED_REGISTRIES: ConfigKey<TrustedForm> = ConfigKey {
    name: "trusted_registries",
    about: "The registries whose facts are believed. Absent: those of the layer that names the set.",
    default: None,
    required: false,
    form: TrustedForm(ListOf {
        allowed: "a list of registries; without the key, those of the layer that names the set",
        items: TrustedRegistryForm {
            registry: Parsed {
                allowed: "an https:// URL (http:// only for localhost), oci://HOST/PREFIX, or an absolute directory",
                words: &[],
                parse: set_registry,
                pattern: "^.+$",
            },
            files: false,
        },
    }),
};

/// `policy` of a set: everything but another set.
pub(crate) static POLICY: ConfigKey<Nested> = ConfigKey {
    name: "policy",
    about: "The rules that every package must meet.",
    default: None,
    required: true,
    form: Nested(&policy::SET_SECTION),
};

/// Returns a registry. A set is read on many machines, so nothing in it is relative to one.
fn set_registry(text: &str, base: Base<'_>) -> Result<Registry, RefusalReason> {
    match registry(text, base)? {
        Registry::Directory(_) if !text.starts_with('/') => Err(Some("a set has no folder that a path could start at")),
        found @ (Registry::Directory(_) | Registry::Url(_) | Registry::Official(_) | Registry::Oci(_)) => Ok(found),
    }
}
