//! What the tests of several crates share: a temporary folder with files in it, and a validator of JSON Schema.
//!
//! It knows no crate but the model, so that every crate below `host/` can use it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

mod schema;

pub use crate::schema::Schema;

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use smcp_model::ownership::Caller;

/// A temporary folder, removed when dropped.
#[derive(Debug)]
pub struct Bed {
    temp: tempfile::TempDir,
    /// The folder itself.
    pub root: Dir,
}

impl Bed {
    /// Makes one with these directories, which only the caller may enter.
    pub fn with<const N: usize>(private: [&str; N]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        for name in private {
            root.create_dir(name).unwrap();
            root.set_permissions(name, Permissions::from_mode(0o700)).unwrap();
        }
        Self { temp, root }
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        self.temp.path()
    }

    /// The path of what is called `name` in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Makes a directory with these files. A name that ends in a slash is a directory; `*` before a name makes the file
    /// executable.
    pub fn source(&self, name: &str, files: &[(&str, &str)]) -> Dir {
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

    /// Lists every file below a folder with its contents, except the marker of a cache.
    pub fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut found = files(&self.root.open_dir(folder).unwrap());
        found.retain(|(name, _)| name != "CACHEDIR.TAG");
        found
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // Kept trees are read-only for everybody but root, and would stay.
        drop(open_up(&self.root));
    }
}

fn open_up(dir: &Dir) -> std::io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            dir.set_permissions(entry.file_name(), Permissions::from_mode(0o700))?;
            open_up(&entry.open_dir()?)?;
        }
    }
    Ok(())
}

/// Lists every file below `dir` with its path and contents, in the order of the paths.
pub fn files(dir: &Dir) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    walk(dir, "", &mut found);
    found.sort();
    found
}

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

/// Compresses bytes as bundles are.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Makes a zip archive as tools do, everything deflated: names, contents, and modes.
pub fn zip(files: &[(&str, &str, u32)]) -> Vec<u8> {
    let word = |length: usize| u32::try_from(length).unwrap();
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, text, mode) in files {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let mut shared = vec![0, 8, 8, 0, 0, 0, 33, 0];
        for number in [crc.sum(), word(packed.len()), word(text.len()), word(name.len())] {
            shared.extend(number.to_le_bytes());
        }
        directory.extend([&b"PK\x01\x02\x14\x03\x14\0"[..], &shared, &[0; 6]].concat());
        directory.extend((0o100_000 | mode).wrapping_shl(16).to_le_bytes());
        directory.extend(word(bytes.len()).to_le_bytes());
        directory.extend(name.as_bytes());
        bytes.extend([&b"PK\x03\x04\x14\0"[..], &shared, name.as_bytes(), &packed].concat());
    }
    let (start, length) = (word(bytes.len()), word(directory.len()));
    let count = u16::try_from(files.len()).unwrap();
    bytes.extend(directory);
    bytes.extend([&b"PK\x05\x06\0\0\0\0"[..], &count.to_le_bytes(), &count.to_le_bytes()].concat());
    bytes.extend([&length.to_le_bytes()[..], &start.to_le_bytes(), &[0, 0]].concat());
    bytes
}

/// The user who runs the tests.
pub fn caller() -> Caller {
    Caller::new(nix::unistd::geteuid().as_raw(), || None)
}
