//! Shared by this crate's tests: a cache in a temporary folder.

use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use crate::Cache;
use smcp_model::ownership::Caller;

/// The user who runs the tests.
pub(crate) fn caller() -> Caller {
    Caller::new(nix::unistd::geteuid().as_raw(), || None)
}

/// A temporary folder with a cache in it, removed when dropped.
pub(crate) struct Bed {
    temp: tempfile::TempDir,
    pub(crate) root: Dir,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        root.create_dir("cache").unwrap();
        root.set_permissions("cache", Permissions::from_mode(0o700)).unwrap();
        Self { temp, root }
    }

    pub(crate) fn cache_path(&self) -> PathBuf {
        self.temp.path().join("cache")
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::new(self.root.open_dir("cache").unwrap(), &self.cache_path(), caller()).unwrap()
    }

    /// Lists every file below a folder with its contents, except the marker of a cache.
    pub(crate) fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        walk(&self.root.open_dir(folder).unwrap(), "", &mut found);
        found.retain(|(name, _)| name != "CACHEDIR.TAG");
        found.sort();
        found
    }
}

/// Adds every file below `dir` to `found`, with its path and contents.
fn walk(dir: &Dir, path: &str, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in dir.entries().unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}{}", entry.file_name().display());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.open_dir().unwrap(), &format!("{name}/"), found);
        } else {
            found.push((name, dir.read(entry.file_name()).unwrap()));
        }
    }
}
