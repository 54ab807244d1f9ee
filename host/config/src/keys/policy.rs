//! The keys under `policy`.

use crate::choice::CertScoreCheck;
use crate::form::CountForm;
use crate::form::ListOf;
use crate::form::Number;
use crate::form::Parsed;
use crate::form::Word;
use crate::keys::ConfigKey;
use crate::keys::Entries;
use crate::keys::Nested;
use crate::keys::Section;
use crate::keys::custom;
use crate::keys::exceptions;
use crate::keys::policy_set;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::mode::Mode;

/// The mapping under `policy`.
pub(crate) static SECTION: Section = Section {
    title: "`policy`",
    keys: &[
        &ALLOWED_ORIGINS,
        &MIN_CERT_LEVEL,
        &MIN_SCORE,
        &CERT_MODE,
        &CERT_LEVEL_MODE,
        &ORIGIN_MODE,
        &SCORE_MODE,
        &CERT_SCORE_CHECK,
        &WARNING_THRESHOLD,
        &MAX_POLICIES,
        &CUSTOM,
        &EXCEPTIONS,
        &POLICY_SET,
    ],
    foreign: &[],
    meant: &[],
    free: None,
};

/// The mapping under `policy` in a policy set, which names no other one.
pub(crate) static SET_SECTION: Section = Section {
    title: "`policy` of a set",
    keys: &[
        &ALLOWED_ORIGINS,
        &MIN_CERT_LEVEL,
        &MIN_SCORE,
        &CERT_MODE,
        &CERT_LEVEL_MODE,
        &ORIGIN_MODE,
        &SCORE_MODE,
        &CERT_SCORE_CHECK,
        &WARNING_THRESHOLD,
        &MAX_POLICIES,
        &CUSTOM,
        &EXCEPTIONS,
    ],
    foreign: &[],
    meant: &[],
    free: None,
};

/// `policy.allowed_origins`
pub(crate) static ALLOWED_ORIGINS: ConfigKey<ListOf<Parsed<&'static str>>> = ConfigKey {
    name: "allowed_origins",
    about: "Who may stand behind a package. Absent: any origin. Empty: nothing may run.",
    default: None,
    required: false,
    form: ListOf {
        allowed: "a list of official, verified, community; without the key, any origin",
        items: Parsed {
            allowed: "official, verified, community",
            words: &Origin::KNOWN,
            parse: |text, _| origin(text).ok_or(None),
            pattern: "^\\s*([oO][fF][fF][iI][cC][iI][aA][lL]|[vV][eE][rR][iI][fF][iI][eE][dD]|\
                      [cC][oO][mM][mM][uU][nN][iI][tT][yY])\\s*$",
        },
    },
};

/// `policy.min_cert_level`
pub(crate) static MIN_CERT_LEVEL: ConfigKey<Number<CertLevel>> = ConfigKey {
    name: "min_cert_level",
    about: "The lowest certification level that may run: 0 Integrity Verified, 1 Static Verified, \
            2 Security Certified, 3 Runtime Certified.",
    default: Some("0"),
    required: false,
    form: Number { max: CertLevel::MAX, new: CertLevel::new },
};

/// `policy.min_score`
pub(crate) static MIN_SCORE: ConfigKey<Number<Score>> = ConfigKey {
    name: "min_score",
    about: "The lowest security score that may run.",
    default: Some("0"),
    required: false,
    form: Number { max: Score::MAX, new: Score::new },
};

/// `policy.cert_mode`
pub(crate) static CERT_MODE: ConfigKey<Word<Mode>> = mode(
    "cert_mode",
    "How strictly the certification level is meant; strict and warn are also the default of the other modes.",
    Some("strict"),
);

/// `policy.cert_level_mode`
pub(crate) static CERT_LEVEL_MODE: ConfigKey<Word<Mode>> =
    mode("cert_level_mode", "Another name of cert_mode; when both are there they must agree.", None);

/// `policy.origin_mode`
pub(crate) static ORIGIN_MODE: ConfigKey<Word<Mode>> = mode(
    "origin_mode",
    "How strictly the origin is meant. Absent: cert_mode if that is strict or warn, else strict.",
    None,
);

/// `policy.score_mode`
pub(crate) static SCORE_MODE: ConfigKey<Word<Mode>> = mode(
    "score_mode",
    "How strictly the score is meant. Absent: cert_mode if that is strict or warn, else strict.",
    None,
);

/// `policy.cert_score_check`
pub(crate) static CERT_SCORE_CHECK: ConfigKey<Word<CertScoreCheck>> = ConfigKey {
    name: "cert_score_check",
    about: "What happens when a level's own score requirement (1: 60, 2: 80, 3: 90) is missed by the known score.",
    default: Some("notice"),
    required: false,
    form: Word { all: &CertScoreCheck::ALL, name: CertScoreCheck::as_str },
};

/// `policy.warning_threshold`
pub(crate) static WARNING_THRESHOLD: ConfigKey<Number<Score>> = ConfigKey {
    name: "warning_threshold",
    about: "Below this score a warning is shown; it never blocks.",
    default: Some("80"),
    required: false,
    form: Number { max: Score::MAX, new: Score::new },
};

/// `policy.max_policies`
pub(crate) static MAX_POLICIES: ConfigKey<CountForm> = ConfigKey {
    name: "max_policies",
    about: "How many policies this layer may have, the three built-in ones included.",
    default: Some("256"),
    required: false,
    form: CountForm { least: limits::POLICIES, most: limits::POLICIES_CEILING },
};

/// `policy.custom`
pub(crate) static CUSTOM: ConfigKey<Entries> = ConfigKey {
    name: "custom",
    about: "The organisation's own policies, evaluated after the three built-in ones, in this order.",
    default: None,
    required: false,
    form: Entries(&custom::SECTION),
};

/// `policy.exceptions`
pub(crate) static EXCEPTIONS: ConfigKey<Entries> = ConfigKey {
    name: "exceptions",
    about: "Violations of this layer's policies that are waived for a package until a day; each takes the first that \
            fits.",
    default: None,
    required: false,
    form: Entries(&exceptions::SECTION),
};

/// `policy.policy_set`
pub(crate) static POLICY_SET: ConfigKey<Nested> = ConfigKey {
    name: "policy_set",
    about: "A set of rules that somebody publishes whole; it is a layer of its own, with the authority of this one.",
    default: None,
    required: false,
    form: Nested(&policy_set::SECTION),
};

/// Returns a key for a mode.
pub(crate) const fn mode(
    name: &'static str,
    about: &'static str,
    default: Option<&'static str>,
) -> ConfigKey<Word<Mode>> {
    ConfigKey { name, about, default, required: false, form: Word { all: &Mode::ALL, name: Mode::as_str } }
}

/// Returns a known origin, in its canonical spelling.
fn origin(text: &str) -> Option<&'static str> {
    let word = text.trim().to_lowercase();
    Origin::KNOWN.into_iter().find(|known| *known == word)
}
