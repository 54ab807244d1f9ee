//! The cache: verified files by digest, and the folders of running packages.
//!
//! It holds bytes, never approval: a cached blob is verified each time it is read, and a corrupt one is dropped.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use cap_std::fs::File;

use crate::model::deadline::Deadline;
use crate::model::digest::Digest;
use crate::package::blobs::Access;
use crate::package::blobs::Blobs;
use crate::package::blobs::create_folder;
use crate::package::error::PackageError;
use crate::package::stream;
use crate::package::stream::Timed;

const RUNS: &str = "runs";

/// A cache of packages, for its owner alone.
#[derive(Debug)]
pub struct Cache {
    blobs: Blobs,
    runs: Dir,
    path: PathBuf,
}

impl Cache {
    /// The cache in `dir`, which is at the absolute `path`.
    ///
    /// # Errors
    /// When its folders can't be made.
    pub fn new(dir: Dir, path: &Path) -> Result<Self, PackageError> {
        let runs = create_folder(&dir, RUNS, Access::Private).map_err(PackageError::cache("make a folder in it"))?;
        Ok(Self { blobs: Blobs::new(dir, Access::Private), runs, path: path.to_path_buf() })
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
        let failed = PackageError::cache("make a folder for the run");
        let mut private = DirBuilder::new();
        private.mode(Access::Private.folder_mode());
        let process = std::process::id();
        for attempt in 0_u32.. {
            let name = format!("{process}-{attempt}");
            match self.runs.create_dir_with(&name, &private) {
                Ok(()) => {
                    let folder = RunFolder {
                        parent: self.runs.try_clone().map_err(failed)?,
                        path: self.path.join(RUNS).join(&name),
                        name,
                    };
                    return Ok(folder);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }
}

/// A folder of one run, removed with everything in it when dropped.
#[derive(Debug)]
pub(super) struct RunFolder {
    parent: Dir,
    name: String,
    path: PathBuf,
}

impl RunFolder {
    /// Opens it.
    pub(super) fn open(&self) -> Result<Dir, PackageError> {
        self.parent.open_dir(&self.name).map_err(PackageError::cache("open the run's folder"))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if let Err(error) = self.parent.remove_dir_all(&self.name) {
            tracing::warn!(path = %self.path.display(), %error, "the folder of a run could not be removed");
        }
    }
}
