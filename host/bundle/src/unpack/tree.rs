//! Refuses names that a bundle uses twice, or in two spellings.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use crate::unpack::ArchiveError;
use crate::unpack::name::EntryName;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
}

/// Every entry so far, and the folders implied by their names.
#[derive(Debug)]
pub(crate) struct EntryTree {
    root: TreeFolder,
    count: usize,
    most: usize,
}

/// Has room for the entries of a bundle.
impl Default for EntryTree {
    fn default() -> Self {
        Self::bounded(limits::BUNDLE_ENTRIES)
    }
}

/// The entries of a folder by lower-case name: on some file systems, names that differ in case are the same file.
#[derive(Debug, Default)]
struct TreeFolder(HashMap<String, TreeNode>);

#[derive(Debug)]
struct TreeNode {
    spelling: String,
    content: NodeContent,
}

#[derive(Debug)]
enum NodeContent {
    File,
    /// `listed` is whether the archive has an entry for the folder itself, not only for its contents.
    Folder {
        listed: bool,
        inside: TreeFolder,
    },
}

impl EntryTree {
    /// Has room for `most` entries.
    pub(crate) fn bounded(most: usize) -> Self {
        Self { root: TreeFolder::default(), count: 0, most }
    }

    /// Counts an entry or a header of the archive.
    pub(crate) fn count(&mut self) -> Result<(), ArchiveError> {
        bump(&mut self.count, self.most)
    }

    /// Adds an entry. Returns the folders to be made for it, outermost first.
    pub(crate) fn insert(&mut self, name: &EntryName, kind: EntryKind) -> Result<Vec<PathBuf>, ArchiveError> {
        let Some((last, parents)) = name.parts().split_last() else { return Ok(Vec::new()) };
        let collision = |problem| ArchiveError::Collision { entry: SafeText::new(&name.to_string()), problem };
        let Self { root, count, most } = self;
        let mut folder = root;
        let mut made = Vec::new();
        for (above, part) in parents.iter().enumerate() {
            let node = match folder.0.entry(part.to_lowercase()) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(free) => {
                    bump(count, *most)?;
                    made.push(name.path(above + 1));
                    free.insert(TreeNode::folder(part, false))
                }
            };
            if node.spelling != *part {
                return Err(collision(CASE));
            }
            folder = match &mut node.content {
                NodeContent::Folder { inside, .. } => inside,
                NodeContent::File => return Err(collision("lies inside of something that is a file")),
            };
        }
        let node = match folder.0.entry(last.to_lowercase()) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => {
                free.insert(TreeNode::new(last, kind));
                made.extend((kind == EntryKind::Folder).then(|| name.full_path()));
                return Ok(made);
            }
        };
        node.list_again(last, kind).map(|()| made).map_err(collision)
    }
}

const CASE: &str = "differs from another entry in case only";

impl TreeNode {
    fn new(name: &str, kind: EntryKind) -> Self {
        match kind {
            EntryKind::File => Self { spelling: name.to_owned(), content: NodeContent::File },
            EntryKind::Folder => Self::folder(name, true),
        }
    }

    fn folder(name: &str, listed: bool) -> Self {
        Self { spelling: name.to_owned(), content: NodeContent::Folder { listed, inside: TreeFolder::default() } }
    }

    /// Adds an entry whose name is taken: allowed only for a folder that was implied so far.
    fn list_again(&mut self, name: &str, kind: EntryKind) -> Result<(), &'static str> {
        if self.spelling != name {
            return Err(CASE);
        }
        match (&mut self.content, kind) {
            (NodeContent::Folder { listed, .. }, EntryKind::Folder) if !*listed => {
                *listed = true;
                Ok(())
            }
            (NodeContent::Folder { .. }, EntryKind::Folder) | (NodeContent::File, EntryKind::File) => {
                Err("stands in it twice")
            }
            (NodeContent::Folder { .. }, EntryKind::File) | (NodeContent::File, EntryKind::Folder) => {
                Err("is a file and a directory")
            }
        }
    }
}

fn bump(count: &mut usize, most: usize) -> Result<(), ArchiveError> {
    *count = count.saturating_add(1);
    if *count > most {
        return Err(ArchiveError::TooManyEntries { limit: most });
    }
    Ok(())
}
