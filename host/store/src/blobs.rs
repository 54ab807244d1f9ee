//! Stores files under their digests: `blobs/sha256-<hex>`.
//!
//! A cache and a directory registry both have such a folder.

use std::io;
use std::io::Write as _;
use std::os::fd::AsFd;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use nix::sys::time::TimeSpec;

use crate::access::StoreAccess;
use crate::draft;
use crate::draft::FileDraft;
use crate::draft::is_hex;
use crate::file::open_file;
use crate::folder;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use smcp_model::digest::Digest;

/// The folder of the files, in a cache and in a registry.
pub(crate) const FOLDER: &str = "blobs";
/// The start of a file's name; its digest follows in 64 lower-case hex digits.
const PREFIX: &str = "sha256-";
/// The name of the file that [`Blobs::try_out`] writes.
const TRIAL: &str = ".draft-0000000000000000";

/// An entry of a store whose name smcp made, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreEntry {
    /// The digest in its name; `None` for an unfinished file.
    pub digest: Option<Digest>,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Its length, bytes.
    pub size: u64,
    /// The time at which it was last written or touched, in seconds since the Unix epoch.
    pub modified: u64,
    name: String,
}

/// A store of files by digest.
#[derive(Debug)]
pub struct Blobs {
    root: Dir,
    access: StoreAccess,
    /// The check of the store's owner and mode; `None` in a registry, whose folders are checked elsewhere.
    guard: Option<FolderGuard>,
}

impl Blobs {
    /// The store of a registry.
    pub const fn shared(root: Dir) -> Self {
        Self { root, access: StoreAccess::Shared, guard: None }
    }

    /// The store of a cache, whose folders are checked by `guard`.
    pub const fn private(root: Dir, guard: FolderGuard) -> Self {
        Self { root, access: StoreAccess::Private, guard: Some(guard) }
    }

    /// Opens the folder of all files; `None` when it does not exist.
    fn folder(&self) -> io::Result<Option<Dir>> {
        if let Some(guard) = &self.guard {
            return Ok(guard.open(&self.root, FOLDER)?.map(|(folder, _)| folder));
        }
        match self.root.open_dir(FOLDER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(folder::explain(&self.root, FOLDER, error)),
            Ok(folder) => Ok(Some(folder)),
        }
    }

    /// Opens the folder of all files, and makes it first if needed.
    fn folder_to_fill(&self) -> io::Result<Dir> {
        match &self.guard {
            Some(guard) => guard.make(&self.root, FOLDER).map(|(folder, _)| folder),
            None => create_folder(&self.root, FOLDER, self.access),
        }
    }

    /// Opens a blob, not yet verified; `None` when it does not exist.
    pub fn open(&self, digest: &Digest) -> io::Result<Option<File>> {
        self.folder()?.map_or(Ok(None), |folder| open_file(&folder, &file_name(digest)))
    }

    /// Removes a blob. A missing one is not an error.
    pub fn remove(&self, digest: &Digest) -> io::Result<()> {
        self.remove_named(&file_name(digest))
    }

    /// Removes what has the name of a blob: a file, a link, an empty folder. smcp makes no folders there, so one with
    /// contents belongs to the user, and stays.
    pub fn clear(&self, digest: &Digest) -> io::Result<()> {
        match self.remove(digest) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                self.folder()?.map_or(Ok(()), |folder| folder.remove_dir(file_name(digest)))
            }
            removed => removed,
        }
    }

    fn remove_named(&self, name: &str) -> io::Result<()> {
        let Some(folder) = self.folder()? else { return Ok(()) };
        match folder.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Lists everything in the store that has a name of ours. An entry that is removed meanwhile is left out.
    pub fn list(&self) -> io::Result<Vec<StoreEntry>> {
        let Some(folder) = self.folder()? else { return Ok(Vec::new()) };
        let mut stored = Vec::new();
        for entry in folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let digest = digest_of(&name);
            if digest.is_none() && !draft::is_name(&name) {
                continue;
            }
            // The metadata of the entry itself: a link is not followed.
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            stored.push(StoreEntry {
                digest,
                is_file: metadata.is_file(),
                size: metadata.len(),
                modified: u64::try_from(metadata.mtime()).unwrap_or_default(),
                name,
            });
        }
        Ok(stored)
    }

    /// Removes a listed entry.
    pub fn remove_stored(&self, stored: &StoreEntry) -> io::Result<()> {
        self.remove_named(&stored.name)
    }

    /// Stores what `fill` writes, under the digest that it returns. When it fails, nothing is stored.
    ///
    /// # Errors
    /// The error of `fill`; an error of the store, converted by `failed`.
    pub fn store<T, E>(
        &self,
        failed: impl Fn(io::Error) -> E,
        fill: impl FnOnce(&mut FileDraft<'_>) -> Result<(Digest, T), E>,
    ) -> Result<T, E> {
        let folder = self.folder_to_fill().map_err(&failed)?;
        let mut draft = FileDraft::new(&folder, self.access).map_err(&failed)?;
        let (digest, result) = fill(&mut draft)?;
        draft.keep(&file_name(&digest)).map_err(failed)?;
        Ok(result)
    }

    /// Stores a file as [`Blobs::store`] does, and removes it again.
    pub fn try_out(&self) -> io::Result<()> {
        let folder = self.folder_to_fill()?;
        let mut draft = FileDraft::new(&folder, self.access)?;
        draft.write_all(b"tried out")?;
        draft.keep(TRIAL)?;
        match folder.remove_file(TRIAL) {
            // Another process tries it out too, and has removed the file.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Finds the first name in a store's folder that is not one of ours.
pub(crate) fn foreign(folder: &Dir) -> io::Result<Option<String>> {
    first_unknown(folder, |name| digest_of(name).is_some() || draft::is_name(name))
}

/// The name of a blob, and of the tree that is unpacked from it.
pub(crate) fn file_name(digest: &Digest) -> String {
    format!("{PREFIX}{}", digest.hex())
}

/// The digest in a name, if it is the name of a blob.
pub(crate) fn digest_of(name: &str) -> Option<Digest> {
    let hex = name.strip_prefix(PREFIX).filter(|hex| is_hex(hex, 64))?;
    format!("sha256:{hex}").parse().ok()
}

/// Sets a file's times to now: it is in use. Only housekeeping reads them, so a failure is ignored.
pub(crate) fn touch(file: impl AsFd) {
    let _ = nix::sys::stat::futimens(file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
}

/// Opens a folder of a registry, and makes it first if needed.
pub fn create_folder(dir: &Dir, name: &str, access: StoreAccess) -> io::Result<Dir> {
    folder::create(dir, name, access)?;
    dir.open_dir(name).map_err(|error| folder::explain(dir, name, error))
}
