//! The reaper's reports to smcp: records of a fixed size on a pipe.
//!
//! `watch` writes them and `via_reaper` reads them. Both are the same program on the same machine. A record is far
//! smaller than what a pipe takes at once, so none arrives in pieces.

use nix::unistd::Pid;

/// One report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReaperReport {
    /// The server's process exists.
    Started(Pid),
    /// The server was stopped by the signal of this number.
    Stopped(i32),
    /// The server has ended with this wait status, and so has everything that it started. This is the last report.
    Ended(i32),
    /// The system refuses the reaper this facility.
    Lacks(Facility),
    /// Some of what the server started could not be ended.
    Left,
}

/// A facility of the system that a reaper uses. Without one it still works, but ends less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facility {
    /// Adopting the orphans of the server's tree.
    Subreaper,
    /// A signal on smcp's death.
    DeathSignal,
    /// The list of the reaper's children.
    Children,
}

impl Facility {
    const fn number(self) -> i32 {
        match self {
            Self::Subreaper => 1,
            Self::DeathSignal => 2,
            Self::Children => 3,
        }
    }

    const fn of(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::Subreaper),
            2 => Some(Self::DeathSignal),
            3 => Some(Self::Children),
            _ => None,
        }
    }
}

/// The length of a record, bytes: four for the kind of report, four for its number.
pub(crate) const LENGTH: usize = 8;

impl ReaperReport {
    pub(super) const fn encode(self) -> [u8; LENGTH] {
        let (kind, number) = match self {
            Self::Started(server) => (1, server.as_raw()),
            Self::Stopped(signal) => (2, signal),
            Self::Ended(status) => (3, status),
            Self::Lacks(facility) => (4, facility.number()),
            Self::Left => (5, 0),
        };
        let [a, b, c, d] = i32::to_ne_bytes(number);
        [kind, 0, 0, 0, a, b, c, d]
    }

    /// Reads a record; `None` when it is not one of ours.
    pub(crate) fn decode(record: [u8; LENGTH]) -> Option<Self> {
        let [kind, 0, 0, 0, a, b, c, d] = record else { return None };
        let number = i32::from_ne_bytes([a, b, c, d]);
        match kind {
            1 => Some(Self::Started(Pid::from_raw(number))),
            2 => Some(Self::Stopped(number)),
            3 => Some(Self::Ended(number)),
            4 => Facility::of(number).map(Self::Lacks),
            5 => Some(Self::Left),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_arrives_as_it_was_sent() {
        for report in [
            ReaperReport::Started(Pid::from_raw(4_194_304)),
            ReaperReport::Stopped(20),
            ReaperReport::Ended(0x0700),
            ReaperReport::Ended(-1),
            ReaperReport::Lacks(Facility::Subreaper),
            ReaperReport::Lacks(Facility::DeathSignal),
            ReaperReport::Lacks(Facility::Children),
            ReaperReport::Left,
        ] {
            assert_eq!(ReaperReport::decode(report.encode()), Some(report));
        }
    }

    #[test]
    fn other_records_are_not_read_as_reports() {
        for record in [[0; LENGTH], [6, 0, 0, 0, 1, 0, 0, 0], [1, 0, 0, 1, 1, 0, 0, 0], [4, 0, 0, 0, 9, 9, 9, 9]] {
            assert_eq!(ReaperReport::decode(record), None, "{record:?}");
        }
    }
}
