//! The loop around a running server: waits for events and acts on them.

use std::io;
use std::time::Instant;

use nix::sys::signal::Signal;

#[cfg(not(target_os = "linux"))]
use crate::client_poll::ClientWatch;
#[cfg(target_os = "linux")]
use crate::client_watch::ClientWatch;
use crate::ending::Ending;
use crate::ending::EndingEvent;
use crate::ending::EndingStep;
use crate::ending::GracePeriods;
#[cfg(target_os = "linux")]
use crate::program_pages;
use crate::relay::Relay;
use crate::signals::PollSet;
use crate::signals::Signals;
use crate::spawn::RunningServer;
use crate::spawn::State;
use crate::status::Ended;
use smcp_model::record::EndedBy;

/// Stays with the server until it has ended, and says who began the ending.
pub(crate) fn supervise(
    server: &mut RunningServer,
    signals: &Signals,
    watch: &mut ClientWatch,
    mut relay: Option<&mut Relay>,
    grace_periods: GracePeriods,
) -> io::Result<(Ended, EndedBy)> {
    let mut ending = Ending::new(grace_periods);
    let mut is_there = true;
    #[cfg(target_os = "linux")]
    program_pages::release();
    loop {
        match server.state()? {
            State::Ended(ended) => {
                // The end of a server whose client has left may be seen before the client's leaving.
                if is_there && watch.has_left()? {
                    ending.on(EndingEvent::InputClosed, Instant::now());
                }
                return Ok((ended.when_asked(signals.ended()), ending.begun_by()));
            }
            State::Stopped(signal) => server.stop_with_job(signal),
            State::Running => {}
        }
        let relayed = relay.as_deref().and_then(Relay::watched);
        let client = if is_there { watch.watched() } else { None };
        let watched = PollSet { client, relay: relayed, changes: server.changes() };
        let wake = signals.wait(watched, ending.deadline())?;
        if wake.resumed {
            server.resume();
        }
        let left = wake.client && watch.has_left()?;
        if left {
            tracing::debug!("the client closed the server's standard input, or died: the server has to end");
            // The client stays gone, and watching it further would wake us for ever.
            is_there = false;
        }
        let now = Instant::now();
        let closed = left.then_some(EndingEvent::InputClosed);
        let asked = wake.asked.then_some(EndingEvent::Asked);
        let relayed = relay.as_mut().filter(|_| wake.relay).and_then(|relay| relay.event());
        let steps: Vec<_> =
            closed.into_iter().chain(asked).chain(relayed).filter_map(|event| ending.on(event, now)).collect();
        for step in steps.into_iter().chain(ending.due(now)) {
            tracing::debug!(?step, "ending the server");
            match step {
                EndingStep::Terminate => server.signal(Signal::SIGTERM),
                EndingStep::Kill => server.end(),
            }
        }
    }
}
