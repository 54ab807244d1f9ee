//! Appends records: each one whole and durable, or not at all.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::MetadataExt as _;
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
use crate::running::RunningNote;
use smcp_model::audit::Head;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::ownership::Caller;

/// Returns the present time.
pub type Clock = fn() -> SystemTime;

/// The audit log, open for appending.
#[derive(Debug)]
pub struct AuditLog {
    folder: LogFolder,
    clock: Clock,
    heads: Option<Heads>,
    file_limit: u64,
    /// The time of the last record when the log was opened.
    latest: Option<SystemTime>,
    /// Where the file ended when this process last looked at it, or wrote to it, and what the system said of it then.
    seen: Cell<Option<(FileState, AppendPlace)>>,
}

/// What the system changes with each write to a file. Whoever writes without the lock, as many bytes over as many others
/// and within one tick of its clock, goes unseen here; the chain shows it as it shows a change a tick later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The file that is appended to.
struct Current {
    file: File,
    end: AppendPlace,
}

/// Where a record is appended.
#[derive(Debug, Clone, Copy)]
struct AppendPlace {
    /// The place of the next line, in bytes from the start. An unfinished line may follow it.
    length: u64,
    torn: u64,
    last: Head,
    /// The time of the last record.
    time: Option<SystemTime>,
}

