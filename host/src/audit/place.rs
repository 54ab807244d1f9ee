//! The files of the log, and that nobody else can write to them.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use cap_std::fs::Dir;
use cap_std::fs::Metadata;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::fcntl::OFlag;

use crate::audit::AuditError;
use crate::audit::LOCK;
use crate::audit::OLD_END;
use crate::audit::OLD_START;
use crate::model::limits;

/// Write access of anybody but the owner.
const OTHERS_WRITE: u32 = 0o022;

/// The folder of a log, for its owner alone to write.
#[derive(Debug)]
pub(super) struct Place {
    dir: Dir,
    path: PathBuf,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// It must be there.
    Read,
    /// It must be there.
    Write,
    /// It is made when it is not there.
    Create,
    /// It must not be there.
    CreateNew,
}

impl Place {
    /// The folder `dir`, whose absolute path is `path`.
    ///
    /// # Errors
    /// [`AuditError::Unsafe`] when others could put another log in place of ours.
    pub(super) fn new(dir: Dir, path: &Path) -> Result<Self, AuditError> {
        let metadata = dir.dir_metadata().map_err(AuditError::io("look at", path))?;
        owned(&metadata, path)?;
        Ok(Self { dir, path: path.to_path_buf() })
    }

    /// The path of a file in it, to be shown.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Waits until nobody else holds the lock; it is given back when the file is dropped.
    pub(super) fn lock(&self) -> Result<File, AuditError> {
        lock(self.open(LOCK, Access::Create)?, limits::AUDIT_LOCK, &self.path(LOCK))
    }

    /// The same for whoever only reads, and may have no right to write: no lock where there is no lock file.
    pub(super) fn lock_to_read(&self) -> Result<Option<File>, AuditError> {
        match self.open(LOCK, Access::Read) {
            Ok(file) => lock(file, limits::AUDIT_LOCK, &self.path(LOCK)).map(Some),
            Err(AuditError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a file of the log: a regular file, ours, and writable by nobody else.
    ///
    /// # Errors
    /// [`AuditError::Unsafe`] when it is anything else, such as a link.
    pub(super) fn open(&self, name: &str, access: Access) -> Result<File, AuditError> {
        let path = self.path(name);
        if self.dir.symlink_metadata(name).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(not_a_file(path));
        }
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        match access {
            Access::Read => {}
            Access::Write => drop(options.write(true)),
            Access::Create => drop(options.write(true).create(true)),
            Access::CreateNew => drop(options.write(true).create_new(true)),
        }
        let file = self.dir.open_with(name, &options).map_err(AuditError::io("open", &path))?;
        let metadata = file.metadata().map_err(AuditError::io("look at", &path))?;
        if !metadata.is_file() {
            return Err(not_a_file(path));
        }
        owned(&metadata, &path)?;
        Ok(file.into_std())
    }

    /// Opens a file of the log if it is there.
    pub(super) fn open_existing(&self, name: &str, access: Access) -> Result<Option<File>, AuditError> {
        match self.open(name, access) {
            Ok(file) => Ok(Some(file)),
            Err(AuditError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The numbers of the files that were put aside, oldest first.
    pub(super) fn put_aside(&self) -> Result<Vec<u32>, AuditError> {
        let failed = AuditError::io("list the files of", &self.path);
        let mut numbers = Vec::new();
        for entry in self.dir.entries().map_err(&failed)? {
            let name = entry.map_err(&failed)?.file_name();
            numbers.extend(name.to_str().and_then(number_of));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Gives a file another name, for good.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), AuditError> {
        let failed = AuditError::io("put aside", &self.path);
        self.dir.rename(from, &self.dir, to).map_err(&failed)?;
        self.sync()
    }

    /// Makes what was made or renamed here durable.
    pub(super) fn sync(&self) -> Result<(), AuditError> {
        let failed = AuditError::io("make durable", &self.path);
        // The handle itself may be one that is only good for looking things up.
        self.dir.open(".").and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

/// The name of the file that was put aside as the `number`th.
pub(super) fn name_of(number: u32) -> String {
    format!("{OLD_START}{number:06}{OLD_END}")
}

fn number_of(name: &str) -> Option<u32> {
    let number = name.strip_prefix(OLD_START)?.strip_suffix(OLD_END)?.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

fn not_a_file(path: PathBuf) -> AuditError {
    let remedy = "move it away; a link could lead the log elsewhere, and a pipe keeps nothing".to_owned();
    AuditError::Unsafe { path, what: "it is not a regular file", remedy }
}

/// Whether something is ours, and nobody else may write to it.
fn owned(metadata: &Metadata, path: &Path) -> Result<(), AuditError> {
    let (what, remedy) = if metadata.uid() != nix::unistd::geteuid().as_raw() {
        ("it belongs to another user", "give it to the user who runs smcp, or set HOME to that user's home".to_owned())
    } else if metadata.mode() & OTHERS_WRITE != 0 {
        ("others may write to it", format!("run: chmod go-w {}", path.display()))
    } else {
        return Ok(());
    };
    Err(AuditError::Unsafe { path: path.to_path_buf(), what, remedy })
}

/// Waits for the lock, at most so long. A thread waits for us, because the system's own wait has no end.
fn lock(file: File, patience: Duration, path: &Path) -> Result<File, AuditError> {
    let failed = AuditError::io("lock", path);
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(cause)) => return Err(failed(cause)),
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let wait = move || {
        // When nobody listens any more, the file is dropped, and the lock with it.
        drop(sender.send(file.lock().map(|()| file)));
    };
    std::thread::Builder::new().name("audit lock".to_owned()).spawn(wait).map_err(&failed)?;
    match receiver.recv_timeout(patience) {
        Ok(locked) => locked.map_err(failed),
        Err(_) => Err(AuditError::Locked { path: path.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_files_of_the_log() {
        for (name, number) in [
            ("audit-000001.jsonl", Some(1)),
            ("audit-999999.jsonl", Some(999_999)),
            ("audit.jsonl", None),
            ("audit-1.jsonl", None),
            ("audit-000001.jsonl.gz", None),
            ("audit-00000x.jsonl", None),
            ("audit-+00001.jsonl", None),
        ] {
            assert_eq!(number_of(name), number, "{name}");
        }
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        #[expect(clippy::disallowed_methods, reason = "a test is the file system")]
        let open = || File::options().create(true).append(true).open(&path).unwrap();
        let (held, ours) = (open(), open());
        held.lock().unwrap();
        let error = lock(ours, Duration::ZERO, Path::new("lock")).unwrap_err();
        assert!(
            error.to_string().starts_with("another process has kept the audit log locked for 10s: lock"),
            "{error}"
        );
    }
}
