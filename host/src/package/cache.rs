//! The cache: verified files by digest, and the folders of running packages.
//!
//! It holds bytes, never approval: a cached blob is verified each time it is read, and a corrupt one is dropped.

mod housekeeping;

use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;

use crate::model::deadline::Deadline;
use crate::model::digest::Digest;
use crate::model::limits;
use crate::model::package::ResolvedPackage;
use crate::package::blobs::Access;
use crate::package::blobs::Blobs;
use crate::package::blobs::create_folder;
use crate::package::blobs::touch;
use crate::package::error::PackageError;
use crate::package::resolutions::Resolutions;
use crate::package::runs::RunFolder;
use crate::package::runs::Runs;
use crate::package::stream;
use crate::package::stream::Timed;

const RUNS: &str = "runs";

/// A cache of packages, for its owner alone.
#[derive(Debug)]
pub struct Cache {
    blobs: Blobs,
    resolutions: Resolutions,
    runs: Runs,
}

/// Files of the cache that nobody removes while this lives: those of a package that runs, or is about to.
///
/// The system lets go of it however the process ends.
#[derive(Debug, Default)]
pub struct Lease {
    // INVARIANT: each locked, for reading, while it had a name.
    _files: Vec<std::fs::File>,
}

impl Cache {
    /// The cache in `dir`, which is at the absolute `path`. What killed runs left in it is removed.
    ///
    /// # Errors
    /// When its folders can't be made, or when somebody else could change what is in it.
    pub fn new(dir: Dir, path: &Path) -> Result<Self, PackageError> {
        check_owner(&dir).map_err(PackageError::cache("rely on it"))?;
        let runs = create_folder(&dir, RUNS, Access::Private).map_err(PackageError::cache("make a folder in it"))?;
        let runs = Runs::new(runs, path.join(RUNS));
        runs.sweep();
        let again = dir.try_clone().map_err(PackageError::cache("open it"))?;
        Ok(Self { blobs: Blobs::new(dir, Access::Private), resolutions: Resolutions::new(again), runs })
    }

    /// What registries have answered.
    pub const fn resolutions(&self) -> &Resolutions {
        &self.resolutions
    }

    /// Keeps a package's files from being removed; none when one of them was removed already.
    ///
    /// # Errors
    /// When one of them can't be opened or locked, or somebody keeps one locked for longer than the deadline.
    pub fn lease(&self, package: &ResolvedPackage, deadline: &Deadline) -> Result<Option<Lease>, PackageError> {
        let failed = PackageError::cache("lock a cached file");
        let mut files = Vec::new();
        for digest in [&package.manifest_digest, &package.bundle_digest] {
            let Some(file) = self.open(digest)? else { return Ok(None) };
            let file = file.into_std();
            // Whoever removes it is done in a moment; the system's own wait would have no end.
            loop {
                match file.try_lock_shared() {
                    Ok(()) => break,
                    Err(TryLockError::WouldBlock) => {
                        deadline.check()?;
                        std::thread::sleep(limits::LEASE_PAUSE);
                    }
                    Err(TryLockError::Error(error)) => return Err(failed(error)),
                }
            }
            // Whoever had the lock before may have removed it.
            if file.metadata().map_err(failed)?.nlink() == 0 {
                return Ok(None);
            }
            files.push(file);
        }
        Ok(Some(Lease { _files: files }))
    }

    /// Tries what a run needs of it: to keep a file, and a folder of its own. Leaves neither.
    ///
    /// # Errors
    /// When one of them can't be made.
    pub fn try_out(&self) -> Result<(), PackageError> {
        self.blobs.try_out().map_err(PackageError::cache("write to it"))?;
        self.run_folder().map(drop)
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

    /// A new folder that nobody else has, for one run.
    pub(super) fn run_folder(&self) -> Result<RunFolder, PackageError> {
        self.runs.folder()
    }
}

/// What runs is unpacked in the cache, so nobody but this user, or root, may be able to put something else there.
fn check_owner(dir: &Dir) -> io::Result<()> {
    const OTHERS_WRITE: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    let metadata = dir.dir_metadata()?;
    let refuse = |problem: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    if ![0, nix::unistd::geteuid().as_raw()].contains(&metadata.uid()) {
        return refuse(format!("it belongs to another user (uid {}), who could change what runs", metadata.uid()));
    }
    if metadata.mode() & OTHERS_WRITE != 0 && metadata.mode() & STICKY == 0 {
        // Who may rename `runs` may put another in its place before a server is started in it.
        return refuse("others may write there, and could change what runs; chmod go-w helps".to_owned());
    }
    Ok(())
}
