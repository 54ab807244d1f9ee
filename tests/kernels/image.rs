//! The file system that a machine begins with: an archive that the kernel unpacks into its memory.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Where programs look for their libraries, on the machine of the tests and in those that are started.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
/// The kinds of files, as modes have them.
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTERS: u32 = 0o020_000;

/// An archive that is being written (`cpio`, of the form that is called `newc`).
#[derive(Clone, Default)]
pub(crate) struct Image {
    bytes: Vec<u8>,
    known: BTreeSet<String>,
}

/// What an entry of the archive is, beside its bytes.
#[derive(Clone, Copy)]
struct Entry {
    mode: u32,
    owner: u32,
    changed: i64,
    device: (u32, u32),
}

impl Image {
    /// Begins with the folders that every system has.
    pub(crate) fn new() -> Self {
        let mut image = Self::default();
        for folder in ["usr/bin", "usr/lib64", "usr/sbin", "proc", "sys", "dev", "tmp", "run", "var/tmp", "etc"] {
            image.folder(folder, 0, 0o755);
        }
        for name in ["bin", "lib", "lib64", "sbin"] {
            image.link(name, &format!("usr/{name}"));
        }
        image.entry("dev/console", Entry { mode: CHARACTERS | 0o600, owner: 0, changed: 0, device: (5, 1) }, &[]);
        image
    }

    /// A folder, and those above it; one that is there already stays as it is.
    pub(crate) fn folder(&mut self, path: &str, owner: u32, mode: u32) {
        if path.is_empty() || self.known.contains(path) {
            return;
        }
        if let Some((above, _)) = path.rsplit_once('/') {
            self.folder(above, 0, 0o755);
        }
        self.entry(path, Entry { mode: FOLDER | mode, owner, changed: 0, device: (0, 0) }, &[]);
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.entry(path, Entry { mode: LINK | 0o777, owner: 0, changed: 0, device: (0, 0) }, target.as_bytes());
    }

    /// A file of root's.
    pub(crate) fn file(&mut self, path: &str, bytes: &[u8], mode: u32) {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        self.folder(above, 0, 0o755);
        self.entry(path, Entry { mode: FILE | mode, owner: 0, changed: 0, device: (0, 0) }, bytes);
    }

    /// A copy of a file of this machine, with its time.
    pub(crate) fn copy(&mut self, from: &Path, path: &str, owner: u32) {
        if self.known.contains(path) {
            return;
        }
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        self.folder(above, owner, 0o755);
        let about = fs::metadata(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let mode = about.permissions().mode() & 0o777;
        let entry = Entry { mode: FILE | mode, owner, changed: about.mtime(), device: (0, 0) };
        self.entry(path, entry, &fs::read(from).unwrap());
    }

    /// A copy of a folder with all that is in it.
    pub(crate) fn tree(&mut self, from: &Path, path: &str, owner: u32) {
        self.folder(path, owner, 0o755);
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let inside = format!("{path}/{}", entry.file_name().to_str().unwrap());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                self.tree(&entry.path(), &inside, owner);
            } else if kind.is_symlink() {
                self.link(&inside, fs::read_link(entry.path()).unwrap().to_str().unwrap());
            } else {
                self.copy(&entry.path(), &inside, owner);
            }
        }
    }

    /// A copy of a program of this machine, with the libraries that it is linked with.
    pub(crate) fn program(&mut self, from: &Path, path: &str) {
        self.libraries(from);
        self.copy(from, path, 0);
    }

    /// The libraries of a program, or of a library.
    pub(crate) fn libraries(&mut self, of: &Path) {
        let output = Command::new("ldd").arg(of).output().unwrap();
        // One that is linked with nothing is no error.
        let text = String::from_utf8(output.stdout).unwrap();
        let paths = text.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
        for library in paths.map(PathBuf::from) {
            let name = library.file_name().unwrap().to_str().unwrap();
            let folder = if name.starts_with("ld-linux") { "usr/lib64" } else { LIBRARIES };
            self.copy(&library, &format!("{folder}/{name}"), 0);
        }
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", Entry { mode: 0, owner: 0, changed: 0, device: (0, 0) }, &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, entry: Entry, bytes: &[u8]) {
        assert!(self.known.insert(path.to_owned()), "{path} is there already");
        let Entry { mode, owner, changed, device: (major, minor) } = entry;
        let (number, size) = (self.known.len(), bytes.len());
        let head = [
            number,
            mode as usize,
            owner as usize,
            owner as usize,
            1,
            usize::try_from(changed).unwrap_or_default(),
            size,
            0,
            0,
            major as usize,
            minor as usize,
            path.len() + 1,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in head {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.aligned();
        self.bytes.extend_from_slice(bytes);
        self.aligned();
    }

    fn aligned(&mut self) {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }
}
