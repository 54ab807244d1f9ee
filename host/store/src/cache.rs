//! The cache: verified files by digest, and the folders of what runs.
//!
//! It holds bytes, never approval: a cached blob is verified each time it is read, and a corrupt one is dropped.

mod housekeeping;
pub(crate) mod marker;

use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;

use crate::blobs::Blobs;
use crate::blobs::touch;
use crate::error::FolderPurpose;
use crate::error::StoreError;
use crate::folder::FolderGuard;
use crate::lock;
use crate::resolutions::Resolutions;
use crate::runs;
use crate::runs::Runs;
use crate::stream;
use crate::stream::Timed;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::ownership::Caller;

/// A cache: the user's own, or one of root's, which is only read.
#[derive(Debug)]
pub struct Cache {
    root: Dir,
    guard: FolderGuard,
    blobs: Blobs,
    resolutions: Resolutions,
}

/// Files of the cache that nobody removes while this lives: those of what runs, or is about to.
///
/// The system lets go of it however the process ends.
#[derive(Debug, Default)]
pub struct Lease {
    // INVARIANT: each locked, for reading, while it had a name.
    _files: Vec<std::fs::File>,
}

impl Cache {
    /// The cache in `dir`, which is at the absolute `path`; an empty folder becomes one.
    ///
    /// # Errors
    /// When it is no cache but somebody's folder, and when somebody else could change what is in it.
    pub fn new(dir: Dir, path: &Path, caller: Caller) -> Result<Self, StoreError> {
        let guard = FolderGuard::new(caller, path);
        let failed = FolderPurpose::Cache.failed(path, "rely on it");
        guard.check(&dir).map_err(failed)?;
        let again = || dir.try_clone().map_err(FolderPurpose::Cache.failed(path, "open it"));
        let blobs = Blobs::private(again()?, guard.clone());
        let resolutions = Resolutions::new(again()?, path, caller);
        for checked in [blobs.check(), resolutions.check(), guard.open(&dir, runs::FOLDER).map(drop)] {
            match checked {
                // What may not be looked into is not used.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                checked => checked.map_err(failed)?,
            }
        }
        marker::ensure_cache(&dir, &guard).map_err(FolderPurpose::Cache.failed(path, "look into it"))?;
        Ok(Self { root: dir, guard, blobs, resolutions })
    }

    /// The folders of runs in it, made when there are none.
    ///
    /// # Errors
    /// When they can't be made, or when somebody else could change them.
    pub fn runs(&self) -> Result<Runs, StoreError> {
        Runs::new(&self.root, &self.guard)
    }

    /// Removes what dead runs left in it.
    fn sweep(&self) {
        match Runs::existing(&self.root, &self.guard) {
            Ok(runs) => runs.iter().for_each(Runs::sweep),
            Err(error) => tracing::warn!(%error, "the folders of ended runs could not be looked at"),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.guard.path()
    }

    /// What turns a failure while `doing` something with it into ours; what was found out already stays what it is.
    pub fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> StoreError + Copy {
        FolderPurpose::Cache.failed(self.path(), doing)
    }

    /// What registries have answered.
    pub const fn resolutions(&self) -> &Resolutions {
        &self.resolutions
    }

    /// Keeps files from being removed; none when one of them was removed already.
    ///
    /// # Errors
    /// When one of them can't be opened or locked, or somebody keeps one locked for longer than the deadline.
    pub fn lease(&self, digests: &[Digest], deadline: &Deadline) -> Result<Option<Lease>, StoreError> {
        let failed = self.failed("lock a cached file");
        let mut files = Vec::new();
        for digest in digests {
            let Some(file) = self.open(digest)? else { return Ok(None) };
            let file = file.into_std();
            // Whoever removes it is done in a moment.
            lock::shared(&file, deadline).map_err(failed)?;
            if !lock::is_there(&file).map_err(failed)? {
                return Ok(None);
            }
            files.push(file);
        }
        Ok(Some(Lease { _files: files }))
    }

    /// Keeps a file as a run does, and removes it again.
    ///
    /// # Errors
    /// When it can't be kept.
    pub fn try_out(&self) -> Result<(), StoreError> {
        for stored in self.blobs.list().map_err(self.failed("list it"))? {
            if let (Some(digest), false) = (stored.digest, stored.is_file) {
                self.open(&digest)?;
            }
        }
        self.blobs.try_out().map_err(self.failed("write to it"))
    }

    /// Whether it has anything that could run.
    pub fn has_packages(&self) -> bool {
        self.blobs.list().is_ok_and(|stored| stored.iter().any(|file| file.digest.is_some()))
    }

    /// The store of blobs.
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Opens a blob, not yet verified.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(&self, digest: &Digest) -> Result<Option<File>, StoreError> {
        self.blobs.open(digest).map_err(self.failed("open a cached file"))
    }

    /// Drops a blob.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        self.blobs.remove(digest).map_err(self.failed("remove a corrupt file"))
    }

    /// The length of a cached blob that is what its name says. A corrupt one is dropped and counts as absent.
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
