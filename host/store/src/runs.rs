//! The folders of running packages: one for each run, removed at its end.
//!
//! They are in the cache, or in a folder of the configuration. `unpack` fills them. Beside each folder is a lock file,
//! made before the folder, removed after it, and locked by the run for its whole life. The system releases the lock
//! however the run ends, so a process that gets the lock knows that the run is dead, and removes the folder.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io;
use std::io::Write as _;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;

use crate::access::StoreAccess;
use crate::draft::is_hex;
use crate::error::FolderProblem;
use crate::error::FolderPurpose;
use crate::error::StoreError;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use crate::removal::remove_folder;
use smcp_model::limits;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Untrusted;

/// The folder of all runs, in the cache or elsewhere.
pub(crate) const FOLDER: &str = "runs";
/// The end of a lock file's name; the rest is the name of its folder, 16 lower-case hex digits.
const LOCK: &str = ".lock";

/// The folder of all runs.
#[derive(Debug)]
pub struct Runs {
    dir: Dir,
    guard: FolderGuard,
}

impl Runs {
    /// Opens the folder of all runs in `dir`, which is at the absolute `path`, and makes it first if needed.
    ///
    /// # Errors
    /// When it can't be made, or when another user could change it, or `dir`.
    pub fn at(dir: &Dir, path: &Path, caller: Caller) -> Result<Self, StoreError> {
        let guard = FolderGuard::new(caller, path);
        guard.check(dir).map_err(FolderPurpose::Runs.failed(path, "rely on it"))?;
        Self::new(dir, &guard)
    }

    /// Opens the folder of all runs in a checked folder, and makes it first if needed.
    pub(crate) fn new(dir: &Dir, guard: &FolderGuard) -> Result<Self, StoreError> {
        let failed = FolderPurpose::Runs.failed(guard.path(), "make a folder in it");
        guard.make(dir, FOLDER).map(|(dir, guard)| Self { dir, guard }).map_err(failed)
    }

    /// Opens the folder of all runs in a checked folder; `None` when it does not exist.
    pub(crate) fn existing(dir: &Dir, guard: &FolderGuard) -> io::Result<Option<Self>> {
        Ok(guard.open(dir, FOLDER)?.map(|(dir, guard)| Self { dir, guard }))
    }

    /// Removes the folders of dead runs. One that can't be removed stays for the next sweep.
    pub fn sweep(&self) {
        if let Err(error) = self.sweep_all() {
            tracing::warn!(path = %self.guard.path().display(), %error, "the folders of ended runs could not be listed");
        }
    }

    fn sweep_all(&self) -> io::Result<()> {
        for entry in self.dir.entries()? {
            let file_name = entry?.file_name();
            let Some(name) = file_name.to_str().and_then(run_of_lock) else { continue };
            match RunLock::existing(&self.dir, name).and_then(|lock| lock.map_or(Ok(()), |lock| lock.release())) {
                Ok(()) => {}
                Err(error) => tracing::warn!(%name, %error, "the folder of an ended run could not be removed"),
            }
        }
        Ok(())
    }

    /// Makes a new folder for one run.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn folder(&self) -> Result<RunFolder, StoreError> {
        let failed = FolderPurpose::Runs.failed(self.guard.path(), "make a folder for the run");
        let lock = loop {
            // A random name, so not that of an earlier run, whose server may outlive a killed smcp.
            let name = format!("{:016x}", RandomState::new().hash_one(LOCK));
            if let Some(lock) = RunLock::new(&self.dir, &name).map_err(failed)? {
                break lock;
            }
        };
        let mut private = DirBuilder::new();
        private.mode(StoreAccess::Private.folder_mode());
        let folder = RunFolder { guard: self.guard.inside(&lock.name), lock };
        self.dir.create_dir_with(&folder.lock.name, &private).map_err(failed)?;
        Ok(folder)
    }
}

/// Returns the name of the folder that a lock file belongs to, if the file is one of ours.
fn run_of_lock(name: &str) -> Option<&str> {
    name.strip_suffix(LOCK).filter(|name| is_hex(name, 16))
}

/// Finds the first name in the folder of all runs that is not one of ours.
pub(crate) fn foreign(all: &Dir) -> io::Result<Option<String>> {
    first_unknown(all, |name| is_hex(name, 16) || run_of_lock(name).is_some())
}

/// The lock of a run's folder: the right to use it, and to remove it.
#[derive(Debug)]
struct RunLock {
    dir: Dir,
    name: String,
    // INVARIANT: the file beside the folder, locked since it was opened. Closed last.
    _file: std::fs::File,
}

impl RunLock {
    /// Takes the lock of a folder that does not exist yet; `None` when the name is taken.
    fn new(dir: &Dir, name: &str) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(StoreAccess::Private.file_mode());
        Self::of(dir, name, &options, io::ErrorKind::AlreadyExists)
    }

    /// Takes the lock of a folder that a dead run left; `None` while the run lives, or when the lock file is gone.
    fn existing(dir: &Dir, name: &str) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.write(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
        Self::of(dir, name, &options, io::ErrorKind::NotFound)
    }

    fn of(dir: &Dir, name: &str, options: &OpenOptions, taken: io::ErrorKind) -> io::Result<Option<Self>> {
        let file = match dir.open_with(format!("{name}{LOCK}"), options) {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == taken => return Ok(None),
            Err(error) => return Err(error),
        };
        // The process that had the lock before may have removed the file, and the lock is worth nothing then.
        if !lock::try_lock(&file, Sharing::Exclusive)? || !lock::is_named(&file)? {
            return Ok(None);
        }
        Ok(Some(Self { dir: dir.try_clone()?, name: name.to_owned(), _file: file }))
    }

    /// Removes the folder, then its lock file.
    fn release(&self) -> io::Result<()> {
        remove_folder(&self.dir, &self.name)?;
        self.dir.remove_file(format!("{}{LOCK}", self.name))
    }
}

