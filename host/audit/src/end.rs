//! Finds the end of a log: its last record, and an unfinished one after it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::SystemTime;

use crate::AuditError;
use crate::record::Link;
use smcp_model::audit::Head;
use smcp_model::digest::Digest;
use smcp_model::limits;

/// The size of the first read, bytes: most records fit. Each read that follows is twice as long, up to
/// [`LONGEST_READ`].
const FIRST_READ: u64 = 4 * 1024;
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
        let all = length_of(file, path)?;
        let floor = all.saturating_sub(limits::AUDIT_RECORD);
        let length = line_end_before(file, all, floor, path)?;
        let torn = all.saturating_sub(length);
        if torn >= limits::AUDIT_RECORD {
            return Err(damaged(format!("its last {torn} bytes or more are no line, and too many for one")));
        }
        if length == 0 {
            return Ok(Self { head: None, time: None, length, torn });
        }
        let end = length.saturating_sub(1);
        let start = line_end_before(file, end, end.saturating_sub(limits::AUDIT_RECORD), path)?;
        let size = length.saturating_sub(start);
        if size > limits::AUDIT_RECORD {
            return Err(damaged(format!("its last line has {size} bytes or more")));
        }
        let mut line = vec![0; usize::try_from(size).unwrap_or_default()];
        file.read_exact_at(&mut line, start).map_err(AuditError::io("read", path))?;
        let link = Link::of(&line).map_err(|what| damaged(format!("in its last line, {what}")))?;
        let time = link.time.and_then(|time| humantime::parse_rfc3339(&time).ok());
        Ok(Self { head: Some(Head { seq: link.seq, digest: Digest::of(&line) }), time, length, torn })
    }

    /// The numbers of bytes up to the end of the last line, and after it.
    pub(super) fn extent(file: &File, path: &Path) -> Result<(u64, u64), AuditError> {
        let all = length_of(file, path)?;
        let length = line_end_before(file, all, 0, path)?;
        Ok((length, all.saturating_sub(length)))
    }
}

fn length_of(file: &File, path: &Path) -> Result<u64, AuditError> {
    Ok(file.metadata().map_err(AuditError::io("look at", path))?.len())
}

/// The place after the last line feed between `floor` and `end`; `floor` if there is none.
fn line_end_before(file: &File, mut end: u64, floor: u64, path: &Path) -> Result<u64, AuditError> {
    let (mut chunk, mut most) = (Vec::new(), FIRST_READ);
    while end > floor {
        let start = end.saturating_sub(most).max(floor);
        chunk.resize(usize::try_from(end.saturating_sub(start)).unwrap_or_default(), 0);
        file.read_exact_at(&mut chunk, start).map_err(AuditError::io("read", path))?;
        if let Some(at) = memchr::memrchr(b'\n', &chunk) {
            return Ok(start.saturating_add(u64::try_from(at).unwrap_or_default()).saturating_add(1));
        }
        end = start;
        most = most.saturating_mul(2).min(LONGEST_READ);
    }
    Ok(floor)
}
