//! Finds the files that a server wrote into its folder.
//!
//! These are the files that are not in the bundle, and those that differ from it.
//!
//! The folder of a run is removed at its end, with all that was written there. The user is warned about the loss.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::Metadata;
use cap_std::fs::MetadataExt as _;

use crate::unpack::index::FileTime;
use crate::unpack::index::Index;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// The folder of Python's compiled code. Python makes it again when needed, so it is not a loss.
const BYTE_CODE: &str = "__pycache__";

/// The files of a bundle as unpacked: a hash for each, to save memory while a server runs for months.
#[derive(Debug, Default)]
pub(super) struct Contents {
    seed: RandomState,
    /// Hashes of path, length and time of the last change; sorted once they are complete.
    files: Vec<u64>,
}

impl Contents {
    /// The contents of a bundle that was unpacked.
    pub(super) fn of(index: &Index) -> Self {
        let mut contents = Self::default();
        for folder in &index.folders {
            let above = Path::new(&folder.path);
            for file in &folder.files {
                contents.files.push(contents.fingerprint(&above.join(&file.name), file.size, file.time));
            }
        }
        contents.files.sort_unstable();
        contents.files.shrink_to_fit();
        contents
    }

    fn fingerprint(&self, path: &Path, size: u64, time: FileTime) -> u64 {
        self.seed.hash_one((path, size, time))
    }

    fn has(&self, path: &Path, metadata: &Metadata) -> bool {
        let time = FileTime { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() };
        self.files.binary_search(&self.fingerprint(path, metadata.len(), time)).is_ok()
    }

    /// Returns the files that are in a folder and not in the bundle. A folder that can't be read is skipped: its files can't
    /// be compared, and the run has to end all the same.
    pub(super) fn left_in(&self, root: &Dir) -> Left {
        let mut search = LeftSearch { contents: self, root, left: Left::default(), seen: 0 };
        let mut todo = vec![PathBuf::new()];
        while let Some(folder) = todo.pop() {
            if let Err(error) = search.folder(&folder, &mut todo) {
                tracing::debug!(folder = %folder.display(), %error, "a folder of the run could not be looked at");
            }
            if search.seen >= limits::LEFT_LOOKED_AT {
                break;
            }
        }
        search.left.lost.names.sort();
        search.left
    }
}

struct LeftSearch<'s> {
    contents: &'s Contents,
    root: &'s Dir,
    left: Left,
    seen: usize,
}

impl LeftSearch<'_> {
    fn folder(&mut self, folder: &Path, todo: &mut Vec<PathBuf>) -> io::Result<()> {
        let entries = if folder.as_os_str().is_empty() { self.root.entries()? } else { self.root.read_dir(folder)? };
        let is_byte_code = folder.file_name().is_some_and(|name| name == BYTE_CODE);
        for entry in entries.take(limits::LEFT_LOOKED_AT.saturating_sub(self.seen)) {
            self.seen = self.seen.saturating_add(1);
            let entry = entry?;
            let path = folder.join(entry.file_name());
            // The metadata of the entry itself: a link is not followed.
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                todo.push(path);
            } else if (metadata.is_file() || metadata.is_symlink()) && !self.contents.has(&path, &metadata) {
                if is_byte_code {
                    self.left.byte_code.push(path);
                } else {
                    self.left.lost.add(&path);
                }
            }
        }
        Ok(())
    }
}

/// What a server wrote beside its program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// What is lost.
    pub lost: LeftBehind,
    /// Byte code of Python, which makes it again when it needs it.
    pub byte_code: Vec<PathBuf>,
}

/// The files that are lost when the folder of a run is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Their number.
    pub count: usize,
    /// The paths of some of them, below the bundle's root.
    pub names: Vec<SafeText>,
}

impl LeftBehind {
    fn add(&mut self, path: &Path) {
        self.count = self.count.saturating_add(1);
        if self.names.len() < limits::LEFT_NAMED {
            self.names.push(SafeText::quoted(&path.to_string_lossy()));
        }
    }
}
