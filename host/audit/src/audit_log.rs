//! Appending: one record at a time, whole and durable, or not at all.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::SystemTime;

use cap_std::fs::Dir;
use nix::errno::Errno;

use crate::AuditError;
use crate::NewRecord;
use crate::end::LogEnd;
use crate::heads::Heads;
use crate::log_folder::LogFolder;
use crate::log_folder::OpenMode;
use crate::running::Abandoned;
use crate::running::About;
use crate::running::Running;
use smcp_model::audit::Head;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::ownership::Caller;

/// Tells the time.
pub type Clock = fn() -> SystemTime;

/// A log that records are appended to.
#[derive(Debug)]
pub struct AuditLog {
    folder: LogFolder,
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

impl AuditLog {
    /// The log at the absolute path `log`, whose folder is `dir`: is it safe, can it be written, and does it end with a
    /// record?
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn open(dir: Dir, log: &Path, caller: Caller, clock: Clock) -> Result<Self, AuditError> {
        let folder = LogFolder::new(dir, log, caller)?;
        let log = Self { folder, clock, heads: None, file_limit: limits::AUDIT_FILE };
        let _lock = log.folder.lock()?;
        log.current()?;
        Ok(log)
    }

    /// From now on, [`announce`](Self::announce) tells the system's log of heads, over a socket.
    ///
    /// # Errors
    /// [`AuditError::Head`].
    pub fn send_heads(&mut self, socket: UnixDatagram) -> Result<(), AuditError> {
        self.heads = Some(Heads::new(socket)?);
        Ok(())
    }

    /// Refuses a limit on the length of files in which no record has room: a small one takes a quarter of the probe.
    ///
    /// # Errors
    /// As a write beyond the limit gives.
    pub fn fits_below(&self, most: Option<u64>) -> Result<(), AuditError> {
        match most {
            Some(most) if usize::try_from(most).is_ok_and(|most| most < limits::AUDIT_PROBE / 4) => {
                Err(AuditError::io("write to", &self.folder.log_path())(Errno::EFBIG.into()))
            }
            Some(_) | None => Ok(()),
        }
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
    pub fn append(&self, entry: &NewRecord) -> Result<Head, AuditError> {
        let _lock = self.folder.lock()?;
        self.append_locked(entry)
    }

    /// Appends the record of a start, and keeps beside the log that a server runs, as long as the value lives; it is
    /// none when that can't be kept. `about` is told where the record is.
    ///
    /// # Errors
    /// When it can't be appended.
    pub fn append_start(
        &self,
        entry: &NewRecord,
        about: impl FnOnce(Head) -> About,
    ) -> Result<(Head, Option<Running>), AuditError> {
        let _lock = self.folder.lock()?;
        self.check_running()?;
        let head = self.append_locked(entry)?;
        // A service and no duty: without it, only `verify` knows that the start has no end.
        let running = Running::note(&self.folder, &about(head));
        Ok((head, running.inspect_err(|error| tracing::warn!(%error, "a running server is not noted")).ok()))
    }

    /// The starts whose smcp was killed before it could record their end, at most `most`.
    ///
    /// # Errors
    /// When nobody can look.
    pub fn abandoned(&self, most: usize) -> Result<Vec<Abandoned>, AuditError> {
        let _lock = self.folder.lock()?;
        let found = Abandoned::all(&self.folder, most)?;
        if found.is_empty() {
            return Ok(found);
        }
        // The start of a log that was moved away is not one of this log.
        let last = self.current()?.last.seq;
        let (ours, of_others): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.about.start.seq <= last);
        of_others.into_iter().for_each(Abandoned::recorded);
        Ok(ours)
    }

    /// Refuses a folder of running servers that somebody else could write to, or that is no folder: the ends of killed
    /// runs would be lost without a word.
    fn check_running(&self) -> Result<(), AuditError> {
        self.folder.make_folder(&self.folder.names.running).map(drop)
    }

    /// Writes as much as a few records take, where they would be written, and removes it again.
    ///
    /// # Errors
    /// When a record couldn't be written either.
    pub fn try_out(&self) -> Result<(), AuditError> {
        let _lock = self.folder.lock()?;
        self.folder.folder(&self.folder.names.running)?;
        let current = self.current()?;
        let name = self.folder.names.probe.as_str();
        let path = self.folder.log_path();
        // One that a killed process left.
        drop(self.folder.remove(name));
        let file = self.folder.open(name, OpenMode::CreateNew)?;
        // Behind a hole as long as the log, so that what limits the length of a file is met as well.
        let probe = Current { file, torn: 0, ..current };
        let probe = if self.is_full(&probe, limits::AUDIT_PROBE) { Current { length: 0, ..probe } } else { probe };
        let written = write(&probe, &[b' '; limits::AUDIT_PROBE]).map_err(AuditError::io("write to", &path));
        self.folder.remove(name)?;
        written?;
        self.folder.sync()
    }

