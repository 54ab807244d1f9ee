//! Reads a file of a project.

use std::io;

use cap_std::fs::Dir;

use smcp_model::bounded;
use smcp_model::limits::compiling;
use smcp_store::file::open_file;

/// Reads a file of a project, of at most the size that a module may have.
pub(crate) fn read(dir: &Dir, name: &str) -> io::Result<Vec<u8>> {
    let file = open_file(dir, name)?.ok_or(io::ErrorKind::NotFound)?;
    let too_large =
        || io::Error::other(format!("it has more than {} bytes, the most that is read", compiling::MODULE_FILE));
    bounded::read_within(file, compiling::MODULE_FILE, 0)?.ok_or_else(too_large)
}
