//! Makes Landlock's ruleset of grants, before the fork.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use landlock::ABI;
use landlock::Access as _;
use landlock::AccessFs;
use landlock::BitFlags;
use landlock::PathBeneath;
use landlock::Ruleset;
use landlock::RulesetAttr as _;
use landlock::RulesetCreated;
use landlock::RulesetCreatedAttr as _;
use landlock::RulesetError;
use landlock::Scope;
use nix::fcntl::AT_FDCWD;
use nix::fcntl::OFlag;
use nix::fcntl::OpenHow;
use nix::fcntl::ResolveFlag;
use nix::fcntl::openat2;

use crate::grants::FileGrant;
use crate::grants::Right;

/// The newest version whose rights are all known here; an older kernel applies what it has.
const KNOWN: ABI = ABI::V9;

/// What may be done with a file or folder under a right.
fn access(right: Right) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    match right {
        Right::Run => read | AccessFs::Execute,
        Right::Read => read,
        Right::Write => {
            let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
            AccessFs::from_write(KNOWN) & !devices
        }
        Right::Device => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev,
    }
}

/// Makes a ruleset that grants this, and in `bundle` the rights of a bundle. What is gone meanwhile is left out.
pub(crate) fn ruleset(grants: &[FileGrant], bundle: BorrowedFd<'_>, rights: &[Right]) -> io::Result<OwnedFd> {
    let new = || -> Result<RulesetCreated, RulesetError> {
        let all = Ruleset::default().handle_access(AccessFs::from_all(KNOWN))?.scope(Scope::from_all(KNOWN))?;
        rights.iter().try_fold(all.create()?, |ruleset, right| add(ruleset, bundle, *right))
    };
    let mut ruleset = new().map_err(io::Error::other)?;
    for FileGrant { path, right } in grants {
        // Planned without a link, and opened without one: a server that runs could make one meanwhile.
        let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
        let Ok(opened) = openat2(AT_FDCWD, path, how) else { continue };
        // What the kernel takes for no file of a folder is not granted, and no reason not to start.
        let _ = (&mut ruleset).add_rule(PathBeneath::new(opened, access(*right)));
    }
    Option::<OwnedFd>::from(ruleset).ok_or_else(|| io::Error::other("Landlock is not there any more"))
}

fn add(ruleset: RulesetCreated, opened: impl AsFd, right: Right) -> Result<RulesetCreated, RulesetError> {
    ruleset.add_rule(PathBeneath::new(opened, access(right)))
}
