//! How a server is ended: which step follows which event, and when.
//!
//! Pure: `supervise` passes in the events and the time, and carries out the steps.

use std::time::Duration;
use std::time::Instant;

use smcp_model::limits;
use smcp_model::record::EndedBy;

/// How long a server may take to end when it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GracePeriods {
    /// From the closing of its standard input to SIGTERM.
    pub input_closed: Duration,
    /// From SIGTERM to SIGKILL.
    pub terminate: Duration,
}

impl Default for GracePeriods {
    fn default() -> Self {
        Self { input_closed: limits::STDIN_CLOSED_GRACE, terminate: limits::TERMINATE_GRACE }
    }
}

/// An event that leads to the end of a running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndingEvent {
    /// The client closed the server's standard input, or died.
    InputClosed,
    /// smcp got SIGINT, SIGTERM or SIGHUP.
    Asked,
    /// The server's output can't be forwarded to the client any more.
    Unfit,
}

/// What is done to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndingStep {
    /// SIGTERM for its process group.
    Terminate,
    /// SIGKILL for it and everything that it started.
    Kill,
}

/// How far the ending has got.
#[derive(Debug, Clone, Copy)]
enum EndingPhase {
    Running,
    InputClosed { until: Instant },
    Terminating { until: Instant, asked: bool },
    Killed,
}

/// The ending of a server. It goes through running, input closed, terminating and killed, and never back.
#[derive(Debug)]
pub(crate) struct Ending {
    phase: EndingPhase,
    grace_periods: GracePeriods,
    begun_by: EndedBy,
}

impl Ending {
    pub(crate) const fn new(grace_periods: GracePeriods) -> Self {
        Self { phase: EndingPhase::Running, grace_periods, begun_by: EndedBy::Server }
    }

    /// Who began the ending: the source of the first event before the server ended.
    pub(crate) const fn begun_by(&self) -> EndedBy {
        self.begun_by
    }

