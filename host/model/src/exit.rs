//! How smcp ends, and the exit code of each way: the one table (spec section 4).

/// How smcp ends by itself. A server's own exit code passes through and is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitKind {
    /// The check passed, or the command did its work.
    Success,
    /// The command line or the configuration is wrong, or the local system failed us.
    Usage,
    /// A registry could not answer, or has no such package.
    Registry,
    /// Bytes or identities are not what they should be.
    Integrity,
    /// A policy blocks, consent is missing, or the package's status forbids it.
    Refused,
    /// Resolving, downloading or starting took too long.
    Timeout,
    /// The server could not be started.
    Start,
}

impl ExitKind {
    /// The number that the caller sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Usage => 1,
            Self::Registry => 2,
            Self::Integrity => 3,
            Self::Refused => 4,
            Self::Timeout => 5,
            Self::Start => 6,
        }
    }
}
