//! Where a log ends: its last record, and what a killed writer left behind it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::audit::AuditError;
use crate::audit::record::Link;
use crate::model::audit::Head;
use crate::model::digest::Digest;
use crate::model::limits;

/// How much is read at once, bytes: most records fit.
const CHUNK: u64 = 32 * 1024;

/// The end of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Its last record; none when it has no whole line.
    pub(super) head: Option<Head>,
    /// The bytes up to the end of its last line.
    pub(super) length: u64,
    /// The bytes after that: a record whose writer was killed before it could say that it was written.
    pub(super) torn: u64,
}

impl End {
    /// Looks at the end of a file, and no further than its last line.
    ///
    /// # Errors
    /// [`AuditError::Damaged`] when the last line is no record.
    pub(super) fn of(file: &File, path: &Path) -> Result<Self, AuditError> {
        let (length, torn) = Self::extent(file, path)?;
        if length == 0 {
            return Ok(Self { head: None, length, torn });
        }
        let damaged = |what: String| AuditError::Damaged { path: path.to_path_buf(), what };
        let start = line_end_before(file, length.saturating_sub(1), path)?;
        let size = length.saturating_sub(start);
        if size > limits::AUDIT_RECORD {
            return Err(damaged(format!("its last line has {size} bytes")));
        }
        let mut line = vec![0; usize::try_from(size).unwrap_or_default()];
        file.read_exact_at(&mut line, start).map_err(AuditError::io("read", path))?;
        let link = Link::of(&line).map_err(|what| damaged(format!("in its last line, {what}")))?;
        Ok(Self { head: Some(Head { seq: link.seq, digest: Digest::of(&line) }), length, torn })
    }

    /// The bytes up to the end of the last line, and those after it.
    pub(super) fn extent(file: &File, path: &Path) -> Result<(u64, u64), AuditError> {
        let all = file.metadata().map_err(AuditError::io("look at", path))?.len();
        let length = line_end_before(file, all, path)?;
        Ok((length, all.saturating_sub(length)))
    }
}

/// The place after the last line feed before `end`, or the file's beginning.
fn line_end_before(file: &File, mut end: u64, path: &Path) -> Result<u64, AuditError> {
    let mut chunk = vec![0; usize::try_from(CHUNK).unwrap_or_default()];
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        let size = usize::try_from(end.saturating_sub(start)).unwrap_or_default();
        let part = chunk.get_mut(..size).unwrap_or_default();
        file.read_exact_at(part, start).map_err(AuditError::io("read", path))?;
        if let Some(at) = memchr::memrchr(b'\n', part) {
            return Ok(start.saturating_add(u64::try_from(at).unwrap_or_default()).saturating_add(1));
        }
        end = start;
    }
    Ok(0)
}
