//! The folder of a log, and the checks that other users can't write to it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use cap_std::fs::Metadata;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::AuditError;
use crate::names::LogNames;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::lock::LockError;
use smcp_model::lock::Sharing;
use smcp_model::lock::lock_by;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;
use smcp_model::ownership::Untrusted;

const STICKY: u32 = 0o1000;

/// The folder of a log. Only the caller and root may write to it.
#[derive(Debug)]
pub(super) struct LogFolder {
    dir: Dir,
    path: PathBuf,
    caller: Caller,
    /// The names of the log's files.
    pub(super) names: LogNames,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenMode {
    /// Opens an existing file for reading.
    Read,
    /// Opens an existing file for reading and writing.
    Write,
    /// The same, and makes the file if it does not exist.
    Create,
    /// Makes a file that must not exist.
    CreateNew,
}

impl LogFolder {
    /// The folder of the log whose absolute path is `log`; `dir` is the opened folder.
    ///
    /// # Errors
    /// [`AuditError::Unsafe`] when other users could replace the log.
    pub(super) fn new(dir: Dir, log: &Path, caller: Caller) -> Result<Self, AuditError> {
        let name = log.file_name().and_then(|name| name.to_str());
        let (Some(path), Some(name)) = (log.parent(), name) else {
            return Err(AuditError::Unnamed { path: log.to_path_buf() });
        };
        let metadata = dir.dir_metadata().map_err(AuditError::io("look at the folder of", path))?;
        check(caller, &metadata, path)?;
        Ok(Self { dir, path: path.to_path_buf(), caller, names: LogNames::of(name) })
    }

    /// Another handle to the same folder.
    pub(super) fn try_clone(&self) -> Result<Self, AuditError> {
        let dir = self.dir.try_clone().map_err(AuditError::io("open the folder beside", &self.path))?;
        Ok(Self { dir, path: self.path.clone(), caller: self.caller, names: self.names.clone() })
    }

    /// The path of a file in the folder, for messages.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of the file that records are appended to, for messages.
    pub(super) fn log_path(&self) -> PathBuf {
        self.path(&self.names.log)
    }

    /// Waits for the lock of the log, which is released when the file is dropped.
    pub(super) fn lock(&self) -> Result<File, AuditError> {
        lock(self.open(&self.names.lock, OpenMode::Create)?, limits::AUDIT_LOCK, &self.path(&self.names.lock))
    }

    /// The same for readers, who may not be allowed to write: `None` if there is no lock file.
    pub(super) fn lock_to_read(&self) -> Result<Option<File>, AuditError> {
        let file = self.open_existing(&self.names.lock, OpenMode::Read)?;
        file.map(|file| lock(file, limits::AUDIT_LOCK, &self.path(&self.names.lock))).transpose()
    }

    /// Opens a file of the log: a regular file that only the caller and root can write.
    ///
    /// # Errors
    /// [`AuditError::Unsafe`] when it is not such a file, for example a link.
    pub(super) fn open(&self, name: &str, access: OpenMode) -> Result<File, AuditError> {
        let path = self.path(name);
        let there = self.dir.symlink_metadata(name);
        if there.as_ref().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(not_a_file(path));
        }
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        match access {
            OpenMode::Read => {}
            OpenMode::Write => drop(options.write(true)),
            OpenMode::Create => drop(options.write(true).create(true)),
            OpenMode::CreateNew => drop(options.write(true).create_new(true)),
        }
        let file = self.dir.open_with(name, &options).map_err(|cause| match &there {
            // A command that ran as another user made the file; the system only reports a lack of permission.
            Ok(metadata) if cause.kind() == io::ErrorKind::PermissionDenied => {
                let foreign = Untrusted::Foreign { uid: Ownership::from(metadata).uid };
                let is_foreign = Ownership::from(metadata).uid != self.caller.uid();
                if is_foreign { open_to_others(foreign, &path, false) } else { AuditError::io("open", &path)(cause) }
            }
            Ok(_) | Err(_) => AuditError::io("open", &path)(cause),
        })?;
        let metadata = file.metadata().map_err(AuditError::io("look at", &path))?;
        self.check(&metadata, path)?;
        Ok(file.into_std())
    }

    fn check(&self, metadata: &Metadata, path: PathBuf) -> Result<(), AuditError> {
        if !metadata.is_file() {
            return Err(not_a_file(path));
        }
        check(self.caller, metadata, &path)
    }

