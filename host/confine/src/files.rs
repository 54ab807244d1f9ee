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
use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::sys::stat::Mode;
use nix::sys::stat::SFlag;
use nix::sys::stat::fstat;

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
        let how = OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let Ok(opened) = open(path, how, Mode::empty()) else { continue };
        let is_link = fstat(&opened)
            .is_ok_and(|found| SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFLNK);
        // What the kernel takes for no file of a folder is not granted, and no reason not to start.
        if !is_link {
            let _ = (&mut ruleset).add_rule(PathBeneath::new(opened, access(*right)));
        }
    }
    Option::<OwnedFd>::from(ruleset).ok_or_else(|| io::Error::other("Landlock is not there any more"))
}

fn add(ruleset: RulesetCreated, opened: impl AsFd, right: Right) -> Result<RulesetCreated, RulesetError> {
    ruleset.add_rule(PathBeneath::new(opened, access(right)))
}
