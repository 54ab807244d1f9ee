//! The exit code: smcp's own, or that of a server (spec section 4).

use smcp_model::exit::ExitKind;

/// The table of exit codes, for the help.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0  the server ran and exited 0; the check passed
  1  usage or configuration error; a test or a diagnosis that failed; an audit log that can't be written
  2  registry or network error
  3  integrity error: a digest, a signature, an identity, an archive, a manifest or the audit chain
     is not what it should be
  4  refused: by policy, for want of consent, or for the package's status
  5  timeout
  6  the server could not be started
  other: the server's own (a server that exits 4 is reported as 1; a signal is 128+n)";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With an exit code of smcp.
    Own(ExitKind),
    /// With the code that the server ended with; never 4, see `smcp-launch`. Also 128 and the number of a signal that ended
    /// an import.
    Server(u8),
}

impl Exit {
    /// The command did its work.
    pub const SUCCESS: Self = Self::Own(ExitKind::Success);
    /// The command line or the configuration is wrong, or the local system reports an error.
    pub const USAGE: Self = Self::Own(ExitKind::Usage);

    /// The number that the caller sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Own(kind) => kind.code(),
            Self::Server(code) => code,
        }
    }
}

impl From<ExitKind> for Exit {
    fn from(kind: ExitKind) -> Self {
        Self::Own(kind)
    }
}
