//! The cache: files by digest, and the folders of running packages.
//!
//! It holds bytes, never approval: a cached blob is verified each time it is read, and a corrupt one is removed.

mod housekeeping;
pub(crate) mod marker;

use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;

use crate::blobs::Blobs;
use crate::blobs::touch;
use crate::compiled::CompiledFiles;
use crate::error::FolderPurpose;
use crate::error::StoreError;
use crate::folder::FolderGuard;
use crate::resolutions::Resolutions;
use crate::runs::Runs;
use crate::sources::SourceNotes;
use crate::stream;
use crate::stream::Halted;
use crate::stream::Timed;
use crate::trees::Trees;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::lock;
use smcp_model::lock::LockError;
use smcp_model::lock::Sharing;
use smcp_model::ownership::Caller;

/// A cache: the user's own, or one that root owns and the user only reads.
#[derive(Debug)]
pub struct Cache {
    root: Dir,
    guard: FolderGuard,
    blobs: Blobs,
    resolutions: Resolutions,
    sources: SourceNotes,
}

/// Keeps cached files of a running package, or of one about to run, from being removed while this value lives.
///
/// The system releases the locks however the process ends.
#[derive(Debug, Default)]
pub struct Lease {
    // INVARIANT: each file has a shared lock, taken before its name could be removed.
    _files: Vec<std::fs::File>,
}

impl Cache {
    /// Opens the cache in `dir`, which is at the absolute `path`. An empty folder becomes a cache.
    ///
    /// # Errors
    /// When the folder has other contents than a cache, or when another user could change it.
    pub fn new(dir: Dir, path: &Path, caller: Caller) -> Result<Self, StoreError> {
        let guard = FolderGuard::new(caller, path);
        let failed = FolderPurpose::Cache.failed(path, "rely on it");
        guard.check(&dir).map_err(failed)?;
        let another_handle = || dir.try_clone().map_err(FolderPurpose::Cache.failed(path, "open it"));
        let blobs = Blobs::private(another_handle()?, guard.clone());
        let resolutions = Resolutions::new(another_handle()?, path, caller);
        let sources = SourceNotes::new(another_handle()?, path, caller);
        for (folder, _) in marker::FOLDERS {
            match guard.look_at(&dir, folder) {
                // A folder that can't be read is not used.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                checked => checked.map_err(failed)?,
            }
        }
        marker::ensure_cache(&dir, &guard).map_err(FolderPurpose::Cache.failed(path, "look into it"))?;
        Ok(Self { root: dir, guard, blobs, resolutions, sources })
    }

    /// Opens the folder of all runs, and makes it first if needed.
    ///
    /// # Errors
    /// When it can't be made, or when another user could change it.
    pub fn runs(&self) -> Result<Runs, StoreError> {
        Runs::new(&self.root, &self.guard)
    }

    /// Removes the folders of dead runs, if there is a folder of runs.
    pub fn sweep(&self) {
        match Runs::existing(&self.root, &self.guard) {
            Ok(runs) => runs.iter().for_each(Runs::sweep),
            Err(error) => tracing::warn!(%error, "the folders of ended runs could not be looked at"),
        }
    }

    /// Opens the folder of kept trees; `None` when there is none.
    ///
    /// # Errors
    /// When it can't be opened, or when another user could change it.
    pub fn trees(&self) -> io::Result<Option<Trees>> {
        Trees::existing(&self.root, &self.guard)
    }

    /// Opens the folder of kept trees, and makes it first if needed.
    ///
    /// # Errors
    /// When it can't be made, or when another user could change it.
    pub fn make_trees(&self) -> io::Result<Trees> {
        Trees::make(&self.root, &self.guard)
    }

    /// Opens the compiled files; `None` when there is no folder of them.
    ///
    /// # Errors
    /// When the folder can't be opened, or another user could change it.
    pub fn compiled(&self) -> io::Result<Option<CompiledFiles>> {
        CompiledFiles::open(&self.root, &self.guard)
    }

    /// Opens the compiled files, and makes their folder first if needed.
    ///
    /// # Errors
    /// When it can't be made or opened, or another user could change it.
    pub fn make_compiled(&self) -> io::Result<CompiledFiles> {
        CompiledFiles::make(&self.root, &self.guard)
    }

