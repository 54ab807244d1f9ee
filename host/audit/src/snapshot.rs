//! The files of a log at one moment, each up to its last line.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::path::Path;

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

    /// Calls `each` with every line, its line feed included, and its number from 1. A line that is longer than any
    /// record is cut.
    pub(super) fn lines(&mut self, mut each: impl FnMut(u64, &[u8])) -> Result<(), AuditError> {
        let failed = AuditError::io("read", &self.path);
        std::io::Seek::rewind(&mut self.file).map_err(&failed)?;
        let mut reader = BufReader::with_capacity(1 << 16, (&mut self.file).take(self.length));
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            line.clear();
            (&mut reader).take(limits::AUDIT_RECORD).read_until(b'\n', &mut line).map_err(&failed)?;
            if line.is_empty() {
                return Ok(());
            }
            number = number.saturating_add(1);
            each(number, &line);
        }
    }
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
