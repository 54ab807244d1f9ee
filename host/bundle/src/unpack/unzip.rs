//! Unpacks an MCP bundle into a folder.
//!
//! The whole archive is in memory: what is unpacked are the bytes that were hashed while they were read.

use std::io::Read;
use std::io::Write as _;
use std::path::Path;

use cap_std::fs::Dir;

use crate::mcpb::McpbArchive;
use crate::mcpb::McpbError;
use crate::mcpb::ZipEntry;
use crate::unpack::ArchiveError;
use crate::unpack::EntryKind;
use crate::unpack::EntryName;
use crate::unpack::EntryTree;
use crate::unpack::extract::EntrySink as _;
use crate::unpack::extract::ExtractFailure;
use crate::unpack::extract::FolderSink;
use crate::unpack::extract::damaged;
use crate::unpack::extract::write_failed;
use crate::unpack::index::FileTime;
use crate::unpack::index::Index;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_store::stream::Halted;

/// The time of every file. Those of the archive are in the time zone of whoever packed it, which it does not say.
const TIME: FileTime = FileTime { seconds: 0, nanoseconds: 0 };

impl From<McpbError> for ExtractFailure {
    fn from(problem: McpbError) -> Self {
        ArchiveError::from(problem).into()
    }
}

/// Unpacks a whole MCP bundle into `root`. Returns what it had.
pub(super) fn extract(
    source: impl Read,
    root: &Dir,
    deadline: &Deadline,
    interrupted: &dyn Fn() -> bool,
) -> Result<Index, ExtractFailure> {
    let limit = usize::try_from(limits::BUNDLE).unwrap_or(usize::MAX);
    let Some(bytes) = bounded::read_within(source, limit, 0).map_err(damaged)? else {
        return Err(ArchiveError::TooManyBytes { limit: limits::BUNDLE }.into());
    };
    let archive = McpbArchive::read(&bytes)?;
    let (mut tree, mut sink) = (EntryTree::default(), FolderSink::new(root));
    let go_on = || {
        deadline.check().map_err(|expired| ExtractFailure::Halted(expired.into()))?;
        if interrupted() { Err(ExtractFailure::Halted(Halted::Interrupted)) } else { Ok(()) }
    };
    for entry in archive.entries() {
        go_on()?;
        take(entry, &mut tree, &mut sink, &go_on)?;
    }
    Ok(sink.into_index())
}

fn take(
    entry: &ZipEntry<'_>,
    tree: &mut EntryTree,
    sink: &mut FolderSink<'_>,
    go_on: &dyn Fn() -> Result<(), ExtractFailure>,
) -> Result<(), ExtractFailure> {
    let name = EntryName::parse(entry.name.as_bytes())?;
    tree.count()?;
    let kind = if entry.is_folder { EntryKind::Folder } else { EntryKind::File };
    for folder in tree.insert(&name, kind)? {
        sink.folder(Path::new(&folder), &name)?;
    }
    if entry.is_folder {
        return Ok(());
    }
    sink.write(&name, entry.is_executable, Some(TIME), |file| {
        entry.unpack(&mut |piece| {
            go_on()?;
            file.write_all(piece).map_err(|error| write_failed(error, &name))
        })
    })
}

#[cfg(test)]
mod tests;
