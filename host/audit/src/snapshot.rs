//! The files of a log at one moment, each up to its last line.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use cap_std::fs::Dir;

use crate::AuditError;
use crate::end::LogEnd;
use crate::log_folder::LogFolder;
use crate::log_folder::OpenMode;
use crate::running;
use smcp_model::limits;
use smcp_model::ownership::Caller;
use smcp_model::text::SafeText;

/// One file, up to the end of its last line.
#[derive(Debug)]
pub struct LogFile {
    /// Its name in messages.
    pub name: SafeText,
    /// How many bytes follow its last line: an unfinished record.
    pub torn: u64,
    pub(super) length: u64,
    pub(super) file: File,
    pub(super) path: std::path::PathBuf,
}

impl LogFile {
    /// Takes a file as it is now. It need not be in the folder of the log.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn new(file: File, path: &Path) -> Result<Self, AuditError> {
        let (length, torn) = LogEnd::extent(&file, path)?;
        let name = SafeText::new(&path.display().to_string());
        Ok(Self { name, torn, length, file, path: path.to_path_buf() })
    }

    /// Returns when its last record was written; `None` when it does not say.
    ///
    /// # Errors
    /// As [`LogEnd::of`].
    pub fn last_time(&self) -> Result<Option<SystemTime>, AuditError> {
        Ok(LogEnd::of(&self.file, &self.path)?.time)
    }

    /// Calls `each` with every line, its line feed included, and its number from 1. A line that is longer than any
    /// record is cut.
    pub(super) fn lines(&mut self, mut each: impl FnMut(u64, &[u8])) -> Result<(), AuditError> {
        let failed = AuditError::io("read", &self.path);
        let most = usize::try_from(limits::AUDIT_RECORD).unwrap_or(usize::MAX);
        std::io::Seek::rewind(&mut self.file).map_err(&failed)?;
        let (mut chunk, mut left) = (Vec::with_capacity(CHUNK), self.length);
        let mut number = 0_u64;
        loop {
            let mut rest = chunk.as_slice();
            while let Some((line, after)) = next_line(rest, most) {
                number = number.saturating_add(1);
                each(number, line);
                rest = after;
            }
            let done = chunk.len().saturating_sub(rest.len());
            chunk.drain(..done);
            // A line that is longer than the chunk is read on from where it ends.
            let room = left.min(u64::try_from(chunk.len().max(CHUNK)).unwrap_or(u64::MAX));
            let read = (&mut self.file).take(room).read_to_end(&mut chunk).map_err(&failed)?;
            left = left.saturating_sub(room);
            if read == 0 {
                break;
            }
        }
        if !chunk.is_empty() {
            each(number.saturating_add(1), &chunk);
        }
        Ok(())
    }
}

/// So much of a file is read at once, bytes: a few hundred records.
const CHUNK: usize = 1 << 20;

/// Returns the first line, or so much of it as a record may have, and what follows; `None` when it has no end yet.
fn next_line(text: &[u8], most: usize) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', text).map(|at| at.saturating_add(1));
    let end = end.or_else(|| (text.len() >= most).then_some(most))?.min(most);
    text.split_at_checked(end)
}

/// The files of a log at one moment, oldest first. Writers may append meanwhile.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The files.
    pub parts: Vec<LogFile>,
    /// The runs whose servers are alive.
    pub living: BTreeSet<u64>,
    /// Files beside the log that look like parts of it, but that smcp did not put aside.
    pub foreign: Vec<SafeText>,
}

impl Snapshot {
    /// Takes a snapshot of the log at the absolute path `log`, whose folder is `dir`.
    ///
    /// # Errors
    /// See [`AuditError`]. A missing log is not an error.
    pub fn take(dir: Dir, log: &Path, caller: Caller) -> Result<Self, AuditError> {
        let folder = LogFolder::new(dir, log, caller)?;
        // The lock makes sure that no file is put aside meanwhile.
        let _lock = folder.lock_to_read()?;
        let mut names: Vec<_> = folder.put_aside()?.into_iter().map(|number| folder.names.old(number)).collect();
        names.push(folder.names.log.clone());
        let mut parts = Vec::new();
        for name in names {
            if let Some(file) = folder.open_existing(&name, OpenMode::Read)? {
                parts.push(LogFile::new(file, &folder.path(&name))?);
            }
        }
        let mut foreign = folder.entries()?;
        foreign.retain(|name| folder.names.is_foreign_part(name));
        foreign.sort();
        let foreign = foreign.iter().map(|name| SafeText::new(name)).collect();
        Ok(Self { parts, living: running::living(&folder).unwrap_or_default(), foreign })
    }
}
