//! The key of a user's compiled files: 32 random bytes, for this user alone.
//!
//! It keeps code of a store that was restored, synchronised or shared from being run: its writer did not have the key.

use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::entry::MacKey;
use smcp_model::deadline::Deadline;
use smcp_model::lock::Sharing;
use smcp_model::lock::lock_by;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;

/// The name of the file, in smcp's folder in the user's home.
pub(crate) const FILE: &str = "compiled.key";
/// Its length, bytes.
const LENGTH: usize = 32;
/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;
/// The most attempts to replace a file that can't be a key: other processes may do the same at the same time.
const TRIES: usize = 5;

/// Reads the key in a folder; `None` when there is none, or it is not whole.
///
/// # Errors
/// When another user could have read or written it, or it can't be read.
pub(crate) fn read(folder: &Dir, path: &Path, caller: Caller) -> io::Result<Option<MacKey>> {
    check(folder, path, caller)?;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits());
    match folder.open_with(FILE, &options) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => unfit("it is a link"),
        Err(error) => Err(error),
        Ok(file) => {
            check_file(&file, caller)?;
            key_in(file)
        }
    }
}

/// Reads the key in a folder, and makes it if there is none. Processes that do so at the same time get the same key.
///
/// # Errors
/// When it can't be made.
pub(crate) fn read_or_make(folder: &Dir, path: &Path, caller: Caller) -> io::Result<MacKey> {
    for _ in 0..TRIES {
        match read(folder, path, caller) {
            Ok(Some(key)) => return Ok(key),
            Ok(None) => return make(folder, caller),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::info!(%error, "the key of the compiled code is replaced");
                remove(folder)?;
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("somebody else keeps putting a file in its place"))
}

fn make(folder: &Dir, caller: Caller) -> io::Result<MacKey> {
    let mut options = OpenOptions::new();
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    options.read(true).write(true).create(true).mode(0o600).custom_flags(flags.bits());
    let file = folder.open_with(FILE, &options)?;
    check_file(&file, caller)?;
    // The process that has the lock writes, and the others read what it wrote.
    let mut file = lock_by(file.into_std(), Sharing::Exclusive, &Deadline::none())?;
    if let Some(key) = key_in(File::from_std(file.try_clone()?))? {
        return Ok(key);
    }
    let mut key = [0; LENGTH];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    file.set_len(0)?;
    file.rewind()?;
    // With one call, so that a reader sees all of it or nothing.
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(MacKey(key))
}

fn key_in(file: File) -> io::Result<Option<MacKey>> {
    let mut file = file.into_std();
    file.rewind()?;
    let mut bytes = Vec::with_capacity(LENGTH);
    let most = u64::try_from(LENGTH).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    // A full file system, or a loss of power, leaves an empty file or zeros.
    Ok(<[u8; LENGTH]>::try_from(bytes).ok().filter(|key| *key != [0; LENGTH]).map(MacKey))
}

fn check(folder: &Dir, path: &Path, caller: Caller) -> io::Result<()> {
    let found = Ownership::from(&folder.dir_metadata()?);
    caller.check(found).map_err(|why| io::Error::other(format!("{}: {why}", path.display())))
}

/// Checks that only the caller can read and write the opened key.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when it has to be replaced.
fn check_file(file: &File, caller: Caller) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return unfit("it is not a regular file");
    }
    if found.uid() != caller.uid() {
        return unfit(&format!("it belongs to another user (uid {})", found.uid()));
    }
    if found.mode() & OTHERS != 0 {
        return unfit(&format!("others may read it (mode {:04o})", found.mode() & 0o7777));
    }
    Ok(())
}

fn unfit<T>(why: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Removes a file that can't be the key. A folder in its place stays.
fn remove(folder: &Dir) -> io::Result<()> {
    match folder.remove_file(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests;
