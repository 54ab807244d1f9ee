//! Reads a part of a log: from some place on, or one line.
//!
//! For who comes back to a log: `audit export` goes on where it was, `policy diff` reads only the last record of a package.

use std::borrow::Cow;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::ops::ControlFlow;

use crate::AuditError;
use crate::LogFile;
use smcp_model::limits;

/// What of a line says whether to read the rest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct LineKey<'a> {
    /// Its schema.
    #[serde(borrow)]
    pub schema: Cow<'a, str>,
    /// Its number; 0 when it has none.
    #[serde(default)]
    pub seq: u64,
    /// Its event.
    #[serde(borrow, default)]
    pub event: Cow<'a, str>,
    /// The package that it is about.
    #[serde(borrow, default)]
    pub package: Cow<'a, str>,
    /// The time at which it was written.
    #[serde(borrow, default)]
    pub time: Cow<'a, str>,
}

impl<'a> LineKey<'a> {
    /// Reads it from a line.
    ///
    /// # Errors
    /// When the line is no JSON document with a schema.
    pub fn of(line: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}

impl LogFile {
    /// Calls `each` with every whole line from `offset` on, its line feed included, and the place at which it begins, until
    /// it breaks off. Returns the place behind the last line that was read.
    ///
    /// # Errors
    /// [`AuditError::Io`] when the log can't be read.
    pub fn lines_from(
        &mut self,
        offset: u64,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<u64, AuditError> {
        let failed = AuditError::io("read", &self.path);
        self.file.seek(SeekFrom::Start(offset)).map_err(&failed)?;
        let rest = self.length.saturating_sub(offset);
        let mut reader = BufReader::with_capacity(1 << 16, (&mut self.file).take(rest));
        let (mut at, mut line) = (offset, Vec::new());
        loop {
            line.clear();
            (&mut reader).take(limits::AUDIT_RECORD).read_until(b'\n', &mut line).map_err(&failed)?;
            if line.is_empty() {
                return Ok(at);
            }
            let begins = at;
            at = at.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            if each(begins, &line).is_break() {
                return Ok(at);
            }
        }
    }

    /// Returns the line that begins at `offset`.
    ///
    /// # Errors
    /// [`AuditError::Io`] when the log can't be read.
    pub fn line_at(&mut self, offset: u64) -> Result<Vec<u8>, AuditError> {
        let mut found = Vec::new();
        self.lines_from(offset, &mut |_, line| {
            found.extend_from_slice(line);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Returns the bytes up to the end of the last line.
    pub const fn length(&self) -> u64 {
        self.length
    }
}
