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
    /// Adds a file that was written.
    pub(super) fn add(&mut self, path: &Path, metadata: &Metadata) {
        self.files.push(self.fingerprint(path, metadata));
    }

    /// Completes the list.
    pub(super) fn finish(&mut self) {
        self.files.sort_unstable();
        self.files.shrink_to_fit();
    }

    fn fingerprint(&self, path: &Path, metadata: &Metadata) -> u64 {
        self.seed.hash_one((path, metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    }

    fn has(&self, path: &Path, metadata: &Metadata) -> bool {
        self.files.binary_search(&self.fingerprint(path, metadata)).is_ok()
    }

    /// Returns the files that are in the folder of a run and not in the bundle. A folder that can't be read is skipped:
    /// its files can't be compared, and the run has to end all the same.
    pub(super) fn left_in(&self, root: &Dir) -> LeftBehind {
        let mut left = LeftBehind::default();
        let mut todo = vec![PathBuf::new()];
        let mut seen: usize = 0;
        while let Some(folder) = todo.pop() {
            let compared = self.compare_folder(root, &folder, &mut todo, &mut left, &mut seen);
            if let Err(error) = compared {
                tracing::debug!(folder = %folder.display(), %error, "a folder of the run could not be looked at");
            }
            if seen >= limits::LEFT_LOOKED_AT {
                break;
            }
        }
        left.names.sort();
        left
    }

    fn compare_folder(
        &self,
        root: &Dir,
        folder: &Path,
        todo: &mut Vec<PathBuf>,
        left: &mut LeftBehind,
        seen: &mut usize,
    ) -> io::Result<()> {
        let entries = if folder.as_os_str().is_empty() { root.entries()? } else { root.read_dir(folder)? };
        for entry in entries.take(limits::LEFT_LOOKED_AT.saturating_sub(*seen)) {
            *seen = seen.saturating_add(1);
            let entry = entry?;
            let path = folder.join(entry.file_name());
            // The metadata of the entry itself: a link is not followed.
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                if entry.file_name() != BYTE_CODE {
                    todo.push(path);
                }
            } else if (metadata.is_file() || metadata.is_symlink()) && !self.has(&path, &metadata) {
                left.add(&path);
            }
        }
        Ok(())
    }
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