    /// Opens a file of the log; `None` if it does not exist.
    pub(super) fn open_existing(&self, name: &str, access: OpenMode) -> Result<Option<File>, AuditError> {
        match self.open(name, access) {
            Ok(file) => Ok(Some(file)),
            Err(AuditError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a folder beside the log; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AuditError::Unsafe`] when it is a link, or other users could write to it.
    pub(super) fn folder(&self, name: &str) -> Result<Option<Self>, AuditError> {
        let path = self.path(name);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY).bits());
        let dir = match self.dir.open_with(name, &options) {
            Ok(file) => Dir::from_std_file(file.into_std()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(AuditError::io("open the folder beside", &path)(error)),
        };
        let metadata = dir.dir_metadata().map_err(AuditError::io("look at the folder beside", &path))?;
        check(self.caller, &metadata, &path)?;
        Ok(Some(Self { dir, path, caller: self.caller, names: self.names.clone() }))
    }

    /// The same, but makes the folder if it does not exist.
    pub(super) fn make_folder(&self, name: &str) -> Result<Option<Self>, AuditError> {
        if let Some(folder) = self.folder(name)? {
            return Ok(Some(folder));
        }
        let mut private = DirBuilder::new();
        private.mode(0o700);
        match self.dir.create_dir_with(name, &private) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(AuditError::io("make the folder beside", &self.path(name))(error));
            }
            Ok(()) | Err(_) => self.folder(name),
        }
    }

    /// The names in the folder that are valid Unicode.
    pub(super) fn entries(&self) -> Result<Vec<String>, AuditError> {
        let failed = AuditError::io("list the files of", &self.path);
        let entries = self.dir.entries().map_err(&failed)?;
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect::<io::Result<_>>().map_err(&failed)
    }

    /// The numbers of the files that were put aside, oldest first.
    pub(super) fn put_aside(&self) -> Result<Vec<u32>, AuditError> {
        let mut numbers: Vec<_> = self.entries()?.iter().filter_map(|name| self.names.number_of(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Renames a file, durably.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), AuditError> {
        let failed = AuditError::io("put aside", &self.path);
        self.dir.rename(from, &self.dir, to).map_err(&failed)?;
        self.sync()
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> Result<(), AuditError> {
        self.dir.remove_file(name).map_err(AuditError::io("remove", &self.path(name)))
    }

    /// Makes new and renamed files durable, where the file system can sync folders.
    pub(super) fn sync(&self) -> Result<(), AuditError> {
        let failed = AuditError::io("make durable", &self.path);
        // The handle itself may be good only for lookups, so the folder is opened again.
        match self.dir.open(".").and_then(|dir| dir.sync_all()) {
            Err(error) if !has_no_sync(&error) => Err(failed(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Whether the error means that a file system can't sync folders, as some shares and FUSE. Then nothing more can be
/// done for the folder; the content of files is durable by their own sync.
fn has_no_sync(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EINVAL | Errno::EOPNOTSUPP | Errno::ENOSYS))
}

fn not_a_file(path: PathBuf) -> AuditError {
    let remedy = "move it away; a link could lead the log elsewhere, and a pipe keeps nothing".to_owned();
    AuditError::Unsafe { path, what: "it is not a regular file".to_owned(), remedy }
}

fn open_to_others(untrusted: Untrusted, path: &Path, is_own: bool) -> AuditError {
    let own_folder = "name a file in a folder of your own with `audit_log` in the configuration";
    let remedy = match untrusted {
        Untrusted::Foreign { .. } => format!(
            "give it to the user who runs smcp, set HOME to that user's own home (`sudo -E` keeps the caller's), or \
             {own_folder}"
        ),
        // A folder that is meant for all users, such as /tmp, should not be changed.
        Untrusted::OthersWrite { mode } | Untrusted::GroupWrites { mode, .. } if !is_own || mode & STICKY != 0 => {
            own_folder.to_owned()
        }
        Untrusted::OthersWrite { .. } | Untrusted::GroupWrites { .. } => {
            format!("run: {} {}", untrusted.remedy(), path.display())
        }
    };
    AuditError::Unsafe { path: path.to_path_buf(), what: untrusted.to_string(), remedy }
}

/// Checks that a file or folder belongs to the caller or root, and that no other user may write to it.
fn check(caller: Caller, metadata: &Metadata, path: &Path) -> Result<(), AuditError> {
    let found = Ownership::from(metadata);
    caller.check(found).map_err(|untrusted| open_to_others(untrusted, path, found.uid == caller.uid()))
}

/// Waits for the lock, at most `time`.
fn lock(file: File, time: Duration, path: &Path) -> Result<File, AuditError> {
    lock_by(file, Sharing::Exclusive, &Deadline::after(time)).map_err(|error| match error {
        LockError::Held(_) => AuditError::Locked { path: path.to_path_buf() },
        LockError::System(cause) => AuditError::io("lock", path)(cause),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_has_no_sync_is_no_error() {
        // A folder of the kernel, which answers `fsync` as some shares do.
        #[expect(clippy::disallowed_methods, reason = "a test is the file system")]
        let synced = File::open("/proc/self/fd").and_then(|dir| dir.sync_all());
        if cfg!(target_os = "linux") {
            assert!(has_no_sync(&synced.unwrap_err()));
        }
        for errno in [Errno::EINVAL, Errno::EOPNOTSUPP, Errno::ENOTSUP, Errno::ENOSYS] {
            assert!(has_no_sync(&errno.into()), "{errno}");
        }
        for errno in [Errno::EIO, Errno::ENOSPC, Errno::EDQUOT, Errno::EROFS] {
            assert!(!has_no_sync(&errno.into()), "{errno}");
        }
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        #[expect(clippy::disallowed_methods, reason = "a test is the file system")]
        let open = || File::options().create(true).append(true).open(&path).unwrap();
        let (held, ours) = (open(), open());
        assert!(smcp_model::lock::try_lock(&held, Sharing::Exclusive).unwrap());
        let error = lock(ours, Duration::ZERO, Path::new("lock")).unwrap_err();
        assert!(
            error.to_string().starts_with("another process has kept the audit log locked for 10s: lock"),
            "{error}"
        );
    }
}
