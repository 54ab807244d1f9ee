//! Exit codes: the one table (spec section 4).

use std::process::ExitCode;
use std::process::Termination;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
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
    /// The server ran and ended with this code; never 4, see `launch`.
    Server(u8),
}

impl Exit {
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
            Self::Server(code) => code,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
