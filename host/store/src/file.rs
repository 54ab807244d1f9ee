//! Opens regular files without waiting.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::fcntl::OFlag;

use crate::folder;

/// Opens a regular file, never waiting for a pipe or a device; `None` when it does not exist.
///
/// # Errors
/// When it can't be opened, is not a regular file, or is behind a link that leads out of the folder.
pub fn open_file(dir: &Dir, path: &str) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlag::O_NONBLOCK.bits());
    let file = match dir.open_with(path, &options) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(folder::explain(dir, path, error)),
    };
    if file.metadata()?.is_file() {
        Ok(Some(file))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a regular file")))
    }
}

/// Opens what has this name in a folder, whatever it is, to be looked at through its descriptor. No link is followed, and
/// no pipe or device is waited for.
///
/// # Errors
/// When there is nothing, a link, or something that can't be opened.
pub fn open_itself(dir: &Dir, name: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits());
    dir.open_with(name, &options)
}

/// Opens the folder of this name in another one, to open what is in it by name; whoever may not list it may do so, too. A
/// link to one is not followed.
///
/// # Errors
/// When there is none, or it can't be opened.
pub(crate) fn open_folder_for_names(dir: &Dir, name: &str) -> io::Result<Dir> {
    #[cfg(target_os = "linux")]
    const FOR_NAMES: OFlag = OFlag::O_PATH;
    #[cfg(not(target_os = "linux"))]
    const FOR_NAMES: OFlag = OFlag::empty();
    open_folder_with(dir, name, FOR_NAMES)
}

/// Opens the folder of this name in another one. A link to one is not followed.
///
/// # Errors
/// When there is none, or it can't be opened.
pub fn open_folder_itself(dir: &Dir, name: impl AsRef<Path>) -> io::Result<Dir> {
    open_folder_with(dir, name, OFlag::empty())
}

fn open_folder_with(dir: &Dir, name: impl AsRef<Path>, further: OFlag) -> io::Result<Dir> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | further).bits());
    dir.open_with(name, &options).map(|folder| Dir::from_std_file(folder.into_std()))
}

/// Takes what is missing for nothing.
pub(crate) fn there<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}
