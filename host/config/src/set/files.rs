//! The archive of a set as a file system: `policies.d` is read as any other.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::Files;
use crate::set::SetFiles;
use smcp_model::guarded::Folder;
use smcp_model::guarded::Guarded;
use smcp_model::guarded::GuardedNames;
use smcp_model::guarded::ReadError;
use smcp_model::ownership::Owners;

/// The files of a set, below the path of its archive. Nobody can write to them any more.
pub(super) struct ArchiveFiles<'a> {
    pub(super) at: &'a Path,
    pub(super) files: &'a SetFiles,
}

impl ArchiveFiles<'_> {
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.texts.keys().chain(self.files.components.keys()).map(String::as_str)
    }

    /// Returns a path as it is in the archive.
    fn inside<'p>(&self, path: &'p Path) -> Option<&'p str> {
        path.strip_prefix(self.at).ok()?.to_str()
    }
}

impl Files for ArchiveFiles<'_> {
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let inside = self.inside(folder).ok_or(io::ErrorKind::NotFound)?;
        let below = |path: &str| {
            let rest = path.strip_prefix(inside)?.strip_prefix('/')?;
            Some(OsString::from(rest.split('/').next()?))
        };
        let names: BTreeSet<_> = self.paths().filter_map(below).collect();
        if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names.into_iter().collect()) }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let Some(inside) = self.inside(path) else { return Ok(false) };
        let is_it = |known: &str| known == inside || known.strip_prefix(inside).is_some_and(|it| it.starts_with('/'));
        Ok(self.paths().any(is_it))
    }

    fn read_guarded(&self, path: &Path, limit: usize, _: Folder, _: Owners) -> Guarded {
        let bytes = self.inside(path).and_then(|inside| self.files.texts.get(inside));
        let bytes = match bytes {
            None => Err(ReadError::Io(io::ErrorKind::NotFound.into())),
            Some(bytes) if bytes.len() > limit => Err(ReadError::TooLarge { limit }),
            Some(bytes) => Ok(bytes.clone()),
        };
        Guarded { bytes, suspects: Vec::new() }
    }

    fn names_guarded(&self, path: &Path, _: Folder, _: Owners) -> GuardedNames {
        GuardedNames { names: self.names(path), suspects: Vec::new() }
    }

    fn foreign_owner(&self, _: &Path) -> Option<u32> {
        None
    }
}
