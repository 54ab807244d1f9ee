//! A private folder for what other programs make, removed with what is in it.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;

use crate::open_dir;

/// How many names are tried: each process has its own, and leaves some when it is killed.
const TRIES: u32 = 1000;

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    above: Dir,
    name: String,
    dir: Dir,
    path: PathBuf,
}

impl ScratchFolder {
    /// Makes a folder in `above`, which may be one that everybody can write to.
    ///
    /// # Ambient authority
    /// Makes and removes a folder in any path.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(above: &Path) -> io::Result<Self> {
        let parent = open_dir(above)?;
        let mut private = DirBuilder::new();
        private.mode(0o700);
        for number in 0..TRIES {
            let name = format!("smcp-import-{}-{number}", std::process::id());
            match parent.create_dir_with(&name, &private) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    let (dir, path) = (parent.open_dir(&name)?, above.join(&name));
                    return Ok(Self { above: parent, name, dir, path });
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The folder.
    pub const fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // What can't be removed lies in a folder for what is temporary.
        drop(self.above.remove_dir_all(&self.name));
    }
}

#[cfg(test)]
mod tests {
    use cap_std::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_scratch_folder_is_private_and_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let one = ScratchFolder::new(temp.path()).unwrap();
        let other = ScratchFolder::new(temp.path()).unwrap();
        assert_ne!(one.path(), other.path());
        assert_eq!(one.dir().dir_metadata().unwrap().permissions().mode() & 0o777, 0o700);
        one.dir().create_dir_all("a/b").unwrap();
        one.dir().write("a/b/c", "").unwrap();
        drop((one, other));
        assert_eq!(crate::names(temp.path()).unwrap().len(), 0);
    }
}
