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
use crate::deadline::Expired;

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
#[expect(clippy::disallowed_methods, reason = "this is the place where files are locked")]
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

/// A file could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process kept the lock until the deadline.
    #[error(transparent)]
    Held(#[from] Expired),
    /// The system can't lock the file or start a thread.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<LockError> for io::Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(expired) => Self::new(io::ErrorKind::TimedOut, expired),
            LockError::System(cause) => cause,
        }
    }
}

/// Locks a file, and waits until the deadline while another process has the lock. Dropping the file unlocks it.
///
/// A separate thread waits, because the system's own wait has no limit; a signal that ends smcp ends it, too.
///
/// # Errors
/// [`LockError::Held`] when the deadline passes, [`LockError::System`] when the system can't lock the file: its file
/// system may have no locks.
pub fn lock_by(file: File, sharing: Sharing, deadline: &Deadline) -> Result<File, LockError> {
    if try_lock(&file, sharing)? {
        return Ok(file);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let wait = move || {
        let locked = wait(&file, sharing);
        // After the deadline nothing receives the file, so it is dropped, and the lock with it.
        let _ = sender.send(locked.map(|()| file));
    };
    thread::Builder::new().name("file lock".to_owned()).spawn(wait)?;
    let received = match deadline.remaining() {
        Some(left) => receiver.recv_timeout(left).ok(),
        None => receiver.recv().ok(),
    };
    Ok(received.ok_or_else(|| deadline.expired())??)
}

#[expect(clippy::disallowed_methods, reason = "this is the place where files are locked")]
fn wait(file: &File, sharing: Sharing) -> io::Result<()> {
    match sharing {
        Sharing::Exclusive => file.lock(),
        Sharing::Shared => file.lock_shared(),
    }
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
        let lock = |sharing| lock_by(open(), sharing, &Deadline::after(Duration::ZERO));
        let held = lock(Sharing::Shared).unwrap();
        lock(Sharing::Shared).unwrap();
        assert!(matches!(lock(Sharing::Exclusive), Err(LockError::Held(_))));
        let releasing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            drop(held);
        });
        lock_by(open(), Sharing::Exclusive, &Deadline::none()).unwrap();
        releasing.join().unwrap();
    }
}
