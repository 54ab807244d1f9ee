//! Reads extended headers of GNU and of pax: long names, and exact times.
//!
//! The `tar` crate does not read them, because it holds them in memory whole at any length, overlooks malformed ones,
//! and takes the first of two equal keys where other programs take the last.

use std::io::Read;

use crate::unpack::ArchiveError;
use crate::unpack::extract::ExtractFailure;
use crate::unpack::extract::damaged;
use crate::unpack::index::FileTime;
use smcp_model::bounded;
use smcp_model::limits;

/// The headers so far about the next entry.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    gnu_name: Option<Vec<u8>>,
    pax: Option<Pax>,
}

#[derive(Debug, Default)]
struct Pax {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    time: Option<FileTime>,
}

impl Extensions {
    /// Reads GNU's header for a long name.
    pub(super) fn gnu_name(&mut self, entry: impl Read) -> Result<(), ExtractFailure> {
        let mut name = read(entry)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        match self.gnu_name.replace(name) {
            None => Ok(()),
            Some(_) => Err(fail("stands twice before one entry")),
        }
    }

    /// Reads a pax header for the next entry.
    pub(super) fn pax(&mut self, entry: impl Read) -> Result<(), ExtractFailure> {
        let pax = Pax::parse(&read(entry)?)?;
        match self.pax.replace(pax) {
            None => Ok(()),
            Some(_) => Err(fail("stands twice before one entry")),
        }
    }

    /// Reads a pax header for all later entries. It may set times and owners, but not the path or the size.
    pub(super) fn global(entry: impl Read) -> Result<(), ExtractFailure> {
        let Pax { path, size, time: _ } = Pax::parse(&read(entry)?)?;
        if path.is_some() || size.is_some() {
            return Err(fail("gives all entries one path or size"));
        }
        Ok(())
    }

    /// Returns the name of the next entry, whose own header has `own_name` and `size`, and its time if a header has it.
    pub(super) fn apply(self, own_name: &[u8], size: u64) -> Result<(Vec<u8>, Option<FileTime>), ExtractFailure> {
        let Pax { path, size: stated, time } = self.pax.unwrap_or_default();
        if stated.is_some_and(|stated| stated != size) {
            return Err(fail("and the entry's own disagree about its size"));
        }
        match (path, self.gnu_name) {
            (Some(_), Some(_)) => Err(fail("of pax and one of GNU both name the same entry")),
            (Some(name), None) | (None, Some(name)) => Ok((name, time)),
            (None, None) => Ok((own_name.to_vec(), time)),
        }
    }

    /// Whether a header still waits for its entry.
    pub(super) const fn are_pending(&self) -> bool {
        self.gnu_name.is_some() || self.pax.is_some()
    }
}

impl Pax {
    fn parse(bytes: &[u8]) -> Result<Self, ExtractFailure> {
        let mut pax = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or_else(|| fail("is malformed"))?;
            rest = after;
            let twice = match key {
                b"path" => pax.path.replace(value.to_vec()).is_some(),
                b"size" => pax.size.replace(number(value)?).is_some(),
                b"mtime" => {
                    // A time that is not understood is that of the entry's own header.
                    pax.time = FileTime::parse(value);
                    false
                }
                key if key.starts_with(b"GNU.sparse.") => return Err(fail("describes a sparse file")),
                _ => false,
            };
            if twice {
                return Err(fail("has a key twice"));
            }
        }
        Ok(pax)
    }
}

/// Splits off the first `LENGTH KEY=VALUE\n`, where the length counts all of it. Returns key, value and rest.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let body = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    Some((body.get(..equals)?, body.get(equals.checked_add(1)?..)?, rest))
}

fn number(text: &[u8]) -> Result<u64, ExtractFailure> {
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| fail("has a size that is no number"))
}

fn read(entry: impl Read) -> Result<Vec<u8>, ExtractFailure> {
    bounded::read_within(entry, limits::BUNDLE_HEADER, 0).map_err(damaged)?.ok_or_else(|| fail("is longer than 64 KiB"))
}

fn fail(problem: &'static str) -> ExtractFailure {
    ArchiveError::Header { problem }.into()
}
