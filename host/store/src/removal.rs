//! Removes folders that servers could write to, however deep they are.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io;
use std::os::unix::fs::PermissionsExt;

use cap_std::fs::Dir;
use cap_std::fs::Permissions;

use crate::access::StoreAccess;
use crate::file::open_folder_itself;
use crate::file::there;

/// Removes a folder with its contents; a missing one is not an error, nor is one that somebody else removes, too. Links are
/// not followed, and nothing outside of it is changed.
///
/// A folder in it is moved up to the first level before it is emptied, so that there is no depth: two folders are open at
/// a time, and no path has more than one name.
pub(crate) fn remove_folder(dir: &Dir, name: &str) -> io::Result<()> {
    let Some(root) = there(opened_up(dir, OsStr::new(name)))? else { return Ok(()) };
    // What is in it can't have these names.
    let prefix = format!("{:016x}", RandomState::new().hash_one(name));
    let mut moved: u64 = 0;
    let mut todo = without_files(&root)?;
    while let Some(name) = todo.pop() {
        let Some(folder) = there(opened_up(&root, &name))? else { continue };
        for inner in without_files(&folder)? {
            moved = moved.saturating_add(1);
            let place = OsString::from(format!("{prefix}-{moved}"));
            // Only who may write to a folder may move it.
            let opened = opened_up(&folder, &inner).and_then(|_| folder.rename(&inner, &root, &place));
            todo.extend(there(opened)?.map(|()| place));
        }
        there(root.remove_dir(&name))?;
    }
    there(dir.remove_dir(name)).map(drop)
}

/// Makes a folder readable and writable for us, which a server may have changed, and opens it.
pub(crate) fn opened_up(dir: &Dir, name: &OsStr) -> io::Result<Dir> {
    if !dir.symlink_metadata(name)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mode = StoreAccess::Private.folder_mode();
    dir.set_permissions(name, Permissions::from_std(PermissionsExt::from_mode(mode)))?;
    open_folder_itself(dir, name)
}

/// Removes everything from a folder but the folders in it, and returns their names.
fn without_files(folder: &Dir) -> io::Result<Vec<OsString>> {
    let mut folders = Vec::new();
    for entry in folder.entries()? {
        let entry = entry?;
        let Some(kind) = there(entry.file_type())? else { continue };
        if kind.is_dir() {
            folders.push(entry.file_name());
        } else {
            there(folder.remove_file(entry.file_name()))?;
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;
    use cap_std::fs::MetadataExt as _;

    use super::*;

    fn bed() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        (temp, dir)
    }

    #[test]
    fn a_locked_tree_is_removed_and_nothing_outside() {
        let (temp, dir) = bed();
        dir.create_dir_all("run/a/b/c").unwrap();
        dir.create_dir("outside").unwrap();
        dir.write("outside/file", "kept").unwrap();
        for name in ["run/file", "run/a/file", "run/a/b/file"] {
            dir.write(name, "").unwrap();
        }
        dir.symlink("../outside", "run/link").unwrap();
        dir.symlink("../../outside", "run/a/link").unwrap();
        for (name, bits) in [("run/file", 0), ("run/a/b", 0), ("run/a", 0o100), ("run", 0), ("outside", 0o500)] {
            std::fs::set_permissions(temp.path().join(name), PermissionsExt::from_mode(bits)).unwrap();
        }
        remove_folder(&dir, "run").unwrap();
        assert!(!dir.exists("run"));
        assert_eq!(dir.symlink_metadata("outside").unwrap().mode() & 0o777, 0o500);
        assert_eq!(dir.read_to_string("outside/file").unwrap(), "kept");
        remove_folder(&dir, "run").unwrap();
    }

    #[test]
    fn a_tree_is_removed_however_deep_it_is() {
        let (_temp, dir) = bed();
        dir.create_dir("run").unwrap();
        let mut folder = dir.open_dir("run").unwrap();
        // More than descriptors and the longest path.
        for _ in 0..1500 {
            folder.create_dir("folder").unwrap();
            folder = folder.open_dir("folder").unwrap();
        }
        folder.write("file", "").unwrap();
        remove_folder(&dir, "run").unwrap();
        assert!(!dir.exists("run"));
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let (_temp, dir) = bed();
        dir.create_dir_all("outside/inner").unwrap();
        dir.symlink("outside", "run").unwrap();
        assert_eq!(remove_folder(&dir, "run").unwrap_err().kind(), io::ErrorKind::NotADirectory);
        assert!(dir.exists("outside/inner"));
    }
}
