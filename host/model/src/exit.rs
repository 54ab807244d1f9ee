//! The ways in which smcp ends, and the exit code of each (spec section 4).

/// The ways in which smcp itself ends. A server's own exit code is passed on and is not listed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitKind {
    /// The check passed, or the command did its work.
    Success,
    /// The command line or the configuration is wrong, or the local system failed.
    Usage,
    /// A registry could not answer, or does not have the package.
    Registry,
    /// Bytes or identities are not the expected ones.
    Integrity,
    /// A policy blocks, consent is missing, or the package's status forbids it.
    Refused,
    /// Resolving, downloading or starting took too long.
    Timeout,
    /// The server could not be started.
    Start,
}

impl ExitKind {
    /// The exit code.
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
