//! Files under the names of their digests: `blobs/sha256-<hex>`.
//!
//! In a cache and in a directory registry alike.

use std::io;
use std::io::Write as _;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use nix::sys::time::TimeSpec;

use crate::draft;
use crate::draft::FileDraft;
use crate::draft::is_hex;
use crate::file::open_file;
use crate::folder;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use smcp_model::digest::Digest;

/// Where the files are, in a cache and in a registry.
pub(crate) const FOLDER: &str = "blobs";
/// How the name of a file begins; its digest follows in 64 lower-case hex digits.
const PREFIX: &str = "sha256-";
/// The file that is made where a cache is tried out.
const TRIAL: &str = ".draft-0000000000000000";

/// Who may read what is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAccess {
    /// The owner alone.
    Private,
    /// Whoever the umask of the process lets: a team with a common group publishes into one registry. Never everybody:
    /// a registry that everybody may write to is believed by nobody.
    Shared,
}

impl StoreAccess {
    /// The mode that a folder is made with.
    pub const fn folder_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Shared => 0o775,
        }
    }

    /// The mode that a file is made with; the umask of the process takes from it.
    pub const fn file_mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Shared => 0o664,
        }
    }
}

/// Something in a store that has one of our names, looked at from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The digest that its name stands for; none for the name of an unfinished file.
    pub digest: Option<Digest>,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Its length, bytes.
    pub size: u64,
    /// When it was written or touched, in seconds since the Unix epoch.
    pub modified: u64,
    name: String,
}

/// A store of files by digest.
#[derive(Debug)]
pub struct Blobs {
    root: Dir,
    access: StoreAccess,
    /// Who may own and write the store; in a registry that is not this process's business.
    guard: Option<FolderGuard>,
}

impl Blobs {
    /// That of a registry.
    pub const fn shared(root: Dir) -> Self {
        Self { root, access: StoreAccess::Shared, guard: None }
    }

    /// That of a cache, which is guarded.
    pub const fn private(root: Dir, guard: FolderGuard) -> Self {
        Self { root, access: StoreAccess::Private, guard: Some(guard) }
    }

    /// The folder of all files; `None` when it isn't there.
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

    /// The folder of all files, made first when it isn't there.
    fn folder_to_fill(&self) -> io::Result<Dir> {
        match &self.guard {
            Some(guard) => guard.make(&self.root, FOLDER).map(|(folder, _)| folder),
            None => create_folder(&self.root, FOLDER, self.access),
        }
    }

    /// Checks the folder, if it is there.
    pub fn check(&self) -> io::Result<()> {
        self.folder().map(drop)
    }

    /// Opens a blob, not yet verified; `None` when it isn't there.
    pub fn open(&self, digest: &Digest) -> io::Result<Option<File>> {
        self.folder()?.map_or(Ok(None), |folder| open_file(&folder, &file_name(digest)))
    }

    /// Removes a blob; one that isn't there is removed already.
    pub fn remove(&self, digest: &Digest) -> io::Result<()> {
        self.remove_named(&file_name(digest))
    }

    /// Removes what stands in a blob's place: a file, a link, an empty folder. We make no folder there, so one with
    /// something in it is somebody's.
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

    /// Everything in the store that has a name of ours. What is gone before it could be looked at is not in it.
    pub fn list(&self) -> io::Result<Vec<StoredFile>> {
        let Some(folder) = self.folder()? else { return Ok(Vec::new()) };
        let mut stored = Vec::new();
        for entry in folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let digest = digest_of(&name);
            if digest.is_none() && !draft::is_name(&name) {
                continue;
            }
            // Of the entry itself: a link is not followed.
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            stored.push(StoredFile {
                digest,
                is_file: metadata.is_file(),
                size: metadata.len(),
                modified: u64::try_from(metadata.mtime()).unwrap_or_default(),
                name,
            });
        }
        Ok(stored)
    }

    /// Removes something that was listed.
    pub fn remove_stored(&self, stored: &StoredFile) -> io::Result<()> {
        self.remove_named(&stored.name)
    }

    /// Keeps what `fill` writes, under the digest that it returns. When it fails, nothing is kept.
    ///
    /// # Errors
    /// What `fill` returns, and what `failed` makes of a failure of the store.
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

    /// Keeps a file as [`Blobs::store`] does, and removes it again.
    pub fn try_out(&self) -> io::Result<()> {
        let folder = self.folder_to_fill()?;
        let mut draft = FileDraft::new(&folder, self.access)?;
        draft.write_all(b"tried out")?;
        draft.keep(TRIAL)?;
        match folder.remove_file(TRIAL) {
            // Somebody else tries it out too.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The first name in a store's folder that is none of ours.
pub(crate) fn foreign(folder: &Dir) -> io::Result<Option<String>> {
    first_unknown(folder, |name| digest_of(name).is_some() || draft::is_name(name))
}

fn file_name(digest: &Digest) -> String {
    format!("{PREFIX}{}", digest.hex())
}

/// The digest that a name stands for, if it is the name of a blob.
fn digest_of(name: &str) -> Option<Digest> {
    let hex = name.strip_prefix(PREFIX).filter(|hex| is_hex(hex, 64))?;
    format!("sha256:{hex}").parse().ok()
}

/// Notes that a file is in use now. Its age is for housekeeping alone, so one that can't be renewed is no failure.
pub(crate) fn touch(file: &File) {
    let _ = nix::sys::stat::futimens(file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
}

/// Opens a folder of a registry, made first when it isn't there.
pub fn create_folder(dir: &Dir, name: &str, access: StoreAccess) -> io::Result<Dir> {
    folder::create(dir, name, access)?;
    dir.open_dir(name).map_err(|error| folder::explain(dir, name, error))
}
