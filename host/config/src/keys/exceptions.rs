//! The keys of an entry of `policy.exceptions`.

use crate::form::ListOf;
use crate::form::NonEmpty;
use crate::form::Parsed;
use crate::form::RefusalReason;
use crate::form::Sentence;
use crate::keys::ConfigKey;
use crate::keys::Section;
use smcp_model::day::Day;
use smcp_model::day::DayError;
use smcp_model::exception::PackageScope;
use smcp_model::exception::ScopeError;
use smcp_model::limits;
use smcp_model::name::FindingCode;
use smcp_model::name::PolicyName;

/// One entry of `policy.exceptions`.
pub(crate) static SECTION: Section = Section {
    title: "an entry of `policy.exceptions`",
    keys: &[&PACKAGE, &POLICIES, &CODES, &REASON, &APPROVED_BY, &UNTIL],
    foreign: &[],
    meant: &[
        ("name", "package"),
        ("server", "package"),
        ("ref", "package"),
        ("digest", "package"),
        ("version", "package"),
        ("rules", "policies"),
        ("checks", "policies"),
        ("findings", "codes"),
        ("violations", "codes"),
        ("why", "reason"),
        ("comment", "reason"),
        ("justification", "reason"),
        ("approver", "approved_by"),
        ("owner", "approved_by"),
        ("expires", "until"),
        ("expiry", "until"),
        ("valid_until", "until"),
        ("end", "until"),
    ],
    free: None,
};

/// `policy.exceptions[].package`
pub(crate) static PACKAGE: ConfigKey<Parsed<PackageScope>> = ConfigKey {
    name: "package",
    about: "The package: all versions, one version, or the bundle with one digest. Without a digest, only packages of \
            a registry that this layer trusts.",
    default: None,
    required: true,
    form: Parsed {
        allowed: "ORG/NAME, ORG/NAME@VERSION or ORG/NAME@sha256:DIGEST",
        words: &[],
        parse: |text, _| text.parse().map_err(|error: ScopeError| Some(error.reason())),
        pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(@.+)?$",
    },
};

/// `policy.exceptions[].policies`
pub(crate) static POLICIES: ConfigKey<NonEmpty<Parsed<PolicyName>>> = ConfigKey {
    name: "policies",
    about: "The policies of this layer whose violations are waived; never their faults.",
    default: None,
    required: true,
    form: NonEmpty {
        most: limits::POLICIES_CEILING,
        list: ListOf {
            allowed: "a list of 1 to 1024 names of policies of this layer",
            items: Parsed {
                allowed: "the name of a policy of this layer",
                words: &["origin", "certification", "score"],
                parse: |text, _| text.parse().map_err(|_| None),
                pattern: "^[a-z0-9-]{1,64}$",
            },
        },
    },
};

/// `policy.exceptions[].codes`
pub(crate) static CODES: ConfigKey<NonEmpty<Parsed<FindingCode>>> = ConfigKey {
    name: "codes",
    about: "The findings that are waived; any other violation of the policies stands. Absent: all of them.",
    default: None,
    required: false,
    form: NonEmpty {
        most: limits::FINDINGS,
        list: ListOf {
            allowed: "a list of 1 to 256 codes of findings; without the key, any",
            items: Parsed {
                allowed: "a code: 1 to 64 characters of a-z, 0-9 and -",
                words: &[],
                parse: |text, _| text.parse().map_err(|_| None),
                pattern: "^[a-z0-9-]{1,64}$",
            },
        },
    },
};

/// `policy.exceptions[].reason`
pub(crate) static REASON: ConfigKey<Sentence> = ConfigKey {
    name: "reason",
    about: "Why it was made; shown and recorded whenever something is waived.",
    default: None,
    required: true,
    form: Sentence { most: limits::EXCEPTION_TEXT },
};

/// `policy.exceptions[].approved_by`
pub(crate) static APPROVED_BY: ConfigKey<Sentence> = ConfigKey {
    name: "approved_by",
    about: "Who approved it.",
    default: None,
    required: false,
    form: Sentence { most: limits::EXCEPTION_TEXT },
};

/// `policy.exceptions[].until`
pub(crate) static UNTIL: ConfigKey<Parsed<Day>> = ConfigKey {
    name: "until",
    about: "The last day on which it holds, to its end, UTC.",
    default: None,
    required: true,
    form: Parsed {
        allowed: "a day as YYYY-MM-DD, from 1970-01-01",
        words: &[],
        parse: |text, _| text.parse().map_err(|error| not_a_day(&error)),
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    },
};

const fn not_a_day(error: &DayError) -> RefusalReason {
    match error {
        DayError::Form { .. } => None,
        DayError::Absent { .. } => Some("the calendar has no such day since 1970"),
    }
}
