//! A file of rules that was read, and whoever else could have written it.

use std::io;

use crate::suspect::Suspect;

/// What a path led to.
#[derive(Debug)]
pub struct Guarded {
    /// The whole file.
    pub bytes: Result<Vec<u8>, ReadError>,
    /// Everything on the way, and the file itself, that somebody else could write to; known as far as the path led.
    pub suspects: Vec<Suspect>,
}

/// Whose folder a file stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// The caller's alone, as `~/.mcp` is.
    Own,
    /// Anybody's: a sticky one of root's, such as `/tmp`, will do when the file itself is the caller's.
    Any,
}

/// A file could not be read whole.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a directory, a device or a pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is longer than it may be.
    #[error("it has more than {limit} bytes, the most that is read")]
    TooLarge {
        /// The most that is read, bytes.
        limit: usize,
    },
}

impl ReadError {
    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Io(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
            Self::NotAFile | Self::TooLarge { .. } => false,
        }
    }
}
