//! Opens regular files without waiting, and reads them within a bound.

use std::io;
use std::io::Read;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;

use crate::folder;

/// Opens a regular file, never waiting for a pipe or a device; `None` when it does not exist.
///
/// # Errors
/// When it can't be opened, is not a regular file, or is behind a link that leads out of the folder.
pub fn open_file(dir: &Dir, path: &str) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    let file = match dir.open_with(path, &options) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(folder::explain(dir, path, error)),
    };
    if file.metadata()?.is_file() {
        Ok(Some(file))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a regular file")))
    }
}

/// Reads a source to its end; `None` when it has more than `limit` bytes. At most one byte more than that is read.
///
/// # Errors
/// When it can't be read.
pub fn read_at_most(source: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_whole_or_not_at_all() {
        for (limit, expected) in [(0, None), (2, None), (3, Some(b"abc".to_vec())), (4, Some(b"abc".to_vec()))] {
            assert_eq!(read_at_most(b"abc".as_slice(), limit).unwrap(), expected, "{limit}");
        }
        assert_eq!(read_at_most(b"".as_slice(), 0).unwrap(), Some(Vec::new()));
        assert!(read_at_most(io::repeat(0), 10).unwrap().is_none(), "it never ends, and reading does");
    }
}
