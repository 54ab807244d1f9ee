//! Reading with a limit on the number of bytes.

use std::io;
use std::io::Read;

use crate::number;

/// The room for the first read, bytes. A vector without any is filled by reads of 32 bytes, then of 64, and so on.
const ROOM: usize = 4096;

/// Returns all bytes of `source`, never a part of them; `None` when it has more than `limit`. Room for `expected` bytes
/// is allocated at once.
///
/// # Errors
/// When `source` can't be read.
pub fn read_within(source: impl Read, limit: usize, expected: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(expected.min(limit).max(ROOM));
    source.take(number::wide(limit).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

/// Returns the first `most` bytes of `source`, or all of them when it has fewer.
///
/// # Errors
/// When `source` can't be read.
pub fn read_beginning(source: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most.min(ROOM));
    source.take(number::wide(most)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_full_is_not_too_much() {
        for (limit, whole, beginning) in [(2, None, "ab"), (3, Some("abc"), "abc"), (4, Some("abc"), "abc")] {
            let read = read_within(b"abc".as_slice(), limit, 100).unwrap();
            assert_eq!(read.as_deref(), whole.map(str::as_bytes), "{limit}");
            assert_eq!(read_beginning(b"abc".as_slice(), limit).unwrap(), beginning.as_bytes(), "{limit}");
        }
        assert_eq!(read_within(io::empty(), 0, 0).unwrap(), Some(Vec::new()));
        assert!(read_within(io::repeat(0), 10, 0).unwrap().is_none(), "it never ends, and reading does");
        assert_eq!(read_within(b"abc".as_slice(), usize::MAX, 0).unwrap().unwrap(), b"abc");
    }
}
