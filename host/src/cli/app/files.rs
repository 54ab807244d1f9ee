//! The real file system, for the configuration.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedNames;
use smcp_config::Files;
use smcp_model::ownership::Owners;

/// The files of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct RealFiles;

impl Files for RealFiles {
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        authority::names(folder)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        authority::exists(path)
    }

    fn read_guarded(&self, path: &Path, limit: usize, folder: Folder, owners: Owners) -> Guarded {
        authority::read_guarded(path, limit, folder, owners)
    }

    fn names_guarded(&self, path: &Path, folder: Folder, owners: Owners) -> GuardedNames {
        authority::names_guarded(path, folder, owners)
    }

    fn foreign_owner(&self, path: &Path) -> Option<u32> {
        authority::foreign_owner(path)
    }
}
