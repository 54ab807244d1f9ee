//! Extended headers: long names, in GNU's way and in that of pax.
//!
//! They are read here and not by the `tar` crate, which holds them in memory whole however long they are, overlooks
//! malformed ones, and lets the first of two equal keys count where others take the last.

use std::io::Read;

use crate::unpack::ArchiveError;
use crate::unpack::extract::Failure;
use crate::unpack::extract::damaged;
use smcp_model::limits;
use smcp_store::file::read_at_most;

/// What the headers so far say of the entry that comes next.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    gnu_name: Option<Vec<u8>>,
    pax: Option<Pax>,
}

#[derive(Debug, Default)]
struct Pax {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Extensions {
    /// Takes GNU's header for a long name.
    pub(super) fn gnu_name(&mut self, entry: impl Read) -> Result<(), Failure> {
        let mut name = read(entry)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        match self.gnu_name.replace(name) {
            None => Ok(()),
            Some(_) => Err(fail("stands twice before one entry")),
        }
    }

    /// Takes a pax header for the next entry.
    pub(super) fn pax(&mut self, entry: impl Read) -> Result<(), Failure> {
        let pax = Pax::parse(&read(entry)?)?;
        match self.pax.replace(pax) {
            None => Ok(()),
            Some(_) => Err(fail("stands twice before one entry")),
        }
    }

    /// Takes a pax header for all entries from here on. It may say when and by whom, but not where and how long.
    pub(super) fn global(entry: impl Read) -> Result<(), Failure> {
        let Pax { path, size } = Pax::parse(&read(entry)?)?;
        if path.is_some() || size.is_some() {
            return Err(fail("gives all entries one path or size"));
        }
        Ok(())
    }

    /// The name of the entry that they describe, whose own header has `plain` and `size`.
    pub(super) fn apply(self, plain: &[u8], size: u64) -> Result<Vec<u8>, Failure> {
        let Pax { path, size: stated } = self.pax.unwrap_or_default();
        if stated.is_some_and(|stated| stated != size) {
            return Err(fail("and the entry's own disagree about its size"));
        }
        match (path, self.gnu_name) {
            (Some(_), Some(_)) => Err(fail("of pax and one of GNU both name the same entry")),
            (Some(name), None) | (None, Some(name)) => Ok(name),
            (None, None) => Ok(plain.to_vec()),
        }
    }

    /// Whether they wait for an entry.
    pub(super) const fn are_pending(&self) -> bool {
        self.gnu_name.is_some() || self.pax.is_some()
    }
}

impl Pax {
    fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let mut pax = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or_else(|| fail("is malformed"))?;
            rest = after;
            let twice = match key {
                b"path" => pax.path.replace(value.to_vec()).is_some(),
                b"size" => pax.size.replace(number(value)?).is_some(),
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

/// The first `LENGTH KEY=VALUE\n`, where the length counts all of it; and what follows.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let body = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    Some((body.get(..equals)?, body.get(equals.checked_add(1)?..)?, rest))
}

fn number(text: &[u8]) -> Result<u64, Failure> {
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| fail("has a size that is no number"))
}

fn read(entry: impl Read) -> Result<Vec<u8>, Failure> {
    read_at_most(entry, limits::BUNDLE_HEADER).map_err(damaged)?.ok_or_else(|| fail("is longer than 64 KiB"))
}

fn fail(problem: &'static str) -> Failure {
    ArchiveError::Header { problem }.into()
}
