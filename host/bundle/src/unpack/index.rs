//! The index of an unpacked bundle: what each folder holds, with digests.
//!
//! It is made while a bundle is unpacked, and read again before each start from the kept tree, if its seal is right. As
//! text it is a list of records that each end in NUL, the way `find -print0` separates names:
//!
//! ```text
//! smcp-tree/1 sha256:<the bundle's>
//! d lib/inner                               a folder by its path; the files in it follow
//! f 400 1234 1700000000.0 <sha256> name     mode, size, time, digest, name
//! ```

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use smcp_model::digest::Digest;
use smcp_store::Seal;

const FORMAT: &str = "smcp-tree/1";
/// The length of a seal, at the end of the bytes.
const SEAL: usize = 32;

/// A point in time, as file systems have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileTime {
    /// Since the Unix epoch.
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
}

impl FileTime {
    /// Reads a time of pax: `1700000000`, `1700000000.25`, `-1.5`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits: String = part.chars().chain(std::iter::repeat('0')).take(9).collect();
        let (seconds, nanoseconds): (i64, i64) = (whole.parse().ok()?, digits.parse().ok()?);
        if !whole.starts_with('-') || nanoseconds == 0 {
            return Some(Self { seconds, nanoseconds });
        }
        Some(Self { seconds: seconds.checked_sub(1)?, nanoseconds: 1_000_000_000_i64.checked_sub(nanoseconds)? })
    }

    /// The same for the functions that set it; `None` where that is beyond what the system has.
    pub(super) fn of_system(self) -> Option<SystemTime> {
        let part = Duration::from_nanos(self.nanoseconds.try_into().ok()?);
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let at = if self.seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        at?.checked_add(part)
    }
}

/// A file of the bundle, as it lies in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexedFile {
    pub(super) name: String,
    /// The twelve bits of `chmod`.
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) time: FileTime,
    pub(super) digest: Digest,
}

/// A folder of the bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IndexedFolder {
    /// Its path below the root, which has an empty one.
    pub(super) path: String,
    pub(super) files: Vec<IndexedFile>,
    /// The folders in it: their names, and their places in [`Index::folders`].
    pub(super) folders: Vec<(String, usize)>,
}

impl IndexedFolder {
    /// The path of something in it.
    pub(super) fn joined(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}

/// All folders, each after the one that it is in; the root is the first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) folders: Vec<IndexedFolder>,
    by_path: HashMap<String, usize>,
}

impl Default for Index {
    fn default() -> Self {
        Self { folders: vec![IndexedFolder::default()], by_path: HashMap::from([(String::new(), 0)]) }
    }
}

impl Index {
    /// Adds a folder; `None` when the one that it is in is missing.
    pub(super) fn add_folder(&mut self, path: &str) -> Option<()> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let place = self.folders.len();
        let around = *self.by_path.get(above)?;
        self.folders.get_mut(around)?.folders.push((name.to_owned(), place));
        self.folders.push(IndexedFolder { path: path.to_owned(), ..IndexedFolder::default() });
        self.by_path.insert(path.to_owned(), place);
        Some(())
    }

    /// Adds a file to the folder at a path; `None` when it is missing.
    pub(super) fn add_file(&mut self, folder: &str, file: IndexedFile) -> Option<()> {
        let place = *self.by_path.get(folder)?;
        self.folders.get_mut(place)?.files.push(file);
        Some(())
    }

    /// The size of its largest file, bytes.
    pub(super) fn largest(&self) -> u64 {
        self.folders.iter().flat_map(|folder| &folder.files).map(|file| file.size).max().unwrap_or_default()
    }

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        self.folders.iter().map(|folder| folder.files.len()).sum()
    }

    /// Whether every file has one of these modes.
    pub(super) fn has_modes(&self, modes: &[u32]) -> bool {
        self.folders.iter().flat_map(|folder| &folder.files).all(|file| modes.contains(&file.mode))
    }

    /// Writes it down, for the bundle with this digest, and seals it.
    pub(super) fn sealed(&self, bundle: &Digest, seal: &dyn Seal) -> Vec<u8> {
        let mut bytes = format!("{FORMAT} {bundle}\0").into_bytes();
        for folder in &self.folders {
            // Writing to memory does not fail.
            let _ = write!(bytes, "d {}\0", folder.path);
            for file in &folder.files {
                let IndexedFile { name, mode, size, time: FileTime { seconds, nanoseconds }, digest } = file;
                let _ = write!(bytes, "f {mode:o} {size} {seconds}.{nanoseconds} {digest} {name}\0");
            }
        }
        let seal = seal.seal(&bytes);
        bytes.extend(seal);
        bytes
    }

    /// Reads what [`Index::sealed`] wrote for the same bundle; `None` for anything else.
    pub(super) fn open(bytes: &[u8], bundle: &Digest, seal: &dyn Seal) -> Option<Self> {
        let (text, sealed) = bytes.split_last_chunk::<SEAL>()?;
        if !seal.is_sealed(text, sealed) {
            return None;
        }
        let mut records = str::from_utf8(text).ok()?.strip_suffix('\0')?.split('\0');
        if records.next()? != format!("{FORMAT} {bundle}") || records.next()? != "d " {
            return None;
        }
        let mut index = Self::default();
        let mut place = 0;
        for record in records {
            match record.split_once(' ')? {
                ("d", path) => {
                    place = index.folders.len();
                    index.add_folder(path)?;
                }
                ("f", file) => index.folders.get_mut(place)?.files.push(IndexedFile::parse(file)?),
                _ => return None,
            }
        }
        Some(index)
    }
}

