//! A policy as it is configured, before its component is loaded.

use std::fmt;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::limits::PolicyLimits;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::name::PolicyName;
use crate::number;
use crate::ownership::Owners;
use crate::signer::SignedBy;
use crate::size::ByteSize;
use crate::source::RemoteSource;
use crate::source::address_in;
use crate::text::SafeText;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// The name of every thread that works for one policy. A panic on such a thread is reported as a fault of that policy.
pub const EVALUATION_THREAD: &str = "policy";

/// The owner of a set of rules. Every layer is evaluated; a later layer can only add restrictions (spec section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerName {
    /// The administrator's rules, in `/etc/mcp`.
    System,
    /// The policy set that those rules name.
    SystemSet,
    /// The rules of the file that `SMCP_SYSTEM_CONFIG` adds.
    Added,
    /// The policy set that those rules name.
    AddedSet,
    /// The user's own rules.
    User,
    /// The policy set that those rules name.
    UserSet,
}

impl LayerName {
    /// Every layer, in the order of evaluation.
    pub const ALL: [Self; 6] = [Self::System, Self::SystemSet, Self::Added, Self::AddedSet, Self::User, Self::UserSet];

    /// Those who may own and write the files of the layer, and what they name: components, or a policy set.
    pub const fn owners(self) -> Owners {
        match self {
            Self::System | Self::SystemSet => Owners::Root,
            Self::Added | Self::AddedSet | Self::User | Self::UserSet => Owners::CallerOrRoot,
        }
    }

    /// The layer of the policy set that this layer names; a set names none.
    pub const fn set(self) -> Option<Self> {
        match self {
            Self::System => Some(Self::SystemSet),
            Self::Added => Some(Self::AddedSet),
            Self::User => Some(Self::UserSet),
            Self::SystemSet | Self::AddedSet | Self::UserSet => None,
        }
    }

    /// Whether it is the layer of a policy set.
    pub const fn is_set(self) -> bool {
        self.set().is_none()
    }

    /// Whether it has the user's authority: his own rules, or the set that they name.
    pub const fn is_users(self) -> bool {
        match self {
            Self::User | Self::UserSet => true,
            Self::System | Self::SystemSet | Self::Added | Self::AddedSet => false,
        }
    }

    /// The word used in JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::SystemSet => "system/set",
            Self::Added => "added",
            Self::AddedSet => "added/set",
            Self::User => "user",
            Self::UserSet => "user/set",
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

    /// The codes of all violations that it reports, for remarks about exceptions that name others.
    pub const fn violation_codes(self) -> &'static [&'static str] {
        match self {
            Self::Origin => &["origin-not-allowed", "origin-unknown"],
            Self::Certification => &["cert-level-below-minimum", "cert-level-unknown", "cert-score-mismatch"],
            Self::Score => &["score-below-minimum", "score-unknown"],
        }
    }
}

/// The place of a policy's component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// Inside the binary.
    BuiltIn(BuiltIn),
    /// In a file, by its absolute path; in a policy set, by its path there.
    File(PathBuf),
    /// In a registry of images, or behind a URL.
    Remote(RemoteSource),
}

impl PolicySource {
    /// Whether it is an organisation's own component, and none of the program's.
    pub const fn is_custom(&self) -> bool {
        matches!(self, Self::File(_) | Self::Remote(_))
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(_) => f.pad("built-in"),
            Self::File(path) => f.pad(&address_in(path).unwrap_or_else(|| path.to_string_lossy().into_owned())),
            Self::Remote(source) => f.pad(&source.address.to_string()),
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
    /// Who must have signed its component; `None` when nobody need to have.
    pub signed_by: Option<SignedBy>,
    /// Its mode: how strictly it is applied.
    pub mode: Mode,
    /// The effect of a violation under `warn`; when `None`, the component's own description says it.
    pub on_warn: Option<OnWarn>,
    /// Its settings, as JSON.
    pub settings: serde_json::Value,
    /// Whether the component is known to accept its settings: those that a configuration's own keys make for a built-in
    /// policy. It is not asked then.
    pub settings_vouched: bool,
    /// The resources that it may use.
    pub limits: PolicyLimits,
    /// Whom to ask about its refusals, by its layer.
    pub admin_contact: Option<SafeText>,
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

    /// A policy of the user's layer whose component is elsewhere: strict, with default limits, and not pinned.
    pub const fn remote(name: PolicyName, source: RemoteSource, settings: serde_json::Value) -> Self {
        Self::strict(name, PolicySource::Remote(source), settings)
    }

    const fn strict(name: PolicyName, source: PolicySource, settings: serde_json::Value) -> Self {
        Self {
            name,
            layer: LayerName::User,
            source,
            pin: None,
            signed_by: None,
            mode: Mode::Strict,
            on_warn: None,
            settings,
            settings_vouched: false,
            limits: PolicyLimits::DEFAULT,
            admin_contact: None,
        }
    }
}

impl PolicyLimits {
    /// Returns the limits by their keys, with the units in which a configuration has them.
    pub fn written(&self) -> Vec<(&'static str, serde_json::Value)> {
        let Self { time, memory, memories, instances, component_size, output } = *self;
        let size = |bytes| ByteSize(number::wide(bytes)).written().into();
        // Without spaces, so that one limit is one word.
        let time = humantime::format_duration(time).to_string().replace(' ', "");
        vec![
            ("time", time.into()),
            ("memory", size(memory)),
            ("memories", memories.into()),
            ("instances", instances.into()),
            ("component_size", size(component_size)),
            ("output", size(output)),
        ]
    }

    /// Returns the end of a remedy: how a configuration allows more under `key`. Empty where there is no more.
    pub fn more(&self, key: &str) -> String {
        let of = |limits: &Self| limits.written().into_iter().find(|(name, _)| *name == key).map(|(_, value)| value);
        let most = of(&Self::CEILING).filter(|most| of(self).as_ref() != Some(most));
        most.map_or_else(String::new, |most| {
            let most = most.as_str().map_or_else(|| most.to_string(), str::to_owned);
            format!("; or allow it more: `limits: {{{key}: …}}` in the policy's configuration, at most {most}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_a_configuration_has_them() {
        let text = |limits: PolicyLimits| {
            limits.written().iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            text(PolicyLimits::DEFAULT),
            r#"time: "500ms", memory: "32MiB", memories: 8, instances: 64, component_size: "32MiB", output: "1MiB""#
        );
        assert_eq!(
            text(PolicyLimits::CEILING),
            r#"time: "10s", memory: "512MiB", memories: 64, instances: 512, component_size: "64MiB", output: "8MiB""#
        );
        assert_eq!(
            text(PolicyLimits::LEAST),
            r#"time: "1ms", memory: "64KiB", memories: 1, instances: 1, component_size: "1B", output: "1B""#
        );
    }

    #[test]
    fn nothing_is_offered_above_the_ceiling() {
        let said = "; or allow it more: `limits: {memories: …}` in the policy's configuration, at most 64";
        assert_eq!(PolicyLimits::DEFAULT.more("memories"), said);
        assert_eq!(PolicyLimits::CEILING.more("memories"), "");
        assert_eq!(PolicyLimits::DEFAULT.more("tables"), "");
    }
}
