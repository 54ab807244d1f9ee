//! Which names a bundle has used: none twice, nor in two spellings.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use crate::unpack::ArchiveError;
use crate::unpack::name::EntryName;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
}

/// Every entry so far, and the folders that they imply.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: Folder,
    count: usize,
}

/// By name without regard to case: some file systems have none, and two entries that are one file there are a trap.
#[derive(Debug, Default)]
struct Folder(HashMap<String, Node>);

#[derive(Debug)]
struct Node {
    spelling: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File,
    /// `listed` is whether the archive has an entry for it, or only for what is in it.
    Folder {
        listed: bool,
        inside: Folder,
    },
}

impl Tree {
    /// Counts something that takes a place in the archive.
    pub(crate) fn count(&mut self) -> Result<(), ArchiveError> {
        bump(&mut self.count)
    }

    /// Adds an entry, and tells which folders have to be made for it, outermost first.
    pub(crate) fn insert(&mut self, name: &EntryName, kind: Kind) -> Result<Vec<PathBuf>, ArchiveError> {
        let Some((last, parents)) = name.parts().split_last() else { return Ok(Vec::new()) };
        let collision = |problem| ArchiveError::Collision { entry: SafeText::new(&name.to_string()), problem };
        let Self { root, count } = self;
        let mut folder = root;
        let mut made = Vec::new();
        for (above, part) in parents.iter().enumerate() {
            let node = match folder.0.entry(part.to_lowercase()) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(free) => {
                    bump(count)?;
                    made.push(name.path(above + 1));
                    free.insert(Node::folder(part, false))
                }
            };
            if node.spelling != *part {
                return Err(collision(CASE));
            }
            folder = match &mut node.content {
                Content::Folder { inside, .. } => inside,
                Content::File => return Err(collision("lies inside of something that is a file")),
            };
        }
        let node = match folder.0.entry(last.to_lowercase()) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => {
                free.insert(Node::new(last, kind));
                made.extend((kind == Kind::Folder).then(|| name.full_path()));
                return Ok(made);
            }
        };
        node.list_again(last, kind).map(|()| made).map_err(collision)
    }
}

const CASE: &str = "differs from another entry in case only";

impl Node {
    fn new(name: &str, kind: Kind) -> Self {
        match kind {
            Kind::File => Self { spelling: name.to_owned(), content: Content::File },
            Kind::Folder => Self::folder(name, true),
        }
    }

    fn folder(name: &str, listed: bool) -> Self {
        Self { spelling: name.to_owned(), content: Content::Folder { listed, inside: Folder::default() } }
    }

    /// Something with this name is there: that is fine only for a folder that was implied so far.
    fn list_again(&mut self, name: &str, kind: Kind) -> Result<(), &'static str> {
        if self.spelling != name {
            return Err(CASE);
        }
        match (&mut self.content, kind) {
            (Content::Folder { listed, .. }, Kind::Folder) if !*listed => {
                *listed = true;
                Ok(())
            }
            (Content::Folder { .. }, Kind::Folder) | (Content::File, Kind::File) => Err("stands in it twice"),
            (Content::Folder { .. }, Kind::File) | (Content::File, Kind::Folder) => Err("is a file and a directory"),
        }
    }
}

fn bump(count: &mut usize) -> Result<(), ArchiveError> {
    *count = count.saturating_add(1);
    if *count > limits::BUNDLE_ENTRIES {
        return Err(ArchiveError::TooManyEntries { limit: limits::BUNDLE_ENTRIES });
    }
    Ok(())
}
