//! How far a server is held to what its manifest asks for (spec section 14).
//!
//! It is known before the decision: `confine` foresees it from the permissions and the kernel. Policies are told, and the
//! decision, the audit log and the warning for a model say it.

use std::fmt;

use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// How far a server is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfinementState {
    /// What it did not ask for, it can't do.
    Full,
    /// Something of that, it can.
    Partial,
    /// It can do whatever the user can.
    None,
}

impl ConfinementState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Full, Self::Partial, Self::None];

    /// The word used in JSON, for policies and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

/// A part of the confinement that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The configuration switches it off.
    Off,
    /// The system is not Linux.
    System,
    /// The manifest has no block of permissions, so there is nothing to hold the server to.
    Permissions,
    /// Files: the kernel has no Landlock.
    Landlock,
    /// Network, processes and system calls: the kernel has no filter for them.
    Seccomp,
    /// Landlock of this kernel can't keep files from being emptied.
    Truncation,
    /// Landlock of this kernel can't keep signals inside.
    Signals,
    /// Landlock of this kernel can't close the sockets of the session.
    Sockets,
    /// The manifest names hosts, and this user can't make the network that would hold the server to them.
    Hosts,
    /// The manifest has patterns of paths.
    Patterns,
}

impl Gap {
    /// Every gap.
    pub const ALL: [Self; 10] = [
        Self::Off,
        Self::System,
        Self::Permissions,
        Self::Landlock,
        Self::Seccomp,
        Self::Truncation,
        Self::Signals,
        Self::Sockets,
        Self::Hosts,
        Self::Patterns,
    ];

    /// The word used in JSON and for policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::System => "system",
            Self::Permissions => "permissions",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
            Self::Truncation => "truncation",
            Self::Signals => "signals",
            Self::Sockets => "sockets",
            Self::Hosts => "hosts",
            Self::Patterns => "patterns",
        }
    }

    /// What is open because of it, and why; for a list in parentheses.
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Off => "switched off by the configuration",
            Self::System => "this system has no means for it",
            Self::Permissions => "permissions unknown: files and network are open",
            Self::Landlock => "files are open: no Landlock here",
            Self::Seccomp => "network, processes and system calls are open: no seccomp here",
            Self::Truncation => "files can be emptied: that takes Linux 6.2",
            Self::Signals => "other processes can be signalled: that takes Linux 6.12",
            Self::Sockets => "sockets of the session are open: that takes Linux 7.1",
            Self::Hosts => "hosts are open: no namespaces here",
            Self::Patterns => "patterns of paths: the folder above each is open",
        }
    }

    /// What closes it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Off => "leave `confinement: off` out",
            Self::System => "start it on Linux",
            Self::Permissions => "publish it with a block of `permissions` in its manifest",
            Self::Landlock => "start it on Linux 5.13 or newer, with `landlock` among the kernel's `lsm=`",
            Self::Seccomp => "start it on Linux for x86-64 or arm64, with CONFIG_SECCOMP_FILTER",
            Self::Truncation => "start it on Linux 6.2 or newer",
            Self::Signals => "start it on Linux 6.12 or newer",
            Self::Sockets => "start it on Linux 7.1 or newer, or publish it with an empty `network.outbound`",
            Self::Hosts => {
                "start it where users can make namespaces (`smcp doctor` says what refuses them), or publish it with an empty \
                 `network.outbound`, or with `*`"
            }
            Self::Patterns => "publish it with paths of folders",
        }
    }
}

serialize_as_word!(ConfinementState, Gap);
deserialize_word!(ConfinementState, Gap);

/// How far a server is confined, and what keeps it from being so in full.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Confinement {
    /// How far.
    pub state: ConfinementState,
    /// What is missing; empty when it is confined in full.
    pub missing: Vec<Gap>,
}

impl Confinement {
    /// A confinement with these gaps, of which something is left.
    pub fn with(missing: Vec<Gap>) -> Self {
        let state = if missing.is_empty() { ConfinementState::Full } else { ConfinementState::Partial };
        Self { state, missing }
    }

    /// No confinement, for these reasons.
    pub const fn none(missing: Vec<Gap>) -> Self {
        Self { state: ConfinementState::None, missing }
    }

    /// What policies are told beyond the fields of their interface.
    pub fn extensions(&self) -> Vec<(String, String)> {
        let words: Vec<_> = self.missing.iter().map(|gap| gap.as_str()).collect();
        let state = ("confinement.state".to_owned(), self.state.as_str().to_owned());
        let missing = (!words.is_empty()).then(|| ("confinement.missing".to_owned(), words.join(",")));
        std::iter::once(state).chain(missing).collect()
    }

    /// What is missing, as one phrase.
    pub fn explained(&self) -> String {
        self.missing.iter().map(|gap| gap.explained()).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Confinement {
    /// `full`, or `partial (…)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.as_str())?;
        if self.missing.is_empty() { Ok(()) } else { write!(f, " ({})", self.explained()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confinement_is_full_only_without_gaps() {
        assert_eq!(Confinement::with(Vec::new()).state, ConfinementState::Full);
        assert_eq!(Confinement::with(vec![Gap::Hosts]).state, ConfinementState::Partial);
        assert_eq!(Confinement::with(Vec::new()).to_string(), "full");
        let open = Confinement::none(vec![Gap::Landlock, Gap::Seccomp]);
        assert!(open.to_string().starts_with("none (files are open"), "{open}");
    }

    #[test]
    fn policies_are_told_the_words() {
        let partial = Confinement::with(vec![Gap::Sockets, Gap::Hosts]);
        let told = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![told("confinement.state", "partial"), told("confinement.missing", "sockets,hosts")];
        assert_eq!(partial.extensions(), expected);
        assert_eq!(Confinement::with(Vec::new()).extensions(), [told("confinement.state", "full")]);
    }

    #[test]
    fn a_document_reads_back() {
        let partial = Confinement::with(vec![Gap::Hosts]);
        let written = serde_json::to_string(&partial).unwrap();
        assert_eq!(written, r#"{"state":"partial","missing":["hosts"]}"#);
        assert_eq!(serde_json::from_str::<Confinement>(&written).unwrap(), partial);
    }
}