impl IndexedFile {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(5, ' ');
        let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
        let size = fields.next()?.parse().ok()?;
        let (seconds, nanoseconds) = fields.next()?.split_once('.')?;
        let time = FileTime { seconds: seconds.parse().ok()?, nanoseconds: nanoseconds.parse().ok()? };
        let (digest, name) = (fields.next()?.parse().ok()?, fields.next()?);
        Some(Self { name: name.to_owned(), mode, size, time, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::kept::testing::TestSeal;

    fn file(name: &str, size: u64) -> IndexedFile {
        let time = FileTime { seconds: -7, nanoseconds: 5 };
        IndexedFile { name: name.to_owned(), mode: 0o500, size, time, digest: Digest::of(name.as_bytes()) }
    }

    fn index() -> Index {
        let mut index = Index::default();
        index.add_folder("a").unwrap();
        index.add_file("", file("f 400 strange\nname", 1)).unwrap();
        index.add_folder("a/b c").unwrap();
        index.add_file("a/b c", file("d x", u64::MAX)).unwrap();
        index.add_file("a", file("é", 0)).unwrap();
        index
    }

    #[test]
    fn an_index_comes_back_and_nothing_else_does() {
        let (seal, bundle) = (TestSeal(1), Digest::of(b"bundle"));
        let bytes = index().sealed(&bundle, &seal);
        assert_eq!(Index::open(&bytes, &bundle, &seal), Some(index()));
        assert_eq!(Index::open(&bytes, &Digest::of(b"another"), &seal), None, "that of another bundle");
        assert_eq!(Index::open(&bytes, &bundle, &TestSeal(2)), None, "by another key");
        for place in 0..bytes.len() {
            assert_eq!(Index::open(&bytes[..place], &bundle, &seal), None, "cut at {place}");
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert_eq!(Index::open(&other, &bundle, &seal), None, "changed at {place}");
        }
    }

    #[test]
    fn a_right_seal_does_not_make_nonsense_an_index() {
        let (seal, bundle) = (TestSeal(1), Digest::of(b"bundle"));
        let head = format!("{FORMAT} {bundle}\0d \0");
        let good = format!("f 400 1 0.0 {bundle} name\0");
        let sealed = |text: String| [text.as_bytes(), &seal.seal(text.as_bytes())].concat();
        assert!(Index::open(&sealed(format!("{head}{good}")), &bundle, &seal).is_some());
        for bad in ["x\0", "d a/b\0", "f 400 1 0.0 name\0", "f 9 1 0.0 x\0", "f\0", "\0", "f 400 -1 0.0 x y\0", "tail"]
        {
            assert!(Index::open(&sealed(format!("{head}{good}{bad}")), &bundle, &seal).is_none(), "{bad:?}");
        }
        for bad in ["", "\0", &good] {
            assert!(Index::open(&sealed(bad.to_owned()), &bundle, &seal).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn times_of_pax_have_parts_of_seconds() {
        for (text, expected) in [
            ("0", Some((0, 0))),
            ("1700000000", Some((1_700_000_000, 0))),
            ("1.5", Some((1, 500_000_000))),
            ("1.000000001999", Some((1, 1))),
            ("-1.25", Some((-2, 750_000_000))),
            ("-3", Some((-3, 0))),
            ("", None),
            ("now", None),
            ("1.x", None),
            ("99999999999999999999", None),
        ] {
            let expected = expected.map(|(seconds, nanoseconds)| FileTime { seconds, nanoseconds });
            assert_eq!(FileTime::parse(text.as_bytes()), expected, "{text}");
        }
        let early = FileTime { seconds: -2, nanoseconds: 750_000_000 }.of_system().unwrap();
        assert_eq!(UNIX_EPOCH.duration_since(early).unwrap(), Duration::from_millis(1250));
    }
}
