//! The user who runs smcp.

use std::io;
use std::path::Path;

use nix::unistd::Gid;
use nix::unistd::Uid;

use crate::read_file;
use smcp_model::limits;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;
use smcp_model::ownership::private_group;

/// The user who runs smcp, and whether that user has a private group. Users and groups are looked up only in the files,
/// because other sources would load code of their own; a group that can't be found there counts as shared.
///
/// # Ambient authority
/// Reads the process's state; `/etc/passwd` and `/etc/group` when it matters.
pub fn caller() -> Caller {
    Caller::new(nix::unistd::geteuid().as_raw(), || {
        let text = |path| read_file(Path::new(path), limits::USERS).ok().and_then(|text| String::from_utf8(text).ok());
        private_group(nix::unistd::geteuid().as_raw(), &text("/etc/passwd")?, &text("/etc/group")?)
    })
}

/// Has root act as the owner of a home while `act` runs: what it looks at is what that user sees, and what it makes belongs to
/// that user.
///
/// # Ambient authority
/// Changes the effective user and group of this process, and changes them back.
///
/// # Errors
/// When the system refuses, as for a user that this namespace does not have.
pub fn acting_as<T>(owner: Ownership, act: impl FnOnce() -> T) -> io::Result<T> {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    nix::unistd::setegid(Gid::from_raw(owner.gid))?;
    if let Err(error) = nix::unistd::seteuid(Uid::from_raw(owner.uid)) {
        nix::unistd::setegid(group)?;
        return Err(error.into());
    }
    let done = act();
    nix::unistd::seteuid(user)?;
    nix::unistd::setegid(group)?;
    Ok(done)
}

/// The owner of the file or folder at `path`, if that is another user than the caller; `None` also if it can't be
/// known.
///
/// # Ambient authority
/// Looks at any path.
pub fn foreign_owner(path: &Path) -> Option<u32> {
    let owner = ownership(path)?.uid;
    (owner != nix::unistd::geteuid().as_raw()).then_some(owner)
}

/// Who owns the file or folder that `path` leads to, and who may write to it; `None` if it can't be known.
///
/// # Ambient authority
/// Looks at any path.
pub fn ownership(path: &Path) -> Option<Ownership> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let metadata = std::fs::metadata(path).ok()?;
    Some(Ownership::from(&metadata))
}
