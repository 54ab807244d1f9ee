//! Why smcp ends without having done its work, and the exit code of each.
//!
//! The table is that of spec section 4, but for its first and its last row: 0 is no failure, and a server's own code
//! passes through.

/// Why smcp ends without having done its work. Each error of a stage knows which of these it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitKind {
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
    /// The exit code: 1 to 6.
    pub const fn code(self) -> u8 {
        match self {
            Self::Usage => 1,
            Self::Registry => 2,
            Self::Integrity => 3,
            Self::Refused => 4,
            Self::Timeout => 5,
            Self::Start => 6,
        }
    }
}