/// The folder of one run, removed with its contents when dropped.
#[derive(Debug)]
pub struct RunFolder {
    lock: RunLock,
    guard: FolderGuard,
}

impl RunFolder {
    /// Opens the folder, and checks that it belongs to this user, as the one that was made.
    ///
    /// # Errors
    /// When it can't be opened, or belongs to another user.
    pub fn open(&self) -> Result<Dir, StoreError> {
        let failed = self.failed("open it");
        let dir = self.lock.dir.open_dir(&self.lock.name).map_err(failed)?;
        self.guard.check(&dir).map_err(failed)?;
        let owner = dir.dir_metadata().map_err(failed)?.uid();
        if owner == self.guard.caller().uid() {
            Ok(dir)
        } else {
            Err(StoreError::from(FolderProblem::Exposed(Untrusted::Foreign { uid: owner }).at(self.path())))
        }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        self.guard.path()
    }

    /// Gives the folder another place, on the same file system, where it is not removed with the run.
    ///
    /// # Errors
    /// When it can't have that place; it stays where it is.
    pub(crate) fn rename(self, target: &Dir, name: &str) -> Result<(), (Self, io::Error)> {
        match self.lock.dir.rename(&self.lock.name, target, name) {
            // Dropping removes the lock file, and finds no folder.
            Ok(()) => Ok(()),
            Err(error) => Err((self, error)),
        }
    }

    /// Returns a converter of I/O errors while `doing` something in the folder. A [`StoreError`] inside of one is
    /// returned as it is.
    pub fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> StoreError + Copy {
        FolderPurpose::Runs.failed(self.path(), doing)
    }

    /// Writes a file into the folder, as unpacking does. It is removed with the folder.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn try_out(&self) -> Result<(), StoreError> {
        let failed = self.failed("write to it");
        let dir = self.open()?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(StoreAccess::Private.file_mode());
        let mut file = dir.open_with("probe", &options).map_err(failed)?;
        file.write_all(&[0; limits::trees::RUN_PROBE]).and_then(|()| file.sync_data()).map_err(failed)
    }

    /// Whether the programs of a bundle can't be started here, because the file system is mounted noexec.
    pub fn is_noexec(&self) -> bool {
        let flag = nix::sys::statvfs::FsFlags::ST_NOEXEC;
        self.open().is_ok_and(|dir| nix::sys::statvfs::fstatvfs(&dir).is_ok_and(|found| found.flags().contains(flag)))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if let Err(error) = self.lock.release() {
            tracing::warn!(path = %self.path().display(), %error, "the folder of a run could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;
    use smcp_bed::caller;

    fn bed() -> (tempfile::TempDir, Runs) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let runs = Runs { dir, guard: FolderGuard::new(caller(), temp.path()) };
        (temp, runs)
    }

    fn names(runs: &Runs) -> Vec<String> {
        let entries = runs.dir.entries().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_lives_as_long_as_its_run() {
        let (_temp, runs) = bed();
        let (first, second) = (runs.folder().unwrap(), runs.folder().unwrap());
        first.open().unwrap().write("file", "x").unwrap();
        assert_ne!(first.path(), second.path());
        runs.sweep();
        assert_eq!(first.open().unwrap().read_to_string("file").unwrap(), "x", "a live run's folder is not swept");
        assert_eq!(names(&runs).len(), 4);
        drop(first);
        assert_eq!(names(&runs).len(), 2);
        drop(second);
        assert_eq!(names(&runs), [""; 0]);
    }

    #[test]
    fn what_dead_runs_left_is_swept_and_nothing_else() {
        let (_temp, runs) = bed();
        // Three dead runs: with a lock file only, with an empty folder, with files in it.
        let [early, empty, full] = ["0123456789abcde0", "0123456789abcde1", "0123456789abcde2"];
        for name in [early, empty, full] {
            runs.dir.write(format!("{name}.lock"), "").unwrap();
        }
        runs.dir.create_dir(empty).unwrap();
        runs.dir.create_dir_all(format!("{full}/inner")).unwrap();
        runs.dir.write(format!("{full}/inner/file"), "x").unwrap();
        // Not made by smcp: names of other lengths, with other digits, without a lock.
        let foreign = ["0123456789ABCDEF", "0123456789abcde", "0123456789abcdefa", "train", ""];
        for name in foreign {
            runs.dir.write(format!("{name}.lock"), "").unwrap();
        }
        for name in ["train", "0123456789ABCDEF", "fedcba9876543210"] {
            runs.dir.create_dir(name).unwrap();
        }
        let mut kept: Vec<String> = foreign.iter().map(|name| format!("{name}.lock")).collect();
        kept.extend(["train", "0123456789ABCDEF", "fedcba9876543210"].map(str::to_owned));
        kept.sort();
        runs.sweep();
        assert_eq!(names(&runs), kept);
    }

    #[test]
    fn a_name_is_given_once_and_a_right_to_a_removed_folder_is_none() {
        let (_temp, runs) = bed();
        let lock = RunLock::new(&runs.dir, "name").unwrap().unwrap();
        assert!(RunLock::new(&runs.dir, "name").unwrap().is_none());
        assert!(RunLock::existing(&runs.dir, "name").unwrap().is_none(), "it is locked");
        lock.release().unwrap();
        assert!(RunLock::existing(&runs.dir, "name").unwrap().is_none(), "it is gone");
        assert!(RunLock::new(&runs.dir, "name").unwrap().is_some(), "though the first lock is still held");
    }
}
