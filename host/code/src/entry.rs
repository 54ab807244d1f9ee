//! The form of a compiled file: a head, notes, and code that begins at a page.
//!
//! ```text
//! 0    magic          what kind of file it is
//! 8    MAC            over everything after it, with the key of its owner
//! 40   component      the digest of what was compiled
//! 72   engine         what compiled it
//! 104  lengths        of the notes and of the code, eight bytes each, the lowest first
//! 120  notes, zeros up to the next page, code to the end of the file
//! ```

use std::io;
use std::io::Write;
use std::num::NonZeroUsize;

use cap_std::fs::File;

use crate::mapping;
use crate::mapping::Mapping;
use smcp_model::digest::Digest;
use smcp_model::limits::compiling;
use smcp_policy::Kept;
use smcp_policy::MachineCode;

const MAGIC: [u8; 8] = *b"smcpcode";
const MAC: usize = 8;
const COMPONENT: usize = 40;
const ENGINE: usize = 72;
const LENGTHS: usize = 104;
const NOTES: usize = 120;
/// The alignment of code, bytes: a page of every processor on which code is run from the mapping.
const PAGE: usize = 4096;

/// The key of a MAC.
#[derive(Clone, Copy)]
pub(crate) struct MacKey(pub(crate) [u8; 32]);

/// The key of the system's files. It is not secret: their owner is the proof, and the MAC finds damage.
pub(crate) const OF_THE_SYSTEM: MacKey = MacKey(*b"smcp: no secret, owned by root  ");

/// The reason why a file is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnfitEntry {
    /// It is too short or too long for a compiled file, or for what it says of itself.
    Length,
    /// It does not begin like one.
    Magic,
    /// It was changed, or written with another key.
    Mac,
    /// It is about another component or another engine.
    Another,
    /// Its notes are not text.
    Notes,
}

impl UnfitEntry {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Length => "it is cut off, or has something added",
            Self::Magic => "it is another kind of file",
            Self::Mac => "it was changed, or written with another key",
            Self::Another => "it is of another component or another engine",
            Self::Notes => "its notes are no text",
        }
    }
}

/// Writes what is kept of a component.
///
/// # Errors
/// When the writer fails, or it is too long to be read again.
pub(crate) fn write(
    out: &mut dyn Write,
    key: MacKey,
    component: &Digest,
    engine: &Digest,
    kept: &Kept,
) -> io::Result<()> {
    let code = kept.code.as_ref().map_or(&[][..], MachineCode::as_bytes);
    let notes = kept.notes.as_bytes();
    if notes.len() > compiling::KEPT_NOTES || code.len() > compiling::CODE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut rest = Vec::with_capacity(PAGE);
    rest.extend_from_slice(component.as_bytes());
    rest.extend_from_slice(engine.as_bytes());
    for length in [notes.len(), code.len()] {
        rest.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
    }
    rest.extend_from_slice(notes);
    let begin = begin_of_code(notes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
    rest.resize(begin.saturating_sub(COMPONENT), 0);
    let mac = blake3::Hasher::new_keyed(&key.0).update(&rest).update(code).finalize();
    out.write_all(&MAGIC)?;
    out.write_all(mac.as_bytes())?;
    out.write_all(&rest)?;
    out.write_all(code)
}

/// Reads a file of `length` bytes: maps it, and looks whether the mapping is what [`write`] wrote with this key.
///
/// # Errors
/// When it can't be mapped.
pub(crate) fn read(
    file: &File,
    length: u64,
    key: MacKey,
    component: &Digest,
    engine: &Digest,
) -> io::Result<Result<Kept, UnfitEntry>> {
    const MOST: usize = compiling::CODE + compiling::KEPT_NOTES + 2 * PAGE;
    let length = usize::try_from(length).ok().filter(|length| (NOTES..=MOST).contains(length));
    let Some(length) = length.and_then(NonZeroUsize::new) else { return Ok(Err(UnfitEntry::Length)) };
    let mapping = Mapping::of(file, length)?;
    Ok(take(mapping, key, component, engine))
}

#[expect(unsafe_code, reason = "the MAC vouches for what is run as native code")]
fn take(mapping: Mapping, key: MacKey, component: &Digest, engine: &Digest) -> Result<Kept, UnfitEntry> {
    let bytes = mapping.bytes();
    let (head, rest) = bytes.split_at_checked(COMPONENT).ok_or(UnfitEntry::Length)?;
    let (magic, mac) = head.split_at_checked(MAC).ok_or(UnfitEntry::Length)?;
    if magic != MAGIC {
        return Err(UnfitEntry::Magic);
    }
    // Compared before any other byte is believed, in constant time.
    let expected = blake3::Hasher::new_keyed(&key.0).update(rest).finalize();
    if expected != <[u8; 32]>::try_from(mac).map_err(|_| UnfitEntry::Length)? {
        return Err(UnfitEntry::Mac);
    }
    let part = |begin: usize, end: usize| bytes.get(begin..end).ok_or(UnfitEntry::Length);
    if part(COMPONENT, ENGINE)? != component.as_bytes() || part(ENGINE, LENGTHS)? != engine.as_bytes() {
        return Err(UnfitEntry::Another);
    }
    let length = |at: usize| {
        let bytes = part(at, at.saturating_add(8))?.first_chunk().ok_or(UnfitEntry::Length)?;
        usize::try_from(u64::from_le_bytes(*bytes)).map_err(|_| UnfitEntry::Length)
    };
    let (notes, code) = (length(LENGTHS)?, length(LENGTHS + 8)?);
    let begin = begin_of_code(notes).ok_or(UnfitEntry::Length)?;
    if begin.checked_add(code) != Some(bytes.len()) {
        return Err(UnfitEntry::Length);
    }
    let notes = part(NOTES, NOTES.saturating_add(notes))?;
    let notes = std::str::from_utf8(notes).map_err(|_| UnfitEntry::Notes)?.into();
    if code == 0 {
        return Ok(Kept { code: None, notes });
    }
    let place = begin..bytes.len();
    // SAFETY: the MAC over this very mapping fits, so that `write` wrote these bytes, of the code of a compiler for this
    // component. `begin` is a multiple of `PAGE`, which is one of the page's size wherever code runs where it lies.
    Ok(Kept { code: Some(unsafe { mapping::vouched(mapping, place) }), notes })
}

/// Returns where the code begins after this many bytes of notes.
fn begin_of_code(notes: usize) -> Option<usize> {
    NOTES.checked_add(notes)?.checked_next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests;