    /// The path of the cache.
    pub(crate) fn path(&self) -> &Path {
        self.guard.path()
    }

    /// Returns a converter of I/O errors while `doing` something with the cache. A [`StoreError`] inside of one is
    /// returned as it is.
    pub fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> StoreError + Copy {
        FolderPurpose::Cache.failed(self.path(), doing)
    }

    /// The kept answers of registries.
    pub const fn resolutions(&self) -> &Resolutions {
        &self.resolutions
    }

    /// The notes about remote sources of policies.
    pub const fn sources(&self) -> &SourceNotes {
        &self.sources
    }

    /// Keeps files from being removed; `None` when one of them was removed already.
    ///
    /// # Errors
    /// When one of them can't be opened or locked, or another process keeps one locked until the deadline.
    pub fn lease(&self, digests: &[Digest], deadline: &Deadline) -> Result<Option<Lease>, StoreError> {
        let failed = self.failed("lock a cached file");
        let mut files = Vec::new();
        for digest in digests {
            let Some(file) = self.open(digest)? else { return Ok(None) };
            let file = file.into_std();
            // A process that removes the file holds its lock only for a moment.
            let file = lock::lock_by(file, Sharing::Shared, deadline).map_err(|error| match error {
                LockError::Held(expired) => Halted::from(expired).into(),
                LockError::System(cause) => failed(cause),
            })?;
            if !lock::is_named(&file).map_err(failed)? {
                return Ok(None);
            }
            files.push(file);
        }
        Ok(Some(Lease { _files: files }))
    }

    /// Stores a file as a run does, and removes it again.
    ///
    /// # Errors
    /// When it can't be stored.
    pub fn try_out(&self) -> Result<(), StoreError> {
        for stored in self.blobs.list().map_err(self.failed("list it"))? {
            if let (Some(digest), false) = (stored.digest, stored.is_file) {
                self.open(&digest)?;
            }
        }
        self.blobs.try_out().map_err(self.failed("write to it"))
    }

    /// Whether it has any files of packages.
    pub fn has_packages(&self) -> bool {
        self.blobs.list().is_ok_and(|stored| stored.iter().any(|file| file.digest.is_some()))
    }

    /// The store of blobs.
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Returns another handle of the blobs, for whoever reads one after this cache is gone.
    ///
    /// # Errors
    /// When the system has no more handles.
    pub fn handle(&self) -> Result<Blobs, StoreError> {
        let root = self.root.try_clone().map_err(self.failed("open it again"))?;
        Ok(Blobs::private(root, self.guard.clone()))
    }

    /// Opens a blob, not yet verified.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(&self, digest: &Digest) -> Result<Option<File>, StoreError> {
        self.blobs.open(digest).map_err(self.failed("open a cached file"))
    }

    /// Reads a blob of at most `limit` bytes that has the right digest. A corrupt one is removed, and the result is `None`; so it
    /// is for one that is longer, which may be somebody else's, or can't be read.
    pub fn read(&self, digest: &Digest, limit: usize) -> Option<Vec<u8>> {
        let file = self.open(digest).ok()??;
        let bytes = bounded::read_within(&file, limit, 0).ok()??;
        if Digest::of(&bytes) == *digest {
            touch(&file);
            return Some(bytes);
        }
        tracing::warn!(%digest, "a cached file was corrupt and is fetched again");
        // One that stays is found corrupt again.
        drop(self.remove(digest));
        None
    }

    /// Removes a blob.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        self.blobs.remove(digest).map_err(self.failed("remove a corrupt file"))
    }

    /// Returns the length of a cached blob with the right digest. A corrupt one is removed, and the result is `None`.
    ///
    /// # Errors
    /// When it can't be read, or the deadline passes.
    pub fn verify(&self, digest: &Digest, deadline: &Deadline) -> Result<Option<u64>, StoreError> {
        let Some(file) = self.open(digest)? else { return Ok(None) };
        let mut sink = stream::HashedWriter::new(io::sink());
        let failed = self.failed("read a cached file");
        stream::copy(&mut Timed::new(&file, deadline), &mut sink, failed, failed)?;
        let (found, size) = sink.finish();
        if found == *digest {
            touch(&file);
            return Ok(Some(size));
        }
        tracing::warn!(%digest, %found, "a cached file was corrupt and is fetched again");
        self.remove(digest)?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
