//! Files under the names of their digests: `blobs/sha256-<hex>`.
//!
//! In a cache and in a directory registry alike.

use std::ffi::OsString;
use std::io;
use std::io::Write as _;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;
use cap_tempfile::TempFile;
use nix::sys::time::TimeSpec;

use crate::model::digest::Digest;
use crate::package::error::PackageError;

const FOLDER: &str = "blobs";

/// Who may read what is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// The owner alone.
    Private,
    /// Whoever the umask of the process lets: a team with a common group publishes into one registry.
    Shared,
}

impl Access {
    pub(super) const fn folder_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Shared => 0o777,
        }
    }

    /// The mode that a file is made with; the umask of the process takes from it.
    pub(super) const fn file_mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Shared => 0o666,
        }
    }
}

/// Something in a store, looked at from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// The digest that its name stands for; none for the name of an unfinished file.
    pub(super) digest: Option<Digest>,
    /// Whether it is a regular file.
    pub(super) is_file: bool,
    /// Its length, bytes.
    pub(super) size: u64,
    /// When it was written or touched, in seconds since the Unix epoch.
    pub(super) modified: u64,
    name: OsString,
}

/// A store of files by digest.
#[derive(Debug)]
pub(super) struct Blobs {
    root: Dir,
    access: Access,
}

impl Blobs {
    pub(super) const fn new(root: Dir, access: Access) -> Self {
        Self { root, access }
    }

    /// Opens a blob, not yet verified; `None` when it isn't there.
    pub(super) fn open(&self, digest: &Digest) -> io::Result<Option<File>> {
        open_file(&self.root, &path(digest))
    }

    /// Removes a blob; one that isn't there is removed already.
    pub(super) fn remove(&self, digest: &Digest) -> io::Result<()> {
        match self.root.remove_file(path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes whatever stands in a blob's place.
    pub(super) fn clear(&self, digest: &Digest) -> io::Result<()> {
        match self.remove(digest) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => self.root.remove_dir_all(path(digest)),
            removed => removed,
        }
    }

    /// Everything in the store. What is gone before it could be looked at is not in it.
    pub(super) fn list(&self) -> io::Result<Vec<Stored>> {
        let entries = match self.root.read_dir(FOLDER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut stored = Vec::new();
        for entry in entries {
            let entry = entry?;
            // Of the entry itself: a link is not followed.
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let name = entry.file_name();
            let hex = name.to_str().and_then(|name| name.strip_prefix("sha256-"));
            stored.push(Stored {
                digest: hex.and_then(|hex| format!("sha256:{hex}").parse().ok()),
                is_file: metadata.is_file(),
                size: metadata.len(),
                modified: u64::try_from(metadata.mtime()).unwrap_or_default(),
                name,
            });
        }
        Ok(stored)
    }

    /// Removes something that was listed.
    pub(super) fn remove_stored(&self, stored: &Stored) -> io::Result<()> {
        match self.root.remove_file(Path::new(FOLDER).join(&stored.name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Keeps what `fill` writes, under the digest that it returns. When it fails, nothing is kept.
    pub(super) fn store<T>(
        &self,
        failed: impl Fn(io::Error) -> PackageError,
        fill: impl FnOnce(&mut TempFile<'_>) -> Result<(Digest, T), PackageError>,
    ) -> Result<T, PackageError> {
        let folder = create_folder(&self.root, FOLDER, self.access).map_err(&failed)?;
        let mut draft = TempFile::new(&folder).map_err(&failed)?;
        let (digest, told) = fill(&mut draft)?;
        keep(&folder, draft, &file_name(&digest), self.access).map_err(failed)?;
        Ok(told)
    }

    /// Writes a file and makes it durable, as [`Blobs::store`] does, and keeps nothing.
    pub(super) fn try_out(&self) -> io::Result<()> {
        let folder = create_folder(&self.root, FOLDER, self.access)?;
        let mut draft = TempFile::new(&folder)?;
        draft.write_all(b"tried out")?;
        draft.as_file().sync_all()
    }
}

fn file_name(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

fn path(digest: &Digest) -> String {
    format!("{FOLDER}/{}", file_name(digest))
}

/// Opens a regular file without ever waiting for a pipe or a device; `None` when it isn't there.
pub(super) fn open_file(dir: &Dir, path: &str) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    let file = match dir.open_with(path, &options) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() {
        Ok(Some(file))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a regular file")))
    }
}

/// Notes that a file is in use now. Its age is for housekeeping alone, so one that can't be renewed is no failure.
pub(super) fn touch(file: &File) {
    let _ = nix::sys::stat::futimens(file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
}

/// Opens a folder, made first when it isn't there.
pub(super) fn create_folder(dir: &Dir, name: &str, access: Access) -> io::Result<Dir> {
    let mut builder = DirBuilder::new();
    builder.mode(access.folder_mode());
    match dir.create_dir_with(name, &builder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => dir.open_dir(name),
    }
}

/// Gives a finished draft its name, in one step and on the disk: somebody who sees the name sees the whole file.
pub(super) fn keep(folder: &Dir, mut draft: TempFile<'_>, name: &str, access: Access) -> io::Result<()> {
    draft.flush()?;
    // A draft is made with 0666 less the umask, and what is shared stays so.
    if access == Access::Private {
        draft.as_file().set_permissions(Permissions::from_mode(access.file_mode()))?;
    }
    draft.as_file().sync_all()?;
    draft.replace(name)?;
    folder.open(".")?.sync_all()
}
