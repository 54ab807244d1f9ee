//! Locks open files: at once or not at all, or until a deadline.
//!
//! The system releases a lock however the process ends.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc;
use std::thread;

use crate::deadline::Deadline;

/// The number of processes that may have a lock at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Only one.
    Exclusive,
    /// All that ask for a shared one.
    Shared,
}

/// Locks a file if no other process prevents it; says whether it did. Closing the file unlocks it.
///
/// # Errors
/// When the system can't lock the file: its file system may have no locks.
pub fn try_lock(file: &File, sharing: Sharing) -> io::Result<bool> {
    let tried = match sharing {
        Sharing::Exclusive => file.try_lock(),
        Sharing::Shared => file.try_lock_shared(),
    };
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

/// Locks a file; dropping the file unlocks it. `None` when another process keeps the lock until the deadline. A
/// separate thread waits, because the system's own wait has no limit.
///
/// # Errors
/// When the system can't lock the file or start a thread.
pub fn lock_by(file: File, sharing: Sharing, deadline: &Deadline) -> io::Result<Option<File>> {
    if try_lock(&file, sharing)? {
        return Ok(Some(file));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let wait = move || {
        let locked = match sharing {
            Sharing::Exclusive => file.lock(),
            Sharing::Shared => file.lock_shared(),
        };
        // After the deadline nothing receives the file, so it is dropped, and the lock with it.
        let _ = sender.send(locked.map(|()| file));
    };
    thread::Builder::new().name("file lock".to_owned()).spawn(wait)?;
    let received = match deadline.remaining() {
        Some(left) => receiver.recv_timeout(left).ok(),
        None => receiver.recv().ok(),
    };
    received.transpose()
}

/// Whether a locked file still has a name: the process that had the lock before may have removed it.
///
/// # Errors
/// When the system can't say.
pub fn is_named(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.nlink() > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_lock_is_waited_for_until_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        #[expect(clippy::disallowed_methods, reason = "a test is the file system")]
        let open = || File::options().create(true).append(true).open(&path).unwrap();
        let lock = |sharing, wait| lock_by(open(), sharing, &Deadline::after(wait)).unwrap();
        let held = lock(Sharing::Shared, Duration::ZERO).unwrap();
        assert!(lock(Sharing::Shared, Duration::ZERO).is_some());
        assert!(lock(Sharing::Exclusive, Duration::ZERO).is_none());
        let releasing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            drop(held);
        });
        assert!(lock_by(open(), Sharing::Exclusive, &Deadline::none()).unwrap().is_some());
        releasing.join().unwrap();
    }
}
