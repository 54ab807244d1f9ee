//! What is found out about policies without evaluating any.
//!
//! Whether each would work, and what a component is.

use crate::digest::Digest;
use crate::limits::PolicyLimits;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::policy::PolicySource;
use crate::text::SafeText;
use crate::verdict::Fault;

/// One policy of one layer after its examination: as it would be evaluated.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its name in the configuration.
    pub name: PolicyName,
    /// The layer it stands in.
    pub layer: LayerName,
    /// How strictly it is meant.
    pub mode: Mode,
    /// Where its component is.
    pub source: PolicySource,
    /// What it may use.
    pub limits: PolicyLimits,
    /// Digest of the component, when it could be read.
    pub digest: Option<Digest>,
    /// What the component calls its version, when it could be asked.
    pub version: Option<SafeText>,
    /// Whether it would do its work.
    pub state: PolicyState,
}

/// Whether a policy would do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyState {
    /// Loaded, and its settings are accepted.
    Ready,
    /// Not evaluated: its mode is `disabled`.
    Disabled,
    /// It would count as a violation.
    Faulty(Fault),
    /// Its component is not the one that the configuration pins: nothing would run.
    Mismatched {
        /// The digest it should have.
        pin: Digest,
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
        }
    }

    /// Whether the policy is evaluated and does its work, or is not meant to.
    pub const fn works(&self) -> bool {
        match self {
            Self::Ready | Self::Disabled => true,
            Self::Faulty(_) | Self::Mismatched { .. } => false,
        }
    }

    /// What is wrong with it, when it is broken.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Ready | Self::Disabled | Self::Mismatched { .. } => None,
            Self::Faulty(fault) => Some(fault),
        }
    }

    /// The digest that it should have, when it has another.
    pub const fn pin(&self) -> Option<Digest> {
        match self {
            Self::Ready | Self::Disabled | Self::Faulty(_) => None,
            Self::Mismatched { pin } => Some(*pin),
        }
    }
}

/// What a component says of itself, and what it is.
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
    /// What it imports: all that it can do besides computing.
    pub imports: Vec<SafeText>,
    /// The name it gives itself.
    pub name: SafeText,
    /// The version it gives itself.
    pub version: SafeText,
    /// What it does, in one sentence.
    pub description: SafeText,
    /// What a violation under `warn` leads to, unless the configuration says otherwise.
    pub on_warn: OnWarn,
    /// JSON Schema of its settings.
    pub settings_schema: serde_json::Value,
}
