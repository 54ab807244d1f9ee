//! What a server left beside its program.
//!
//! Files that the bundle doesn't have, and those that are not as it has them.
//!
//! The folder of a run is removed at its end, and what was written there with it. Whoever loses something hears of it.

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

/// Where Python keeps compiled code. It makes it again whenever it wants it, so nobody loses any.
const BYTE_CODE: &str = "__pycache__";

/// Every file of a bundle as it was unpacked: a number for each, since a server may run for months with a large one.
#[derive(Debug, Default)]
pub(super) struct Contents {
    seed: RandomState,
    /// Of path, length and time of the last change; sorted once they are all known.
    files: Vec<u64>,
}

impl Contents {
    /// Adds a file that was written.
    pub(super) fn add(&mut self, path: &Path, metadata: &Metadata) {
        self.files.push(self.number(path, metadata));
    }

    /// Ends it.
    pub(super) fn finish(&mut self) {
        self.files.sort_unstable();
        self.files.shrink_to_fit();
    }

    fn number(&self, path: &Path, metadata: &Metadata) -> u64 {
        self.seed.hash_one((path, metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    }

    fn has(&self, path: &Path, metadata: &Metadata) -> bool {
        self.files.binary_search(&self.number(path, metadata)).is_ok()
    }

    /// What is in the folder of a run and not in the bundle. What can't be looked at is passed over: it can't be told
    /// from what was there, and is no reason not to end.
    pub(super) fn left_in(&self, root: &Dir) -> LeftBehind {
        let mut left = LeftBehind::default();
        let mut todo = vec![PathBuf::new()];
        let mut seen: usize = 0;
        while let Some(folder) = todo.pop() {
            let looked = self.look(root, &folder, &mut todo, &mut left, &mut seen);
            if let Err(error) = looked {
                tracing::debug!(folder = %folder.display(), %error, "a folder of the run could not be looked at");
            }
            if seen >= limits::LEFT_LOOKED_AT {
                break;
            }
        }
        left.names.sort();
        left
    }

    fn look(
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
            // Of the entry itself: a link is not followed.
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

/// Files that go with the folder of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// How many.
    pub count: usize,
    /// The paths of some of them, below the bundle's root.
    pub names: Vec<SafeText>,
}

impl LeftBehind {
    fn add(&mut self, path: &Path) {
        self.count = self.count.saturating_add(1);
        if self.names.len() < limits::LEFT_NAMED {
            let name: String = path.to_string_lossy().chars().take(limits::LEFT_NAME).collect();
            self.names.push(SafeText::new(&name));
        }
    }
}
