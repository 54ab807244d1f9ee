//! Replaces the files of clients, all or none.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;

use crate::cli::client::file::ClientFile;
use crate::cli::scan::ServerFile;

/// A file with its new text.
pub(super) struct ChangedFile<'f> {
    pub(super) file: &'f ServerFile,
    pub(super) old: &'f str,
    pub(super) new: String,
}

/// Replaces every file, or none: when one fails, those before it are put back, and their backups removed. Returns the backup
/// of each.
pub(super) fn replace_all(changed: &[ChangedFile<'_>]) -> anyhow::Result<Vec<Option<PathBuf>>> {
    // The import may have taken long.
    for change in changed {
        open(&change.file.path, change.old)?;
    }
    let mut backups: Vec<Option<PathBuf>> = Vec::new();
    for change in changed {
        let path = &change.file.path;
        let done = open(path, change.old).and_then(|file| Ok(file.replace(&change.new)?));
        match done.with_context(|| format!("{} was not changed", path.display())) {
            Ok(backup) => backups.push(backup),
            Err(error) => {
                for (earlier, backup) in changed.iter().zip(&backups) {
                    let path = &earlier.file.path;
                    open(path, &earlier.new)
                        .and_then(|file| Ok(file.put_back(earlier.old, backup.as_deref())?))
                        .with_context(|| format!("{} could not be put back after this: {error:#}", path.display()))?;
                }
                return Err(error.context("nothing was changed"));
            }
        }
    }
    Ok(backups)
}

/// Opens a file that has to be as it was read.
pub(super) fn open(path: &Path, text: &str) -> anyhow::Result<ClientFile> {
    let file = ClientFile::open(path).with_context(|| format!("{} can't be changed", path.display()))?;
    if file.text() != text {
        return Err(anyhow!("{} has changed meanwhile; try again", path.display()));
    }
    Ok(file)
}
