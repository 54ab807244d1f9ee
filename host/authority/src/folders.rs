//! Opens folders by their paths, and finds the runtime folder.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;

use crate::caller;
use smcp_model::ownership::Ownership;

/// Opens an existing directory.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// When it is missing, not a directory, or may not be read. A link that leads nowhere does not count as missing.
pub fn open_dir(path: &Path) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| named(path, error))
}

/// Opens a directory. Makes it and those above it if they are missing, for their owner only.
///
/// # Ambient authority
/// Makes and opens any path.
///
/// # Errors
/// When one of them can't be made or opened.
pub fn create_dir(path: &Path) -> io::Result<Dir> {
    match open_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        let mut private = DirBuilder::new();
        private.mode(0o700);
        match create_dir(parent)?.create_dir_with(name, &private) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    open_dir(path)
}

/// The system's folder for running programs of this user, which lasts until logout; `None` if it belongs to another
/// user, or others may write to it.
///
/// # Ambient authority
/// Reads the environment, and looks at the folder that it names.
pub fn runtime_dir(variable: Option<&OsStr>) -> Option<PathBuf> {
    let path = variable.map(PathBuf::from).filter(|path| path.is_absolute())?;
    let found = Ownership::from(&open_dir(&path).ok()?.dir_metadata().ok()?);
    let caller = caller();
    (found.uid == caller.uid() && caller.check(found).is_ok()).then_some(path)
}

/// Explains a path that was not found, if a part of it is a link that leads nowhere.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn named(path: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::NotFound {
        return error;
    }
    let is_link = |part: &&Path| std::fs::symlink_metadata(part).is_ok_and(|metadata| metadata.is_symlink());
    let leads_nowhere = |part: &&Path| std::fs::metadata(part).is_err();
    let Some(link) = path.ancestors().find(|part| is_link(part) && leads_nowhere(part)) else { return error };
    io::Error::other(format!(
        "{} is a link that leads nowhere: make what it names, or put a folder in its place",
        link.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_named_and_is_not_nothing() {
        let temp = tempfile::tempdir().unwrap();
        symlink("nowhere", temp.path().join("link")).unwrap();
        for path in ["link", "link/cache", "link/deeper/cache"] {
            for opened in [open_dir(&temp.path().join(path)), create_dir(&temp.path().join(path))] {
                let error = opened.unwrap_err();
                assert_ne!(error.kind(), io::ErrorKind::NotFound, "{path}");
                assert!(error.to_string().contains("link is a link that leads nowhere"), "{path}: {error}");
            }
        }
        assert_eq!(open_dir(&temp.path().join("missing")).unwrap_err().kind(), io::ErrorKind::NotFound);
        create_dir(&temp.path().join("made/deep")).unwrap();
    }
}
