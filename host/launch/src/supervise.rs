//! The loop around a running server: what happens, and what follows.

use std::io;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::ending::Ending;
use crate::ending::Event;
use crate::ending::Graces;
use crate::ending::Step;
#[cfg(not(target_os = "linux"))]
use crate::held::Leaving;
#[cfg(target_os = "linux")]
use crate::leaving::Leaving;
use crate::relay::Relay;
use crate::signals::Signals;
use crate::signals::Watched;
use crate::spawn::Server;
use crate::spawn::State;
use crate::status::Ended;
use smcp_model::record::EndedBy;

/// Stays with the server until it has ended, and says who began that.
pub(crate) fn supervise(
    server: &mut Server,
    signals: &Signals,
    leaving: &mut Leaving,
    mut relay: Option<&mut Relay>,
    graces: Graces,
) -> io::Result<(Ended, EndedBy)> {
    let mut ending = Ending::new(graces);
    let mut is_there = true;
    loop {
        match server.state()? {
            State::Ended(ended) => {
                // A server that ends because its client has left may be seen first.
                if is_there && leaving.has_left()? {
                    ending.on(Event::InputClosed, Instant::now());
                }
                return Ok((ended.when_asked(signals.ended()), ending.begun_by()));
            }
            State::Stopped(signal) => server.stop_with_job(signal),
            State::Running => {}
        }
        let relayed = relay.as_deref().and_then(Relay::watched);
        let client = if is_there { leaving.watched() } else { None };
        let watched = Watched { client, relay: relayed, changes: server.changes() };
        let wake = signals.wait(watched, ending.deadline())?;
        if wake.resumed {
            server.resume();
        }
        let left = wake.client && leaving.has_left()?;
        if left {
            tracing::debug!("the client closed the server's standard input, or died: the server has to end");
            // It stays like that, and would wake us for ever.
            is_there = false;
        }
        let now = Instant::now();
        let closed = left.then_some(Event::InputClosed);
        let asked = wake.asked.then_some(Event::Asked);
        let relayed = relay.as_mut().filter(|_| wake.relay).and_then(|relay| relay.event());
        let steps: Vec<_> =
            closed.into_iter().chain(asked).chain(relayed).filter_map(|event| ending.on(event, now)).collect();
        for step in steps.into_iter().chain(ending.due(now)) {
            let signal = match step {
                Step::Terminate => Signal::SIGTERM,
                Step::Kill => Signal::SIGKILL,
            };
            tracing::debug!(%signal, "ending the server");
            server.signal(signal);
        }
    }
}
