//! Looks at the program files of servers.

use std::path::Path;

use nix::fcntl::AT_FDCWD;
use nix::fcntl::AtFlags;
use nix::unistd::AccessFlags;
use nix::unistd::faccessat;

use crate::open_file;
use smcp_model::bounded;
use smcp_model::limits;

/// Whether the file at `path` is a program that we may start; `None` if it is not a regular file.
///
/// # Ambient authority
/// Looks at any path.
pub fn is_program(path: &Path) -> Option<bool> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let is_file = path.is_file();
    // Checked with the effective identity, which will start it.
    is_file.then(|| faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS).is_ok())
}

/// The first bytes of a file that could not be started, for a message that says why; `None` if it can't be read.
///
/// # Ambient authority
/// Reads any path.
pub fn program_head(path: &Path) -> Option<Vec<u8>> {
    bounded::read_beginning(open_file(path).ok()?, limits::PROGRAM_HEAD).ok()
}
