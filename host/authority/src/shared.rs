//! Directories that other users may read.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;

use crate::create_dir;
use crate::open_dir;

/// Opens a directory. If it is missing it is made with the umask; those above it are made for their owner only.
///
/// # Ambient authority
/// Makes and opens any path.
///
/// # Errors
/// When one of them can't be made or opened.
pub fn create_shared_dir(path: &Path) -> io::Result<Dir> {
    match open_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        match create_dir(parent)?.create_dir(name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    open_dir(path)
}
