//! Locks open files: at once or not at all, or until a deadline.
//!
//! The system releases a lock however the process ends. Its blocking call has no timeout, so it is not used here.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::thread;

use crate::stream::Halted;
use smcp_model::deadline::Deadline;
use smcp_model::limits;

/// Takes an exclusive lock on a file; `false` when another process has a lock.
pub(crate) fn exclusive(file: &File) -> io::Result<bool> {
    taken(file.try_lock())
}

/// Takes a shared lock on a file, and waits for a process that has an exclusive one.
///
/// # Errors
/// With [`Halted`] inside when the deadline passes; when the file system has no locks.
pub(crate) fn shared(file: &File, deadline: &Deadline) -> io::Result<()> {
    while !taken(file.try_lock_shared())? {
        deadline.check().map_err(|expired| io::Error::other(Halted::from(expired)))?;
        thread::sleep(limits::LEASE_PAUSE);
    }
    Ok(())
}

fn taken(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a locked file still has a name: the process that had the lock before may have removed it.
pub(crate) fn is_there(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.nlink() > 0)
}
