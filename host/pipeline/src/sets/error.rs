//! Why a policy set does not count.

use std::fmt;

use smcp_config::ConfigError;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::policy::LayerName;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_oci::OciError;

/// A policy set can't be used, and there is no last good one: nothing starts.
#[derive(Debug)]
pub struct SetError {
    /// The layer that names it.
    pub layer: LayerName,
    /// Where it should come from.
    pub source: SetSource,
    /// The problem.
    pub problem: SetProblem,
    /// What there is of a last good one, or why there is none in its place; `None` when this machine has seen none.
    pub last: Option<String>,
    /// Whether there is none, so that nothing starts.
    pub is_final: bool,
}

/// The problem with a policy set.
#[derive(Debug)]
pub enum SetProblem {
    /// It can't be had.
    Unreachable(String),
    /// What came from elsewhere is not what it should be.
    Wrong(String),
    /// It is not the one whose manifest its source names.
    Unproven {
        /// The digest of that manifest.
        pin: Digest,
    },
    /// Nobody has signed it who may.
    Unsigned {
        /// What there is.
        found: SafeText,
        /// Who should have signed.
        expected: SafeText,
    },
    /// Its archive is not one of a set.
    Archive(SafeText),
    /// What its files say can't be rules.
    Rules(ConfigError),
    /// A component is not that of a policy.
    Component {
        /// Its path in the set.
        name: SafeText,
        /// What is wrong with it.
        problem: SafeText,
    },
    /// It is older than the configuration accepts.
    TooOld {
        /// Its version.
        version: u64,
        /// The lowest that is accepted.
        minimum: u64,
    },
    /// A newer version was seen on this machine.
    Rollback {
        /// Its version.
        version: u64,
        /// The newest that was seen.
        seen: u64,
    },
    /// Another set with the same version was seen on this machine.
    Changed {
        /// The version of both.
        version: u64,
    },
    /// It is no longer valid.
    Expired {
        /// Its version.
        version: u64,
        /// Its end, in seconds since the Unix epoch.
        expires: u64,
    },
}

impl SetProblem {
    /// Returns a stable name for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "set-unavailable",
            Self::Wrong(_) | Self::Unproven { .. } | Self::Archive(_) | Self::Rules(_) | Self::Component { .. } => {
                "set-invalid"
            }
            Self::Unsigned { .. } => "set-signature-invalid",
            Self::TooOld { .. } => "set-too-old",
            Self::Rollback { .. } | Self::Changed { .. } => "set-rollback",
            Self::Expired { .. } => "set-expired",
        }
    }

    /// Returns the exit code's reason: whether nothing came, or what came is not right.
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Unreachable(_) => ExitKind::Registry,
            Self::Wrong(_)
            | Self::Unproven { .. }
            | Self::Unsigned { .. }
            | Self::Archive(_)
            | Self::Rules(_)
            | Self::Component { .. }
            | Self::TooOld { .. }
            | Self::Rollback { .. }
            | Self::Changed { .. }
            | Self::Expired { .. } => ExitKind::Integrity,
        }
    }
}

impl From<OciError> for SetProblem {
    fn from(error: OciError) -> Self {
        if error.is_wrong() { Self::Wrong(error.to_string()) } else { Self::Unreachable(error.to_string()) }
    }
}

/// Writes the end of a sentence that begins with the set.
impl fmt::Display for SetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "can't be read: {why}"),
            Self::Wrong(problem) => write!(f, "is not right: {problem}"),
            Self::Unproven { pin } => write!(f, "is not the one whose manifest is {pin}"),
            Self::Unsigned { found, expected } => {
                write!(f, "is not signed as the configuration says\n  found: {found}\n  expected: {expected}")
            }
            Self::Archive(problem) => write!(f, "is not the archive of a set: {problem}"),
            Self::Rules(problems) => write!(f, "is not right: {problems}"),
            Self::Component { name, problem } => write!(f, "is not right: {name} is not a policy: {problem}"),
            Self::TooOld { version, minimum } => {
                write!(f, "has version {version}, and the configuration accepts none before {minimum} (`minimum`)")
            }
            Self::Rollback { version, seen } => {
                write!(f, "has version {version}, and this machine has seen version {seen} of it")
            }
            Self::Changed { version } => write!(
                f,
                "has version {version}, and this machine has seen another set with that version: a version that is \
                 published does not change"
            ),
            Self::Expired { version, expires } => {
                write!(f, "has version {version}, which expired at {}", time::said(*expires))
            }
        }
    }
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, source, problem, last, is_final } = self;
        write!(f, "the policy set of the {} layer, {source}, {problem}", layer.as_str())?;
        if let Some(last) = last {
            write!(f, "\n  {last}")?;
        }
        if *is_final { f.write_str("\n  nothing starts without a good set") } else { Ok(()) }
    }
}

impl std::error::Error for SetError {}
