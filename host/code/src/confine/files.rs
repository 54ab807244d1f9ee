//! Gives up files, the network, and signals to others, by Landlock.

use landlock::ABI;
use landlock::Access as _;
use landlock::AccessFs;
use landlock::AccessNet;
use landlock::Ruleset;
use landlock::RulesetAttr as _;
use landlock::RulesetError;
use landlock::RulesetStatus;
use landlock::Scope;

/// The newest version whose rights are all known here; an older kernel applies what it has.
const KNOWN: ABI = ABI::V6;

/// The reason why Landlock is not applied in full.
#[derive(Debug)]
pub(super) enum NotInFull {
    Partly,
    NotAtAll,
    Failed(RulesetError),
}

impl std::fmt::Display for NotInFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Partly => f.write_str("this kernel has only a part of it"),
            Self::NotAtAll => f.write_str("this kernel has none, or it is switched off"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// Grants nothing to this process from now on.
pub(super) fn give_up() -> Result<(), NotInFull> {
    let status = restrict().map_err(NotInFull::Failed)?;
    match status {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => Err(NotInFull::Partly),
        RulesetStatus::NotEnforced => Err(NotInFull::NotAtAll),
    }
}

fn restrict() -> Result<RulesetStatus, RulesetError> {
    let all = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    Ok(all.create()?.restrict_self()?.ruleset)
}
