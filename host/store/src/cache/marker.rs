//! The file that marks a folder as a cache of smcp.
//!
//! It is a `CACHEDIR.TAG`, which tells backups what they may leave out, with a line of ours in it. A folder with
//! contents and without this file belongs to the user and is refused, unless it is a cache of an earlier version.

use std::io;
use std::io::Write as _;

use cap_std::fs::Dir;

use crate::access::StoreAccess;
use crate::blobs;
use crate::compiled;
use crate::draft;
use crate::draft::FileDraft;
use crate::error::FolderProblem;
use crate::error::StoreError;
use crate::file::open_file;
use crate::folder::FolderGuard;
use crate::resolutions;
use crate::runs;
use crate::sources;
use crate::trees;
use smcp_model::bounded;
use smcp_model::limits;
use smcp_model::text::SafeText;

const FILE: &str = "CACHEDIR.TAG";
/// The first line of every `CACHEDIR.TAG`.
const SIGNATURE: &str = "Signature: 8a477f597d28d172789f06886806bc55";
/// The line that only our file has.
const OWNER: &str = "# This folder is the cache of smcp.";
/// The folder that ext file systems have in their root.
const OF_FILE_SYSTEMS: &str = "lost+found";

/// Finds the first name in a folder of the cache that is not one of ours.
type FindForeign = fn(&Dir) -> io::Result<Option<String>>;

/// The folders of a cache.
pub(super) const FOLDERS: [(&str, FindForeign); 6] = [
    (blobs::FOLDER, blobs::foreign),
    (compiled::FOLDER, compiled::foreign),
    (resolutions::FOLDER, resolutions::foreign),
    (runs::FOLDER, runs::foreign),
    (sources::FOLDER, sources::foreign),
    (trees::FOLDER, trees::foreign),
];

/// Accepts a folder as a cache, and marks it: it has our marker, is empty, or was made by an earlier version.
///
/// # Errors
/// With a [`StoreError`] inside when it is another folder.
pub(super) fn ensure_cache(dir: &Dir, guard: &FolderGuard) -> io::Result<()> {
    if is_marked(dir)? {
        return Ok(());
    }
    if let Some(found) = foreign(dir)? {
        // Another process may have marked it meanwhile.
        if is_marked(dir)? {
            return Ok(());
        }
        let error = FolderProblem::NotACache(found).at(guard.path());
        return Err(io::Error::other(StoreError::from(error)));
    }
    match mark(dir) {
        // Still a cache: where nothing can be written, nothing is removed either.
        Err(error) if matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) => {
            tracing::debug!(%error, "the cache could not be marked");
            Ok(())
        }
        // Written first: the next run would refuse an unmarked folder with contents.
        marked => marked,
    }
}

fn is_marked(dir: &Dir) -> io::Result<bool> {
    let Some(file) = open_file(dir, FILE)? else { return Ok(false) };
    let text = bounded::read_beginning(file, limits::CACHE_MARKER)?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.starts_with(SIGNATURE) && text.lines().any(|line| line.starts_with(OWNER)))
}

fn mark(dir: &Dir) -> io::Result<()> {
    let mut draft = FileDraft::new(dir, StoreAccess::Shared)?;
    let more = "# What is in it can be downloaded again; `smcp cache` lists and removes it.";
    writeln!(draft, "{SIGNATURE}\n{OWNER}\n{more}\n# About such files: https://bford.info/cachedir/")?;
    draft.keep(FILE)
}

/// Finds the first entry of an unmarked folder that no version of smcp made.
fn foreign(dir: &Dir) -> io::Result<Option<SafeText>> {
    let mut folders = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == OF_FILE_SYSTEMS || draft::is_name(&name) {
            continue;
        }
        match FOLDERS.iter().find(|(folder, _)| *folder == name) {
            Some(folder) if entry.file_type()?.is_dir() => folders.push(*folder),
            Some(_) | None => return Ok(Some(SafeText::new(&name))),
        }
    }
    // Earlier versions always made this folder first. Other tools have a folder `blobs` too, with names like ours in it.
    let is_ours = folders.iter().any(|(name, _)| *name == runs::FOLDER);
    for (folder, foreign) in folders {
        if !is_ours && dir.open_dir(folder)?.entries()?.next().is_some() {
            return Ok(Some(SafeText::new(folder)));
        }
        if let Some(found) = foreign(&dir.open_dir(folder)?)? {
            return Ok(Some(SafeText::new(&format!("{folder}/{found}"))));
        }
    }
    Ok(None)
}
