//! The file system that the caller passes.
//!
//! This crate opens no files itself. The program passes the real file system; tests pass one of their own.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use smcp_model::guarded::Folder;
use smcp_model::guarded::Guarded;
use smcp_model::guarded::GuardedNames;
use smcp_model::ownership::Owners;

/// Read access to a file system.
pub trait Files {
    /// Returns the names in a folder, in any order.
    ///
    /// # Errors
    /// When the folder is missing, not a directory, or may not be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Whether `path` exists; a link counts wherever it leads.
    ///
    /// # Errors
    /// When that can't be known: a directory above may not be searched, or is a link that leads nowhere.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Reads a whole regular file of at most `limit` bytes, and returns who but its `owners` could have written it.
    /// `folder` says which folders are allowed.
    fn read_guarded(&self, path: &Path, limit: usize, folder: Folder, owners: Owners) -> Guarded;

    /// Returns the names in a folder, in any order, and who but its `owners` could have changed them.
    fn names_guarded(&self, path: &Path, folder: Folder, owners: Owners) -> GuardedNames;

    /// Returns the user id of the owner of `path`; `None` when it is unknown or the caller's.
    fn foreign_owner(&self, path: &Path) -> Option<u32>;
}
