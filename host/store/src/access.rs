//! Who may use a stored file or folder.

/// Which users may read and write new files and folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAccess {
    /// Only the owner.
    Private,
    /// Only the owner writes, and every user reads.
    Readable,
    /// The owner, and the group if the umask allows it: a team with a common group publishes into one registry. Never
    /// all users: a registry that all users can write to can't be trusted.
    Shared,
}

impl StoreAccess {
    /// The mode of a new folder.
    pub const fn folder_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Readable => 0o755,
            Self::Shared => 0o775,
        }
    }

    /// The mode of a new file, before the umask of the process is applied.
    pub const fn file_mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Readable => 0o644,
            Self::Shared => 0o664,
        }
    }
}
