//! The cache: verified files by digest, and the folders of running packages.
//!
//! It holds bytes, never approval: a cached blob is verified each time it is read, and a corrupt one is dropped.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;

use crate::model::deadline::Deadline;
use crate::model::digest::Digest;
use crate::package::blobs::Access;
use crate::package::blobs::Blobs;
use crate::package::blobs::create_folder;
use crate::package::error::PackageError;
use crate::package::runs::RunFolder;
use crate::package::runs::Runs;
use crate::package::stream;
use crate::package::stream::Timed;

const RUNS: &str = "runs";

/// A cache of packages, for its owner alone.
#[derive(Debug)]
pub struct Cache {
    blobs: Blobs,
    runs: Runs,
}

impl Cache {
    /// The cache in `dir`, which is at the absolute `path`. What killed runs left in it is removed.
    ///
    /// # Errors
    /// When its folders can't be made.
    pub fn new(dir: Dir, path: &Path) -> Result<Self, PackageError> {
        let runs = create_folder(&dir, RUNS, Access::Private).map_err(PackageError::cache("make a folder in it"))?;
        let runs = Runs::new(runs, path.join(RUNS));
        runs.sweep();
        Ok(Self { blobs: Blobs::new(dir, Access::Private), runs })
    }

    /// The store of blobs.
    pub(super) const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Opens a blob, not yet verified.
    pub(super) fn open(&self, digest: &Digest) -> Result<Option<File>, PackageError> {
        self.blobs.open(digest).map_err(PackageError::cache("open a cached file"))
    }

    /// Drops a blob.
    pub(super) fn remove(&self, digest: &Digest) -> Result<(), PackageError> {
        self.blobs.remove(digest).map_err(PackageError::cache("remove a corrupt file"))
    }

    /// The length of a cached blob that is what its name says. A corrupt one is dropped and counts as absent.
    pub(super) fn verify(&self, digest: &Digest, deadline: &Deadline) -> Result<Option<u64>, PackageError> {
        let Some(file) = self.open(digest)? else { return Ok(None) };
        let mut sink = stream::HashedWriter::new(io::sink());
        let failed = PackageError::cache("read a cached file");
        stream::copy(&mut Timed::new(file, deadline), &mut sink, failed, failed)?;
        let (found, size) = sink.finish();
        if found == *digest {
            return Ok(Some(size));
        }
        tracing::warn!(%digest, %found, "a cached file was corrupt and is fetched again");
        self.remove(digest)?;
        Ok(None)
    }

    /// A new folder that nobody else has, for one run.
    pub(super) fn run_folder(&self) -> Result<RunFolder, PackageError> {
        self.runs.folder()
    }
}
