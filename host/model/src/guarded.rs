//! A file of rules that was read along a checked path, and what other users could have changed.

use std::io;

use crate::suspect::Suspect;

/// A file that was read along a checked path.
#[derive(Debug)]
pub struct Guarded {
    /// The whole file.
    pub bytes: Result<Vec<u8>, ReadError>,
    /// The folders, links and the file that another user could write to, as far as the path could be followed.
    pub suspects: Vec<Suspect>,
}

/// The kind of folder that a file has to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// A folder that only the caller can write, as `~/.mcp`.
    Own,
    /// Any folder. A sticky one of root's, such as `/tmp`, is accepted when the file itself is the caller's.
    Any,
}

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a directory, a device or a pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is longer than allowed.
    #[error("it has more than {limit} bytes, the most that is read")]
    TooLarge {
        /// The limit, bytes.
        limit: usize,
    },
}

impl ReadError {
    /// Whether the file does not exist.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Io(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
            Self::NotAFile | Self::TooLarge { .. } => false,
        }
    }
}
