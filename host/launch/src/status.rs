//! How a server ended, and the exit code for it (spec section 4).

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// The exit code that is reserved for refusals.
const REFUSED: u8 = 4;
/// The exit code of an end by a signal is this plus the signal's number.
const SIGNALLED: u8 = 128;

/// SIGTERM, which asks a server to end; the same number on every system.
const SIGTERM: u8 = 15;
/// SIGKILL, which ends a server at once; the same number on every system.
const SIGKILL: u8 = 9;

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(u8),
    /// By the signal of this number, which the server got, or smcp before the server existed.
    Signalled(u8),
    /// By SIGKILL, because its reaper was killed.
    ReaperKilled {
        /// Whether everything that it had started was ended too.
        whole: bool,
    },
}

impl Ended {
    pub(crate) fn exited(code: i32) -> Self {
        Self::Exited(u8::try_from(code).unwrap_or(u8::MAX))
    }

    pub(crate) fn signalled(signal: i32) -> Self {
        Self::Signalled(u8::try_from(signal).unwrap_or(u8::MAX))
    }

    /// The code that smcp exits with.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Exited(REFUSED) => 1,
            Self::Exited(code) => code,
            Self::Signalled(signal) => SIGNALLED.saturating_add(signal),
            Self::ReaperKilled { .. } => SIGNALLED.saturating_add(SIGKILL),
        }
    }

    /// Explains the exit code when it isn't the server's own.
    pub fn message(self) -> Option<String> {
        match self {
            Self::Exited(REFUSED) => Some(format!(
                "the server exited with code {REFUSED}, which smcp keeps for refusals; smcp exits with {} instead",
                self.exit_code()
            )),
            Self::ReaperKilled { whole } => {
                let rest =
                    if whole { "and so did all that it had started" } else { "what it had started may still run" };
                Some(format!(
                    "the process that smcp keeps beside the server (`mcp-keeper`) was killed from outside, and the \
                     server ended with it; {rest}"
                ))
            }
            Self::Exited(_) | Self::Signalled(_) => None,
        }
    }

    /// The ending that smcp reports when a signal (`asked`) asked it to end. If smcp got SIGINT, and its SIGTERM ended
    /// the server, smcp ends as by SIGINT. Every other ending is the server's own, or says that it had to be killed.
    pub(crate) const fn when_asked(self, asked: Option<Self>) -> Self {
        match (self, asked) {
            (Self::Signalled(SIGTERM), Some(asked)) => asked,
            (Self::Exited(_) | Self::Signalled(_) | Self::ReaperKilled { .. }, _) => self,
        }
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        // A status that is neither belongs to a process that has not ended; `wait` never returns it.
        status.signal().map_or_else(|| Self::exited(status.code().unwrap_or(i32::MAX)), Self::signalled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_code() {
        let cases = [
            (Ended::Exited(0), 0, false),
            (Ended::Exited(1), 1, false),
            (Ended::Exited(3), 3, false),
            (Ended::Exited(4), 1, true),
            (Ended::Exited(7), 7, false),
            (Ended::Exited(255), 255, false),
            (Ended::Signalled(2), 130, false),
            (Ended::Signalled(9), 137, false),
            (Ended::Signalled(15), 143, false),
            (Ended::Signalled(64), 192, false),
            (Ended::ReaperKilled { whole: true }, 137, true),
        ];
        for (ended, code, explained) in cases {
            assert_eq!((ended.exit_code(), ended.message().is_some()), (code, explained), "{ended:?}");
        }
    }

    #[test]
    fn a_server_that_we_asked_to_end_ends_by_what_asked_us() {
        let interrupt = Some(Ended::Signalled(2));
        let cases = [
            (Ended::Signalled(15), interrupt, Ended::Signalled(2)),
            (Ended::Signalled(15), None, Ended::Signalled(15)),
            (Ended::Signalled(9), interrupt, Ended::Signalled(9)),
            (Ended::Signalled(2), Some(Ended::Signalled(15)), Ended::Signalled(2)),
            (Ended::Exited(0), interrupt, Ended::Exited(0)),
            (Ended::Exited(3), interrupt, Ended::Exited(3)),
            (Ended::ReaperKilled { whole: false }, interrupt, Ended::ReaperKilled { whole: false }),
        ];
        for (ended, asked, expected) in cases {
            assert_eq!(ended.when_asked(asked), expected, "{ended:?}, {asked:?}");
        }
    }

    #[test]
    fn a_status_says_how_it_ended() {
        let cases = [
            (0x0000, Ended::Exited(0)),
            (0x0700, Ended::Exited(7)),
            (0x000f, Ended::Signalled(15)),
            (0x0022, Ended::Signalled(34)),
            (0x008b, Ended::Signalled(11)),
        ];
        for (raw, ended) in cases {
            assert_eq!(Ended::from(ExitStatus::from_raw(raw)), ended, "{raw:#x}");
        }
    }
}
