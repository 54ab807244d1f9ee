//! Finds the end of a log: its last record, and an unfinished one after it.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::SystemTime;

use crate::AuditError;
use crate::record::Link;
use smcp_model::audit::Head;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::number;

/// The size of the first read, bytes: most last records fit, with the end of the one before. What is before that is read
/// in pieces, each twice as long as the last, up to [`LONGEST_READ`].
const FIRST_READ: u64 = 8 * 1024;
const LONGEST_READ: u64 = 64 * 1024;

/// The end of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogEnd {
    /// Its last record; `None` when it has no whole line.
    pub(super) head: Option<Head>,
    /// The time at which that record was written; `None` when it does not say.
    pub(super) time: Option<SystemTime>,
    /// How many bytes the file has up to the end of its last line.
    pub(super) length: u64,
    /// How many bytes follow: a record whose writer was killed before it acknowledged the record.
    pub(super) torn: u64,
}

impl LogEnd {
    /// Reads the end of a file, back to the start of its last line.
    ///
    /// # Errors
    /// [`AuditError::Damaged`] when the last line is not a record, or is followed by more than a killed writer can
    /// leave. Such bytes must not be overwritten.
    pub(super) fn of(file: &File, path: &Path) -> Result<Self, AuditError> {
        let damaged = |what: String| AuditError::Damaged { path: path.to_path_buf(), what };
        let tail = Tail::of(file, path)?;
        let all = tail.end;
        let length = tail.line_end_before(all, all.saturating_sub(limits::AUDIT_RECORD))?;
        let torn = all.saturating_sub(length);
        if torn >= limits::AUDIT_RECORD {
            return Err(damaged(format!("its last {torn} bytes or more are no line, and too many for one")));
        }
        if length == 0 {
            return Ok(Self { head: None, time: None, length, torn });
        }
        let end = length.saturating_sub(1);
        let start = tail.line_end_before(end, end.saturating_sub(limits::AUDIT_RECORD))?;
        let size = length.saturating_sub(start);
        if size > limits::AUDIT_RECORD {
            return Err(damaged(format!("its last line has {size} bytes or more")));
        }
        let line = tail.between(start, length)?;
        let link = Link::of(&line).map_err(|what| damaged(format!("in its last line, {what}")))?;
        let time = link.time.and_then(|time| humantime::parse_rfc3339(&time).ok());
        Ok(Self { head: Some(Head { seq: link.seq, digest: Digest::of(&line) }), time, length, torn })
    }

    /// The numbers of bytes up to the end of the last line, and after it.
    pub(super) fn extent(file: &File, path: &Path) -> Result<(u64, u64), AuditError> {
        let tail = Tail::of(file, path)?;
        let length = tail.line_end_before(tail.end, 0)?;
        Ok((length, tail.end.saturating_sub(length)))
    }
}

/// A file whose last bytes were read.
struct Tail<'f> {
    file: &'f File,
    path: &'f Path,
    /// The place of the first of the bytes.
    start: u64,
    bytes: Vec<u8>,
    /// The length of the file.
    end: u64,
}

impl<'f> Tail<'f> {
    fn of(file: &'f File, path: &'f Path) -> Result<Self, AuditError> {
        let end = file.metadata().map_err(AuditError::io("look at", path))?.len();
        let start = end.saturating_sub(FIRST_READ);
        let bytes = read_between(file, path, start, end)?;
        Ok(Self { file, path, start, bytes, end })
    }

    /// The place after the last line feed between `floor` and `end`; `floor` if there is none.
    fn line_end_before(&self, mut end: u64, floor: u64) -> Result<u64, AuditError> {
        let mut most = FIRST_READ;
        while end > floor {
            // The first piece is there already, unless `end` is far from the end of the file.
            let start = if end > self.start { self.start } else { end.saturating_sub(most) }.max(floor);
            let piece = self.between(start, end)?;
            if let Some(at) = memchr::memrchr(b'\n', &piece) {
                return Ok(start.saturating_add(number::wide(at)).saturating_add(1));
            }
            end = start;
            most = most.saturating_mul(2).min(LONGEST_READ);
        }
        Ok(floor)
    }

    /// The bytes from `start` to `end`.
    fn between(&self, start: u64, end: u64) -> Result<Cow<'_, [u8]>, AuditError> {
        let place = |at: u64| usize::try_from(at.checked_sub(self.start)?).ok();
        let known = place(start).zip(place(end)).and_then(|(start, end)| self.bytes.get(start..end));
        match known {
            Some(bytes) => Ok(Cow::Borrowed(bytes)),
            None => read_between(self.file, self.path, start, end).map(Cow::Owned),
        }
    }
}

fn read_between(file: &File, path: &Path, start: u64, end: u64) -> Result<Vec<u8>, AuditError> {
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or_default()];
    file.read_exact_at(&mut bytes, start).map_err(AuditError::io("read", path))?;
    Ok(bytes)
}
