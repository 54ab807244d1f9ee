//! How the configuration looks at files: what the caller hands in.
//!
//! This crate opens nothing itself. The program looks at the real file system; tests look at one of their own.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use smcp_model::guarded::Folder;
use smcp_model::guarded::Guarded;

/// A view of a file system.
pub trait Files {
    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// When it is missing, not a directory, or may not be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Whether something is at `path`; a link is something, wherever it leads.
    ///
    /// # Errors
    /// When nobody can know: a directory above may not be searched, or is a link that leads nowhere.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Reads a whole regular file of at most `limit` bytes, and says who else could have written it. What the folder of
    /// the file may be, `folder` says.
    fn read_guarded(&self, path: &Path, limit: usize, folder: Folder) -> Guarded;

    /// The user id of the owner of `path`, where that is known and not the caller.
    fn foreign_owner(&self, path: &Path) -> Option<u32>;
}
