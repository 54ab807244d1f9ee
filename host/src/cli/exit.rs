//! How the program ends, as the caller sees it.

use std::process::ExitCode;
use std::process::Termination;

use smcp_model::exit::ExitKind;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The check passed, or the command did its work.
    Success,
    /// The work was not done, for this reason.
    Failed(ExitKind),
    /// The server ran and ended with this code; never 4, see `launch`.
    Server(u8),
}

impl Exit {
    /// The number that the caller sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed(kind) => kind.code(),
            Self::Server(code) => code,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
