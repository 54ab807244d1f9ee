//! The examination of policies without evaluating them.
//!
//! It finds whether each policy can be evaluated, and the description that a component gives of itself.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::limits::PolicyLimits;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::policy::PolicySource;
use crate::text::SafeText;
use crate::verdict::Fault;
use crate::verdict::SettingsProblem;

/// One policy of one layer after its examination, as it would be evaluated.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its name in the configuration.
    pub name: PolicyName,
    /// The layer that configures it.
    pub layer: LayerName,
    /// Its mode: how strictly it is applied.
    pub mode: Mode,
    /// The place of its component.
    pub source: PolicySource,
    /// The file, line and column that put it in force; `None` for a built-in policy without a key in a file.
    pub at: Option<SafeText>,
    /// What it may use.
    pub limits: PolicyLimits,
    /// Digest of the component, when it could be read.
    pub digest: Option<Digest>,
    /// Who has signed the component; `None` when nobody had to have.
    pub signer: Option<SafeText>,
    /// The version that the component gives itself, when it could be asked.
    pub version: Option<SafeText>,
    /// Whether it can be evaluated.
    pub state: PolicyState,
    /// The problems of its settings, each with its place in a file.
    pub settings: Vec<PlacedProblem>,
}

/// A problem of a policy's settings, and where they were written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PlacedProblem {
    /// The file, line and column of the setting, or of the nearest that the file has.
    pub at: Option<SafeText>,
    /// The problem.
    #[serde(flatten)]
    pub problem: SettingsProblem,
}

/// A remark about a valid configuration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Remark {
    /// A stable name for machines.
    pub code: &'static str,
    /// The place of what it is about: `FILE:LINE`.
    pub at: SafeText,
    /// One sentence for people.
    pub message: SafeText,
}

/// The state of a policy: whether it can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyState {
    /// It is loaded, and its settings are accepted.
    Ready,
    /// It is not evaluated: its mode is `disabled`.
    Disabled,
    /// It can't be evaluated, which counts as a violation.
    Faulty(Fault),
    /// Its component is not the one that the configuration pins: no server would be started.
    Mismatched {
        /// The digest it should have.
        pin: Digest,
    },
    /// Its component is not signed as the configuration says: no server would be started.
    Unsigned {
        /// What was found, what was expected, and what helps.
        why: SafeText,
    },
}

impl PolicyState {
    /// The word used in JSON and tables.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Disabled => "disabled",
            Self::Faulty(_) => "fault",
            Self::Mismatched { .. } => "digest-mismatch",
            Self::Unsigned { .. } => "signature-invalid",
        }
    }

    /// Whether the policy can be evaluated, or is disabled.
    pub const fn works(&self) -> bool {
        match self {
            Self::Ready | Self::Disabled => true,
            Self::Faulty(_) | Self::Mismatched { .. } | Self::Unsigned { .. } => false,
        }
    }

    /// Its fault; `None` when it has none.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Ready | Self::Disabled | Self::Mismatched { .. } | Self::Unsigned { .. } => None,
            Self::Faulty(fault) => Some(fault),
        }
    }

    /// The digest that it should have; `None` unless it has another.
    pub const fn pin(&self) -> Option<Digest> {
        match self {
            Self::Ready | Self::Disabled | Self::Faulty(_) | Self::Unsigned { .. } => None,
            Self::Mismatched { pin } => Some(*pin),
        }
    }

    /// Why its component doesn't count as signed; `None` unless that is so.
    pub const fn unsigned(&self) -> Option<&SafeText> {
        match self {
            Self::Ready | Self::Disabled | Self::Faulty(_) | Self::Mismatched { .. } => None,
            Self::Unsigned { why } => Some(why),
        }
    }
}

/// One component after it was compiled ahead.
#[derive(Debug, Clone)]
pub struct CompiledAhead {
    /// Its file.
    pub file: SafeText,
    /// Digest of its bytes, when they could be read.
    pub digest: Option<Digest>,
    /// What became of it.
    pub state: AheadState,
}

/// What became of a component that was to be compiled ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AheadState {
    /// It was compiled now, and is kept.
    Compiled,
    /// It had been compiled before.
    Kept,
    /// It can't be used as a policy.
    Faulty(Fault),
    /// It was compiled, and could not be kept, for this reason.
    NotKept(SafeText),
}

impl AheadState {
    /// The word used in JSON and tables.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Compiled => "compiled",
            Self::Kept => "kept",
            Self::Faulty(_) => "fault",
            Self::NotKept(_) => "not-kept",
        }
    }

    /// Whether the next start finds its code.
    pub const fn is_kept(&self) -> bool {
        match self {
            Self::Compiled | Self::Kept => true,
            Self::Faulty(_) | Self::NotKept(_) => false,
        }
    }

    /// Why the next start does not find its code, and what helps.
    pub fn problem(&self) -> Option<(&SafeText, Option<&SafeText>)> {
        match self {
            Self::Compiled | Self::Kept => None,
            Self::Faulty(fault) => Some((&fault.message, fault.remedy.as_ref())),
            Self::NotKept(why) => Some((why, None)),
        }
    }
}

/// A component that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// What it is, and what it says of itself.
    pub inspection: Inspection,
    /// Its file.
    pub file: PathBuf,
    /// Why it does not accept `{}` as its settings, when it needs some.
    pub settings: Option<SafeText>,
}

/// A component's description of itself, and the properties of its file.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The file, as the user named it.
    pub file: SafeText,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its length, bytes.
    pub size: u64,
    /// The interface it exports, such as `smcp:policy/evaluator@0.1.0`.
    pub interface: SafeText,
    /// Its imports: everything that it can do besides computing.
    pub imports: Vec<SafeText>,
    /// The name it gives itself.
    pub name: SafeText,
    /// The version it gives itself.
    pub version: SafeText,
    /// Its purpose, in one sentence.
    pub description: SafeText,
    /// The effect of a violation under `warn`, unless the configuration says otherwise.
    pub on_warn: OnWarn,
    /// JSON Schema of its settings.
    pub settings_schema: serde_json::Value,
}
