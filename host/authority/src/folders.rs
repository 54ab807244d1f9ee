//! Opens folders by their paths, and finds the runtime folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use nix::fcntl::AT_FDCWD;
use nix::fcntl::OFlag;
use nix::fcntl::openat;
use nix::sys::stat::Mode;

use crate::caller;
use crate::guarded::SEARCH;
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

/// Opens an existing directory by its canonical path: a link on the way is an error.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// When it is missing, not a directory, or may not be read; when part of the path is a link, or the path is not absolute.
pub fn open_dir_itself(path: &Path) -> io::Result<Dir> {
    let itself = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let names = path.strip_prefix("/").map_err(|_| io::ErrorKind::InvalidInput)?;
    let above = names.components().count().saturating_sub(1);
    let first = if above == 0 && names.as_os_str().is_empty() { OFlag::O_RDONLY } else { SEARCH };
    let mut dir = openat(AT_FDCWD, "/", itself | first, Mode::empty())?;
    for (depth, name) in names.components().enumerate() {
        // `..` would lead out of what was followed so far.
        let Component::Normal(name) = name else { return Err(io::ErrorKind::InvalidInput.into()) };
        let how = if depth < above { SEARCH } else { OFlag::O_RDONLY };
        dir = openat(&dir, name, itself | how, Mode::empty())?;
    }
    Ok(Dir::from_std_file(File::from(dir)))
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
    fn a_directory_itself_is_opened_without_a_link_on_the_way() {
        let temp = tempfile::tempdir().unwrap();
        let root = crate::resolve(temp.path()).unwrap();
        create_dir(&root.join("a/b")).unwrap().write("here", "").unwrap();
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        std::os::unix::fs::symlink("b", root.join("a/to-b")).unwrap();
        assert!(open_dir_itself(&root.join("a/b")).unwrap().exists("here"));
        assert!(open_dir_itself(Path::new("/")).unwrap().exists("proc"));
        for path in ["link/b", "a/to-b", "link", "a/../a/b", "a/b/here", "gone"] {
            assert!(open_dir_itself(&root.join(path)).is_err(), "{path}");
        }
        assert!(open_dir_itself(Path::new("a")).is_err());
    }

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
