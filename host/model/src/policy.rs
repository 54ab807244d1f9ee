//! A policy as it is configured, before its component is loaded.

use std::fmt;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::limits::PolicyLimits;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::name::PolicyName;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// The name of every thread that works for one policy. A panic on such a thread is reported as a fault of that policy.
pub const EVALUATION_THREAD: &str = "policy";

/// The owner of a set of rules. Every layer is evaluated; a later layer can only add restrictions (spec section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerName {
    /// The administrator's rules.
    System,
    /// The user's own rules.
    User,
}

impl LayerName {
    /// Every layer, in the order of evaluation.
    pub const ALL: [Self; 2] = [Self::System, Self::User];

    /// The word used in JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
        }
    }
}

serialize_as_word!(LayerName);
deserialize_word!(LayerName);

/// The components inside the binary. Only the source of their bytes sets them apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuiltIn {
    /// It judges the kind of the package's publisher.
    Origin,
    /// It judges the certification level.
    Certification,
    /// It judges the security score.
    Score,
}

impl BuiltIn {
    /// All three, in the order in which they are evaluated and shown.
    pub const ALL: [Self; 3] = [Self::Origin, Self::Certification, Self::Score];

    /// The name in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Certification => "certification",
            Self::Score => "score",
        }
    }
}

/// The place of a policy's component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// Inside the binary.
    BuiltIn(BuiltIn),
    /// In a file, by its absolute path.
    File(PathBuf),
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(_) => f.pad("built-in"),
            Self::File(path) => f.pad(&path.to_string_lossy()),
        }
    }
}

/// One policy of one layer.
#[derive(Debug, Clone)]
pub struct PolicySpec {
    /// Its name, unique in its layer.
    pub name: PolicyName,
    /// The layer that configures it.
    pub layer: LayerName,
    /// The place of its component.
    pub source: PolicySource,
    /// The digest its component must have.
    pub pin: Option<Digest>,
    /// Its mode: how strictly it is applied.
    pub mode: Mode,
    /// The effect of a violation under `warn`; when `None`, the component's own description says it.
    pub on_warn: Option<OnWarn>,
    /// Its settings, as JSON.
    pub settings: serde_json::Value,
    /// The resources that it may use.
    pub limits: PolicyLimits,
}

impl PolicySpec {
    /// A built-in policy of the user's layer: strict, with default limits.
    pub fn built_in(policy: BuiltIn, settings: serde_json::Value) -> Self {
        Self::strict(PolicyName::of(policy), PolicySource::BuiltIn(policy), settings)
    }

    /// A policy of the user's layer whose component is in a file: strict, with default limits, and not pinned.
    pub fn file(name: PolicyName, path: impl Into<PathBuf>, settings: serde_json::Value) -> Self {
        Self::strict(name, PolicySource::File(path.into()), settings)
    }

    const fn strict(name: PolicyName, source: PolicySource, settings: serde_json::Value) -> Self {
        let (layer, mode, limits) = (LayerName::User, Mode::Strict, PolicyLimits::DEFAULT);
        Self { name, layer, source, pin: None, mode, on_warn: None, settings, limits }
    }
}
