//! Shared by this crate's tests: temporary directories with files in them.

use std::io::Write as _;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

/// A temporary folder, removed when dropped.
pub(crate) struct Bed {
    _temp: tempfile::TempDir,
    root: Dir,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        Self { _temp: temp, root }
    }

    /// Makes a directory with these files. A name that ends in a slash is a directory; `*` before a name makes the file
    /// executable.
    pub(crate) fn source(&self, name: &str, files: &[(&str, &str)]) -> Dir {
        self.root.create_dir(name).unwrap();
        let dir = self.root.open_dir(name).unwrap();
        for (path, text) in files {
            let (path, mode) = path.strip_prefix('*').map_or((*path, 0o600), |path| (path, 0o711));
            if let Some((parent, _)) = path.rsplit_once('/') {
                dir.create_dir_all(parent).unwrap();
            }
            if !path.ends_with('/') {
                dir.write(path, text).unwrap();
                dir.set_permissions(path, Permissions::from_mode(mode)).unwrap();
            }
        }
        dir
    }
}

/// Lists every file below `dir`, with its path and contents.
pub(crate) fn walk(dir: &Dir, path: &str, found: &mut Vec<(String, Vec<u8>)>) {
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

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