    /// The time at which [`Ending::due`] has to be called; `None` while no time is running.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match self.phase {
            EndingPhase::InputClosed { until } | EndingPhase::Terminating { until, .. } => Some(until),
            EndingPhase::Running | EndingPhase::Killed => None,
        }
    }

    /// Returns the step that follows an event. The first request gives the server its grace period, the second kills
    /// it.
    pub(crate) fn on(&mut self, event: EndingEvent, now: Instant) -> Option<EndingStep> {
        if self.begun_by == EndedBy::Server {
            self.begun_by = match event {
                EndingEvent::InputClosed => EndedBy::Client,
                EndingEvent::Asked => EndedBy::Signal,
                EndingEvent::Unfit => EndedBy::Smcp,
            };
        }
        match (self.phase, event) {
            (EndingPhase::Running, EndingEvent::InputClosed) => {
                self.phase = EndingPhase::InputClosed { until: now + self.grace_periods.input_closed };
                None
            }
            (EndingPhase::Running | EndingPhase::InputClosed { .. }, EndingEvent::Asked) => {
                Some(self.terminate(now, true))
            }
            // Closing standard input and then asking is the usual order in which clients end a server, and not a second
            // request.
            (EndingPhase::Terminating { until, asked: false }, EndingEvent::Asked) => {
                self.phase = EndingPhase::Terminating { until, asked: true };
                None
            }
            (EndingPhase::Terminating { asked: true, .. }, EndingEvent::Asked) => Some(self.kill()),
            (EndingPhase::Running | EndingPhase::InputClosed { .. }, EndingEvent::Unfit) => {
                Some(self.terminate(now, false))
            }
            (
                EndingPhase::InputClosed { .. } | EndingPhase::Terminating { .. } | EndingPhase::Killed,
                EndingEvent::InputClosed,
            )
            | (EndingPhase::Terminating { .. } | EndingPhase::Killed, EndingEvent::Unfit)
            | (EndingPhase::Killed, EndingEvent::Asked) => None,
        }
    }

    /// Returns the step that is due by now.
    pub(crate) fn due(&mut self, now: Instant) -> Option<EndingStep> {
        match self.phase {
            EndingPhase::InputClosed { until } if now >= until => Some(self.terminate(now, false)),
            EndingPhase::Terminating { until, .. } if now >= until => Some(self.kill()),
            EndingPhase::Running
            | EndingPhase::InputClosed { .. }
            | EndingPhase::Terminating { .. }
            | EndingPhase::Killed => None,
        }
    }

    fn terminate(&mut self, now: Instant, asked: bool) -> EndingStep {
        self.phase = EndingPhase::Terminating { until: now + self.grace_periods.terminate, asked };
        EndingStep::Terminate
    }

    const fn kill(&mut self) -> EndingStep {
        self.phase = EndingPhase::Killed;
        EndingStep::Kill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE_PERIODS: GracePeriods =
        GracePeriods { input_closed: Duration::from_secs(5), terminate: Duration::from_secs(3) };

    /// A second, what happens at it (an event, or only time), and the expected step.
    type At = (u64, Option<EndingEvent>, Option<EndingStep>);

    #[test]
    fn every_way_to_the_end() {
        use EndingEvent::Asked;
        use EndingEvent::InputClosed;
        use EndingEvent::Unfit;
        use EndingStep::Kill;
        use EndingStep::Terminate;
        let ways: [(&str, &[At]); 11] = [
            ("nothing happens by itself", &[(0, None, None), (1_000_000, None, None)]),
            (
                "the client leaves and the server ignores everything",
                &[
                    (1, Some(InputClosed), None),
                    (5, None, None),
                    (6, None, Some(Terminate)),
                    (8, None, None),
                    (9, None, Some(Kill)),
                    (20, None, None),
                ],
            ),
            ("somebody asks once", &[(1, Some(Asked), Some(Terminate)), (3, None, None), (4, None, Some(Kill))]),
            (
                "somebody asks twice",
                &[(1, Some(Asked), Some(Terminate)), (2, Some(Asked), Some(Kill)), (3, Some(Asked), None)],
            ),
            (
                "a client ends us in the usual order",
                &[
                    (1, Some(InputClosed), None),
                    (3, Some(Asked), Some(Terminate)),
                    (5, None, None),
                    (6, None, Some(Kill)),
                ],
            ),
            (
                "a client asks after we began by ourselves",
                &[
                    (0, Some(InputClosed), None),
                    (5, None, Some(Terminate)),
                    (6, Some(Asked), None),
                    (7, Some(Asked), Some(Kill)),
                ],
            ),
            (
                "closing after asking changes nothing",
                &[(1, Some(Asked), Some(Terminate)), (2, Some(InputClosed), None), (4, None, Some(Kill))],
            ),
            (
                "closing twice starts no second grace",
                &[(0, Some(InputClosed), None), (4, Some(InputClosed), None), (5, None, Some(Terminate))],
            ),
            (
                "a server that is unfit gets no grace before SIGTERM",
                &[(1, Some(Unfit), Some(Terminate)), (3, None, None), (4, None, Some(Kill)), (5, Some(Unfit), None)],
            ),
            (
                "nor does one whose client has left",
                &[(0, Some(InputClosed), None), (1, Some(Unfit), Some(Terminate)), (4, None, Some(Kill))],
            ),
            (
                "being unfit changes nothing for one that is ending, and is no request",
                &[
                    (0, Some(Unfit), Some(Terminate)),
                    (1, Some(Asked), None),
                    (2, Some(Unfit), None),
                    (3, None, Some(Kill)),
                ],
            ),
        ];
        for (way, steps) in ways {
            let start = Instant::now();
            let mut ending = Ending::new(GRACE_PERIODS);
            for (second, event, expected) in steps {
                let now = start + Duration::from_secs(*second);
                let step = match event {
                    Some(event) => ending.on(*event, now),
                    None => ending.due(now),
                };
                assert_eq!(step, *expected, "{way}, second {second}");
            }
        }
    }

    #[test]
    fn who_came_first_has_begun_it() {
        let cases = [
            (&[][..], EndedBy::Server),
            (&[EndingEvent::InputClosed, EndingEvent::Asked], EndedBy::Client),
            (&[EndingEvent::Asked, EndingEvent::InputClosed], EndedBy::Signal),
            (&[EndingEvent::Unfit, EndingEvent::Asked], EndedBy::Smcp),
        ];
        for (events, expected) in cases {
            let mut ending = Ending::new(GRACE_PERIODS);
            for event in events {
                ending.on(*event, Instant::now());
            }
            assert_eq!(ending.begun_by(), expected, "{events:?}");
        }
    }

    #[test]
    fn only_a_grace_has_a_deadline() {
        let now = Instant::now();
        let mut ending = Ending::new(GRACE_PERIODS);
        assert_eq!(ending.deadline(), None);
        ending.on(EndingEvent::InputClosed, now);
        assert_eq!(ending.deadline(), Some(now + GRACE_PERIODS.input_closed));
        ending.on(EndingEvent::Asked, now);
        assert_eq!(ending.deadline(), Some(now + GRACE_PERIODS.terminate));
        ending.on(EndingEvent::Asked, now);
        assert_eq!(ending.deadline(), None);
    }
}