    fn append_locked(&self, entry: &NewRecord) -> Result<Head, AuditError> {
        let mut current = self.current()?;
        let line = entry.line(current.last, (self.clock)(), current.torn)?;
        if self.is_full(&current, line.len()) {
            self.put_aside(&current)?;
            current = Current { file: self.create()?, length: 0, torn: 0, ..current };
        }
        if let Err(cause) = write(&current, &line) {
            // Nobody was told that it was written. Should this fail as well, the next writer does it.
            drop(current.file.set_len(current.length));
            return Err(AuditError::io("write to", &self.folder.log_path())(cause));
        }
        Ok(Head { seq: current.last.seq.saturating_add(1), digest: Digest::of(&line) })
    }

    /// Whether so many bytes more belong into the next file.
    fn is_full(&self, current: &Current, more: usize) -> bool {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        current.length > 0 && current.length.saturating_add(more) > self.file_limit
    }

    /// Tells the system's log of a new head, if it is to be told.
    ///
    /// # Errors
    /// [`AuditError::Head`].
    pub fn announce(&self, head: Head) -> Result<(), AuditError> {
        self.heads.as_ref().map_or(Ok(()), |heads| heads.send(head, &self.folder.log_path()))
    }

    /// The file that is written to, made when it is not there, and the record that the next one follows.
    fn current(&self) -> Result<Current, AuditError> {
        let path = self.folder.log_path();
        let file = match self.folder.open_existing(&self.folder.names.log, OpenMode::Write)? {
            Some(file) => file,
            None => self.create()?,
        };
        let LogEnd { head, length, torn } = LogEnd::of(&file, &path)?;
        let last = match head {
            Some(head) => head,
            None => self.end_of_old()?,
        };
        Ok(Current { file, length, torn, last })
    }

    fn create(&self) -> Result<File, AuditError> {
        let file = self.folder.open(&self.folder.names.log, OpenMode::CreateNew)?;
        self.folder.sync()?;
        Ok(file)
    }

    /// The last record of the files that were put aside.
    fn end_of_old(&self) -> Result<Head, AuditError> {
        let Some(newest) = self.folder.put_aside()?.pop() else { return Ok(Head::NOTHING) };
        let name = self.folder.names.old(newest);
        let path = self.folder.path(&name);
        let LogEnd { head, torn, .. } = LogEnd::of(&self.folder.open(&name, OpenMode::Read)?, &path)?;
        match (head, torn) {
            (Some(head), 0) => Ok(head),
            (None | Some(_), _) => Err(AuditError::Damaged { path, what: "it does not end with a record".to_owned() }),
        }
    }

    /// Puts the file aside under the next number. Nothing is ever deleted.
    fn put_aside(&self, current: &Current) -> Result<(), AuditError> {
        if current.torn > 0 {
            // The next record, in the next file, says so.
            let path = self.folder.log_path();
            let failed = AuditError::io("shorten", &path);
            current.file.set_len(current.length).and_then(|()| current.file.sync_data()).map_err(failed)?;
        }
        let number = self.folder.put_aside()?.pop().unwrap_or_default().saturating_add(1);
        if number > limits::AUDIT_FILES {
            let what = format!("it has {} files, and no name is left for another", limits::AUDIT_FILES);
            return Err(AuditError::Damaged { path: self.folder.log_path(), what });
        }
        self.folder.rename(&self.folder.names.log, &self.folder.names.old(number))
    }
}

/// Writes a line over whatever a killed writer left, and makes it durable. Only its last byte makes it a line, so that
/// what is cut short is torn again.
fn write(current: &Current, line: &[u8]) -> std::io::Result<()> {
    // In one piece, unless the system takes only a part. Then it is asked to take the rest, and says why it doesn't.
    current.file.write_all_at(line, current.length)?;
    let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
    if current.torn > size {
        current.file.set_len(current.length.saturating_add(size))?;
    }
    current.file.sync_data()
}
