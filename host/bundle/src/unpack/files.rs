//! Reads an archive in memory: a policy set file by file, one file of a bundle.
//!
//! It is read by the rules of bundles, with its own bounds; nothing of it is written anywhere.

use std::io::Read;
use std::path::Path;

use crate::unpack::ArchiveError;
use crate::unpack::EntryName;
use crate::unpack::extract::ArchiveBounds;
use crate::unpack::extract::EntrySink;
use crate::unpack::extract::ExtractFailure;
use crate::unpack::extract::copy_entry;
use crate::unpack::extract::walk;
use crate::unpack::index::FileTime;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::limits::sets;
use smcp_model::number;
use smcp_model::text::SafeText;

/// Hands each file of the archive of a policy set to `take`, with its path there, in the order of the archive. One file at
/// a time is in memory.
///
/// # Errors
/// When the archive holds something other than files and folders, a name that could lead out of it, a name twice, too
/// much, or is not one whole tar.gz. What was handed over until then must not be used.
pub fn read_set(archive: &[u8], take: &mut dyn FnMut(String, Vec<u8>)) -> Result<(), ArchiveError> {
    let bounds = ArchiveBounds { entries: sets::ENTRIES, bytes: sets::UNPACKED };
    walk_in_memory(archive, MemorySink { take }, bounds).map(drop)
}

/// Returns the contents of the file at `path` in a bundle; `None` when there is none. The whole of the bundle is read.
///
/// # Errors
/// When the archive is not as a bundle has to be, or the file has more than `limit` bytes.
pub fn read_one(archive: impl Read, path: &str, limit: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
    let bounds = ArchiveBounds { entries: limits::BUNDLE_ENTRIES, bytes: limits::BUNDLE_UNPACKED };
    let OneFileSink { found, .. } = walk_in_memory(archive, OneFileSink { path, limit, found: None }, bounds)?;
    Ok(found)
}

/// Walks through an archive of which nothing is written anywhere: what fails is the archive.
fn walk_in_memory<S: EntrySink>(archive: impl Read, sink: S, bounds: ArchiveBounds) -> Result<S, ArchiveError> {
    let damaged = |problem: String| ArchiveError::Damaged { problem: SafeText::new(&problem) };
    walk(archive, sink, bounds, &Deadline::none()).map_err(|failure| match failure {
        ExtractFailure::Archive(problem) => problem,
        ExtractFailure::Write(error) => damaged(error.to_string()),
        ExtractFailure::Halted(halted) => damaged(halted.to_string()),
    })
}

struct OneFileSink<'p> {
    path: &'p str,
    limit: usize,
    found: Option<Vec<u8>>,
}

impl EntrySink for OneFileSink<'_> {
    fn folder(&mut self, _: &Path, _: &EntryName) -> Result<(), ExtractFailure> {
        Ok(())
    }

    fn file<R: Read>(
        &mut self,
        name: &EntryName,
        _: Option<FileTime>,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), ExtractFailure> {
        if name.to_string() != self.path {
            return copy_entry(entry, &mut std::io::sink(), name);
        }
        if entry.size() > number::wide(self.limit) {
            return Err(ArchiveError::TooManyBytes { limit: number::wide(self.limit) }.into());
        }
        let mut contents = Vec::new();
        copy_entry(entry, &mut contents, name)?;
        self.found = Some(contents);
        Ok(())
    }
}

struct MemorySink<'t> {
    take: &'t mut dyn FnMut(String, Vec<u8>),
}

impl EntrySink for MemorySink<'_> {
    fn folder(&mut self, _: &Path, _: &EntryName) -> Result<(), ExtractFailure> {
        Ok(())
    }

    fn file<R: Read>(
        &mut self,
        name: &EntryName,
        _: Option<FileTime>,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), ExtractFailure> {
        let mut contents = Vec::new();
        copy_entry(entry, &mut contents, name)?;
        (self.take)(name.to_string(), contents);
        Ok(())
    }
}