impl AuditLog {
    /// Opens the log at the absolute path `log`, whose folder is `dir`. Checks that it is safe, that it can be written,
    /// and that it ends with a record.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn open(dir: Dir, log: &Path, caller: Caller, clock: Clock) -> Result<Self, AuditError> {
        let folder = LogFolder::new(dir, log, caller)?;
        let mut log =
            Self { folder, clock, heads: None, file_limit: limits::AUDIT_FILE, latest: None, seen: Cell::new(None) };
        let lock = log.folder.lock()?;
        log.latest = log.current()?.end.time;
        drop(lock);
        Ok(log)
    }

    /// Returns when the last record was written, as far as the log said when it was opened.
    pub const fn latest(&self) -> Option<SystemTime> {
        self.latest
    }

    /// Makes [`announce`](Self::announce) send heads to the system's log, over a socket.
    ///
    /// # Errors
    /// [`AuditError::Head`].
    pub fn send_heads(&mut self, socket: UnixDatagram) -> Result<(), AuditError> {
        self.heads = Some(Heads::new(socket)?);
        Ok(())
    }

    /// Refuses a limit on the length of files that is too low for even a small record (a quarter of the probe).
    ///
    /// # Errors
    /// The same as for a write beyond the limit.
    pub fn fits_below(&self, most: Option<u64>) -> Result<(), AuditError> {
        match most {
            Some(most) if usize::try_from(most).is_ok_and(|most| most < limits::AUDIT_PROBE / 4) => {
                Err(AuditError::io("write to", &self.folder.log_path())(Errno::EFBIG.into()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Sets the length from which a file is put aside, bytes.
    #[must_use]
    pub fn with_file_limit(self, limit: u64) -> Self {
        Self { file_limit: limit, ..self }
    }

    /// Appends a record. When this returns, the record is on the disk.
    ///
    /// # Errors
    /// When the record can't be written. Then the log is unchanged, or as a killed writer would leave it.
    pub fn append(&self, entry: &NewRecord) -> Result<Head, AuditError> {
        let _lock = self.folder.lock()?;
        self.append_locked(entry, Durable::Now)
    }

    /// Appends a record that another one follows before anything happens by it: both are on the disk when the next call
    /// of [`append`](Self::append) or [`append_start`](Self::append_start) returns. It is there at once where heads are
    /// sent: nobody is told of a record that the disk could still lose.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_ahead(&self, entry: &NewRecord) -> Result<Head, AuditError> {
        let _lock = self.folder.lock()?;
        let durable = if self.heads.is_some() { Durable::Now } else { Durable::WithTheNext };
        self.append_locked(entry, durable)
    }

    /// Appends the record of a start, and notes beside the log that a server runs. The note lives as long as the
    /// returned value, which is `None` when the note can't be made. `about` gets the position of the record.
    ///
    /// # Errors
    /// When the record can't be appended.
    pub fn append_start(
        &self,
        entry: &NewRecord,
        about: impl FnOnce(Head) -> About,
    ) -> Result<(Head, Option<RunningNote>), AuditError> {
        let _lock = self.folder.lock()?;
        self.check_running()?;
        let head = self.append_locked(entry, Durable::Now)?;
        // The note is a convenience: without it, only `verify` finds that the start has no end.
        let running = RunningNote::note(&self.folder, &about(head));
        Ok((head, running.inspect_err(|error| tracing::warn!(%error, "a running server is not noted")).ok()))
    }

    /// Finds starts whose smcp was killed before it recorded their end, at most `most`.
    ///
    /// # Errors
    /// When the log or its folder of running servers can't be read.
    pub fn abandoned(&self, most: usize) -> Result<Vec<Abandoned>, AuditError> {
        if !Abandoned::are_possible(&self.folder)? {
            return Ok(Vec::new());
        }
        let _lock = self.folder.lock()?;
        let found = Abandoned::all(&self.folder, most)?;
        if found.is_empty() {
            return Ok(found);
        }
        // A start with a higher number belongs to a log that was moved away.
        let last = self.current()?.end.last.seq;
        let (ours, of_others): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.about.start.seq <= last);
        of_others.into_iter().for_each(Abandoned::recorded);
        Ok(ours)
    }

    /// Refuses a folder of running servers that another user could write to, or that is not a folder. Otherwise the
    /// ends of killed runs would be lost silently.
    fn check_running(&self) -> Result<(), AuditError> {
        self.folder.make_folder(&self.folder.names.running).map(drop)
    }

    /// Writes a probe of the size of a few records in the folder of the log, and removes it again.
    ///
    /// # Errors
    /// When the probe can't be written, and so a record could not be written either.
    pub fn try_out(&self) -> Result<(), AuditError> {
        let _lock = self.folder.lock()?;
        self.folder.folder(&self.folder.names.running)?;
        let end = self.current()?.end;
        let name = self.folder.names.probe.as_str();
        let path = self.folder.log_path();
        // A killed process may have left one.
        drop(self.folder.remove(name));
        let file = self.folder.open(name, OpenMode::CreateNew)?;
        // The probe is written after a hole as long as the log, so that a limit on the length of files applies to it
        // too.
        let length = if self.is_full(end.length, limits::AUDIT_PROBE) { 0 } else { end.length };
        let probe = Current { file, end: AppendPlace { length, torn: 0, ..end } };
        let written =
            write(&probe, &[b' '; limits::AUDIT_PROBE], Durable::Now).map_err(AuditError::io("write to", &path));
        self.folder.remove(name)?;
        written?;
        self.folder.sync()
    }

    fn append_locked(&self, entry: &NewRecord, durable: Durable) -> Result<Head, AuditError> {
        let mut current = self.current()?;
        // The time of records never goes back, or a clock that was set back once would date the next decision back.
        let now = (self.clock)();
        let time = current.end.time.map_or(now, |last| now.max(last));
        let line = entry.line(current.end.last, time, current.end.torn)?;
        if self.is_full(current.end.length, line.len()) {
            self.put_aside(&current)?;
            current = Current { file: self.create()?, end: AppendPlace { length: 0, torn: 0, ..current.end } };
        }
        if let Err(cause) = write(&current, &line, durable) {
            // The record was not acknowledged, so it may be cut off. If this fails too, the next writer does it.
            drop(current.file.set_len(current.end.length));
            return Err(AuditError::io("write to", &self.folder.log_path())(cause));
        }
        let last = Head { seq: current.end.last.seq.saturating_add(1), digest: Digest::of(&line) };
        let length = current.end.length.saturating_add(number::wide(line.len()));
        let end = AppendPlace { length, torn: 0, last, time: Some(time) };
        self.seen.set(FileState::of(&current.file).ok().map(|state| (state, end)));
        Ok(last)
    }

    /// Whether `more` bytes have to go into the next file, after so many in this one.
    fn is_full(&self, length: u64, more: usize) -> bool {
        length > 0 && length.saturating_add(number::wide(more)) > self.file_limit
    }

    /// Sends a new head to the system's log, if that is configured.
    ///
    /// # Errors
    /// [`AuditError::Head`].
    pub fn announce(&self, head: Head) -> Result<(), AuditError> {
        self.heads.as_ref().map_or(Ok(()), |heads| heads.send(head, &self.folder.log_path()))
    }

    /// Opens the file that is appended to, or makes it, and finds the record that the next one follows.
    fn current(&self) -> Result<Current, AuditError> {
        let path = self.folder.log_path();
        let file = match self.folder.open_existing(&self.folder.names.log, OpenMode::Write)? {
            Some(file) => file,
            None => self.create()?,
        };
        let state = FileState::of(&file).map_err(AuditError::io("look at", &path))?;
        if let Some((_, end)) = self.seen.get().filter(|(seen, _)| *seen == state) {
            return Ok(Current { file, end });
        }
        let LogEnd { head, time, length, torn } = LogEnd::of(&file, &path)?;
        let (last, time) = match head {
            Some(head) => (head, time),
            None => self.end_of_old()?,
        };
        let end = AppendPlace { length, torn, last, time };
        self.seen.set(Some((state, end)));
        Ok(Current { file, end })
    }

    fn create(&self) -> Result<File, AuditError> {
        let file = self.folder.open(&self.folder.names.log, OpenMode::CreateNew)?;
        self.folder.sync()?;
        Ok(file)
    }

    /// The last record in the newest file that was put aside, and its time.
    fn end_of_old(&self) -> Result<(Head, Option<SystemTime>), AuditError> {
        let Some(newest) = self.folder.put_aside()?.pop() else { return Ok((Head::NOTHING, None)) };
        let name = self.folder.names.old(newest);
        let path = self.folder.path(&name);
        let LogEnd { head, time, torn, .. } = LogEnd::of(&self.folder.open(&name, OpenMode::Read)?, &path)?;
        match (head, torn) {
            (Some(head), 0) => Ok((head, time)),
            (None | Some(_), _) => Err(AuditError::Damaged { path, what: "it does not end with a record".to_owned() }),
        }
    }

    /// Puts the file aside under the next number. Nothing is ever deleted.
    fn put_aside(&self, current: &Current) -> Result<(), AuditError> {
        let path = self.folder.log_path();
        if current.end.torn > 0 {
            // The next record, in the next file, has `recovered_bytes`.
            current.file.set_len(current.end.length).map_err(AuditError::io("shorten", &path))?;
        }
        // Its last record may have been written ahead of the next one.
        current.file.sync_data().map_err(AuditError::io("write to", &path))?;
        let number = self.folder.put_aside()?.pop().unwrap_or_default().saturating_add(1);
        if number > limits::AUDIT_FILES {
            let what = format!("it has {} files, and no name is left for another", limits::AUDIT_FILES);
            return Err(AuditError::Damaged { path, what });
        }
        self.folder.rename(&self.folder.names.log, &self.folder.names.old(number))
    }
}

impl FileState {
    fn of(file: &File) -> std::io::Result<Self> {
        let data = file.metadata()?;
        Ok(Self {
            device: data.dev(),
            inode: data.ino(),
            length: data.len(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        })
    }
}

/// When a record has to be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durable {
    Now,
    /// With the record that follows.
    WithTheNext,
}

/// Writes a line over the bytes that a killed writer left. Only the last byte makes it a line, so
/// a write that is cut short leaves an unfinished line again.
fn write(current: &Current, line: &[u8], durable: Durable) -> std::io::Result<()> {
    // One write, unless the system takes only a part of it. The next write then takes the rest, or returns the error.
    current.file.write_all_at(line, current.end.length)?;
    let size = number::wide(line.len());
    if current.end.torn > size {
        current.file.set_len(current.end.length.saturating_add(size))?;
    }
    match durable {
        Durable::Now => current.file.sync_data(),
        Durable::WithTheNext => Ok(()),
    }
}
