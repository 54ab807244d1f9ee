//! Goes on in a log where somebody has stopped, whatever was put aside since.
//!
//! `audit export` keeps a [`LogCursor`] between its runs. A cursor whose record the log does not have is an error: what
//! was between them could be lost.

use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;

use crate::AuditError;
use crate::LineKey;
use crate::LogFile;
use crate::record::Link;
use smcp_model::audit::Head;
use smcp_model::digest::Digest;

/// How far a log was read: up to a record, and so many lines that are no records after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCursor {
    /// The record.
    pub head: Head,
    /// The lines after it.
    pub after: u64,
}

/// Reading could not go on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The log can't be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The log is another one, or a part of it is gone.
    #[error(
        "the log has no record {seq} with the digest {digest}, up to which it was read before: files of it are elsewhere, or \
         it is another log\n  name another cursor to begin again",
        seq = .0.head.seq,
        digest = .0.head.digest
    )]
    Lost(LogCursor),
    /// What was read can't be handed on.
    #[error("what was read of the log can't be handed on")]
    Output(#[source] io::Error),
}

/// Reads a log that grows.
#[derive(Debug, Default)]
pub struct LogFollower {
    cursor: Option<LogCursor>,
    /// The file that was read last, and how far.
    place: Option<FilePosition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FilePosition {
    device: u64,
    inode: u64,
    offset: u64,
}

impl LogFollower {
    /// Begins after `cursor`; at the first record without one.
    pub const fn after(cursor: Option<LogCursor>) -> Self {
        Self { cursor, place: None }
    }

    /// Hands every line that is new to `each`, oldest first, with how far the log was read then. `parts` are all files of
    /// the log as they are now, oldest first.
    ///
    /// # Errors
    /// See [`FollowError`]; the first error of `each` ends it.
    pub fn advance(
        &mut self,
        parts: &mut [LogFile],
        each: &mut dyn FnMut(&[u8], LogCursor) -> io::Result<()>,
    ) -> Result<(), FollowError> {
        let (first, mut offset) = self.find(parts)?;
        for part in parts.iter_mut().skip(first) {
            let mut cursor = self.cursor.unwrap_or(LogCursor { head: Head::NOTHING, after: 0 });
            let mut failed = None;
            let end = part.lines_from(offset, &mut |_, line| {
                cursor = cursor.then(line);
                match each(line, cursor) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })?;
            if let Some(error) = failed {
                return Err(FollowError::Output(error));
            }
            self.cursor = Some(cursor).filter(|cursor| *cursor != LogCursor { head: Head::NOTHING, after: 0 });
            self.place = part.position(end)?;
            offset = 0;
        }
        Ok(())
    }

    /// Finds the file to go on in, and the place there.
    fn find(&self, parts: &mut [LogFile]) -> Result<(usize, u64), FollowError> {
        if let Some(place) = self.place {
            for (number, part) in parts.iter().enumerate() {
                if part.position(place.offset)? == Some(place) && place.offset <= part.length {
                    return Ok((number, place.offset));
                }
            }
        }
        let Some(cursor) = self.cursor else { return Ok((0, 0)) };
        for (number, part) in parts.iter_mut().enumerate().rev() {
            let begins = LineKey::of(&part.line_at(0)?).map_or(0, |key| key.seq);
            if begins > 0 && begins <= cursor.head.seq {
                return part.after(cursor)?.map(|offset| (number, offset)).ok_or(FollowError::Lost(cursor));
            }
        }
        // Files that were read to their end may be elsewhere.
        let follows = match parts.first_mut() {
            Some(part) => Link::of(&part.line_at(0)?).is_ok_and(|link| link.prev == cursor.head.digest),
            None => false,
        };
        if follows || cursor.head == Head::NOTHING { Ok((0, 0)) } else { Err(FollowError::Lost(cursor)) }
    }
}

impl LogCursor {
    /// The cursor after one more line.
    fn then(self, line: &[u8]) -> Self {
        match Link::of(line) {
            Ok(link) => Self { head: Head { seq: link.seq, digest: Digest::of(line) }, after: 0 },
            Err(_) => Self { after: self.after.saturating_add(1), ..self },
        }
    }
}

impl LogFile {
    /// Returns the place behind what a cursor has read; `None` when the file does not have it.
    fn after(&mut self, cursor: LogCursor) -> Result<Option<u64>, AuditError> {
        let (mut found, mut left) = (None, cursor.after);
        self.lines_from(0, &mut |begins, line| {
            let ends = begins.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            if found.is_some() {
                if left == 0 || Link::of(line).is_ok() {
                    return ControlFlow::Break(());
                }
                left = left.saturating_sub(1);
                found = Some(ends);
            } else if LineKey::of(line).is_ok_and(|key| key.seq == cursor.head.seq)
                && Digest::of(line) == cursor.head.digest
            {
                found = Some(ends);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn position(&self, offset: u64) -> Result<Option<FilePosition>, AuditError> {
        let metadata = self.file.metadata().map_err(AuditError::io("look at", &self.path))?;
        Ok(Some(FilePosition { device: metadata.dev(), inode: metadata.ino(), offset }))
    }
}
