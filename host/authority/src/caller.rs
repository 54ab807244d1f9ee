//! Who runs smcp.

use std::path::Path;

use crate::read_file;
use smcp_model::limits;
use smcp_model::ownership::Caller;
use smcp_model::ownership::private_group;

/// Whoever runs smcp, and whether he has a group of his own. Users and groups are looked up in the files alone: other
/// sources would load code of their own, and what can't be seen counts as shared.
///
/// # Ambient authority
/// Reads the process's state; `/etc/passwd` and `/etc/group` when it matters.
pub fn caller() -> Caller {
    Caller::new(nix::unistd::geteuid().as_raw(), || {
        let text = |path| read_file(Path::new(path), limits::USERS).ok().and_then(|text| String::from_utf8(text).ok());
        private_group(nix::unistd::geteuid().as_raw(), &text("/etc/passwd")?, &text("/etc/group")?)
    })
}

/// Who owns the thing at `path`, when that is somebody else than the caller; none also when nobody can know.
///
/// # Ambient authority
/// Looks at any path.
pub fn foreign_owner(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let owner = std::fs::metadata(path).ok()?.uid();
    (owner != nix::unistd::geteuid().as_raw()).then_some(owner)
}
