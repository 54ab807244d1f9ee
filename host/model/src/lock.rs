//! Locks a file, with a limit on the wait.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The number of processes that may have a lock at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Only one.
    Exclusive,
    /// All that ask for a shared one.
    Shared,
}

/// Locks a file; dropping the file unlocks it. `None` when another process has kept the lock for longer than
/// `patience`. A separate thread waits, because the system's own wait has no limit.
///
/// # Errors
/// When the system can't lock the file or start a thread.
pub fn lock_within(file: File, sharing: Sharing, patience: Duration) -> io::Result<Option<File>> {
    let tried = match sharing {
        Sharing::Exclusive => file.try_lock(),
        Sharing::Shared => file.try_lock_shared(),
    };
    match tried {
        Ok(()) => return Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(cause)) => return Err(cause),
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let wait = move || {
        let locked = match sharing {
            Sharing::Exclusive => file.lock(),
            Sharing::Shared => file.lock_shared(),
        };
        // After `patience` nothing receives the file, so it is dropped, and the lock with it.
        let _ = sender.send(locked.map(|()| file));
    };
    thread::Builder::new().name("file lock".to_owned()).spawn(wait)?;
    receiver.recv_timeout(patience).ok().transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_as_long_as_the_patience() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        #[expect(clippy::disallowed_methods, reason = "a test is the file system")]
        let open = || File::options().create(true).append(true).open(&path).unwrap();
        let lock = |sharing, patience| lock_within(open(), sharing, patience).unwrap();
        let held = lock(Sharing::Shared, Duration::ZERO).unwrap();
        assert!(lock(Sharing::Shared, Duration::ZERO).is_some());
        assert!(lock(Sharing::Exclusive, Duration::ZERO).is_none());
        let releasing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            drop(held);
        });
        assert!(lock(Sharing::Exclusive, Duration::from_secs(60)).is_some());
        releasing.join().unwrap();
    }
}
