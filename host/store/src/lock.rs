//! Locks on open files: taken at once or not at all, or until a deadline.
//!
//! The system lets go of a lock however the process ends. Its own wait has no end, so none is used here.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::thread;

use crate::stream::Halted;
use smcp_model::deadline::Deadline;
use smcp_model::limits;

/// Takes the only lock on a file; `false` when somebody else has one.
pub(crate) fn exclusive(file: &File) -> io::Result<bool> {
    taken(file.try_lock())
}

/// Takes a lock that others may have too, and waits for whoever has the only one.
///
/// # Errors
/// With [`Halted`] inside when the deadline passes; when the system keeps no locks there.
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

/// Whether a locked file still has a name: whoever had the lock before may have removed it.
pub(crate) fn is_there(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.nlink() > 0)
}
