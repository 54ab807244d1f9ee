//! Appending: one record at a time, whole and durable, or not at all.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::SystemTime;

use cap_std::fs::Dir;

use crate::audit::AuditError;
use crate::audit::Entry;
use crate::audit::LOG;
use crate::audit::end::End;
use crate::audit::heads::Heads;
use crate::audit::place;
use crate::audit::place::Access;
use crate::audit::place::Place;
use crate::model::audit::Head;
use crate::model::digest::Digest;
use crate::model::limits;

/// Tells the time.
pub type Clock = fn() -> SystemTime;

/// A log that records are appended to.
#[derive(Debug)]
pub struct Journal {
    place: Place,
    clock: Clock,
    heads: Option<Heads>,
    file_limit: u64,
}

/// The file that is written to, and where.
struct Current {
    file: File,
    /// Where the next line goes; behind it there may be a torn one.
    length: u64,
    torn: u64,
    last: Head,
}

impl Journal {
    /// The log in the folder `dir`, whose absolute path is `path`: is it safe, can it be written, and does it end with
    /// a record?
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn open(dir: Dir, path: &Path, clock: Clock) -> Result<Self, AuditError> {
        let journal = Self { place: Place::new(dir, path)?, clock, heads: None, file_limit: limits::AUDIT_FILE };
        let _lock = journal.place.lock()?;
        journal.current()?;
        Ok(journal)
    }

    /// From now on, [`announce`](Self::announce) tells the system's log of heads, over a socket.
    ///
    /// # Errors
    /// [`AuditError::Head`].
    pub fn send_heads(&mut self, socket: UnixDatagram) -> Result<(), AuditError> {
        self.heads = Some(Heads::new(socket)?);
        Ok(())
    }

    /// The same log, whose files are put aside when they would grow beyond `limit` bytes.
    #[must_use]
    pub fn with_file_limit(self, limit: u64) -> Self {
        Self { file_limit: limit, ..self }
    }

    /// Appends a record; when this returns it is on the disk.
    ///
    /// # Errors
    /// When it can't be. Then the log is as it was, or as a killed writer would leave it.
    pub fn append(&self, entry: &Entry) -> Result<Head, AuditError> {
        let _lock = self.place.lock()?;
        let mut current = self.current()?;
        let line = entry.line(current.last, (self.clock)(), current.torn)?;
        let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if current.length > 0 && current.length.saturating_add(size) > self.file_limit {
            self.put_aside(&current)?;
            current = Current { file: self.create()?, length: 0, torn: 0, ..current };
        }
        let path = self.place.path(LOG);
        if let Err(cause) = write(&current, &line) {
            // Nobody was told that it was written. Should this fail as well, the next writer does it.
            drop(current.file.set_len(current.length));
            return Err(AuditError::Io { doing: "write to", path, cause });
        }
        Ok(Head { seq: current.last.seq.saturating_add(1), digest: Digest::of(&line) })
    }

    /// Tells the system's log of a new head, if it is to be told.
    ///
    /// # Errors
    /// [`AuditError::Head`].
    pub fn announce(&self, head: Head) -> Result<(), AuditError> {
        self.heads.as_ref().map_or(Ok(()), |heads| heads.send(head, &self.place.path(LOG)))
    }

    /// The file that is written to, made when it is not there, and the record that the next one follows.
    fn current(&self) -> Result<Current, AuditError> {
        let path = self.place.path(LOG);
        let file = match self.place.open_existing(LOG, Access::Write)? {
            Some(file) => file,
            None => self.create()?,
        };
        let End { head, length, torn } = End::of(&file, &path)?;
        let last = match head {
            Some(head) => head,
            None => self.end_of_old()?,
        };
        Ok(Current { file, length, torn, last })
    }

    fn create(&self) -> Result<File, AuditError> {
        let file = self.place.open(LOG, Access::CreateNew)?;
        self.place.sync()?;
        Ok(file)
    }

    /// The last record of the files that were put aside.
    fn end_of_old(&self) -> Result<Head, AuditError> {
        let Some(newest) = self.place.put_aside()?.pop() else { return Ok(Head::NOTHING) };
        let name = place::name_of(newest);
        let path = self.place.path(&name);
        let End { head, torn, .. } = End::of(&self.place.open(&name, Access::Read)?, &path)?;
        match (head, torn) {
            (Some(head), 0) => Ok(head),
            (None | Some(_), _) => Err(AuditError::Damaged { path, what: "it does not end with a record".to_owned() }),
        }
    }

    /// Puts the file aside under the next number. Nothing is ever deleted.
    fn put_aside(&self, current: &Current) -> Result<(), AuditError> {
        if current.torn > 0 {
            // The next record, in the next file, says so.
            let path = self.place.path(LOG);
            let failed = AuditError::io("shorten", &path);
            current.file.set_len(current.length).and_then(|()| current.file.sync_data()).map_err(failed)?;
        }
        let number = self.place.put_aside()?.pop().unwrap_or_default().saturating_add(1);
        if number > limits::AUDIT_FILES {
            let what = format!("it has {} files, and no name is left for another", limits::AUDIT_FILES);
            return Err(AuditError::Damaged { path: self.place.path(LOG), what });
        }
        self.place.rename(LOG, &place::name_of(number))
    }
}

/// Writes a line in one piece over whatever a killed writer left, and makes it durable. Only its last byte makes it a
/// line, so that what is cut short is torn again.
fn write(current: &Current, line: &[u8]) -> std::io::Result<()> {
    let written = current.file.write_at(line, current.length)?;
    if written < line.len() {
        return Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "only a part of the record could be written"));
    }
    let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
    if current.torn > size {
        current.file.set_len(current.length.saturating_add(size))?;
    }
    current.file.sync_data()
}
