//! A file of rules, with everything on its path that another user could change.

use std::ffi::OsString;
use std::io;

use crate::suspect::Suspect;

/// A file that was read along a checked path.
#[derive(Debug)]
pub struct Guarded {
    /// The whole file.
    pub bytes: Result<Vec<u8>, ReadError>,
    /// The folders and links on the path, and the file, that another user could write to; as far as the path could be
    /// followed.
    pub suspects: Vec<Suspect>,
}

/// A folder that was listed along a checked path.
#[derive(Debug)]
pub struct GuardedNames {
    /// The names in it, in no order.
    pub names: io::Result<Vec<OsString>>,
    /// The folders and links on the path, and the folder itself, that another user could write to.
    pub suspects: Vec<Suspect>,
}

/// The kind of folder that a file must be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// A folder that only the caller can write to, such as `~/.mcp`.
    Own,
    /// Any folder. A sticky folder of root, such as `/tmp`, is accepted when the file itself belongs to the caller.
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
