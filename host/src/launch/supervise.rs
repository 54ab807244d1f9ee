//! The loop around a running server: what happens, and what follows.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::launch::ending::Ending;
use crate::launch::ending::Event;
use crate::launch::ending::Graces;
use crate::launch::ending::Step;
use crate::launch::relay::Relay;
use crate::launch::signals::Input;
use crate::launch::signals::Signals;
use crate::launch::signals::Watched;
use crate::launch::spawn::Server;
use crate::launch::spawn::State;
use crate::launch::status::Ended;
use crate::launch::status::EndedBy;

/// Stays with the server until it has ended, and says who began that. `input` is the client's end of its standard input; with a `relay` it is
/// the relay that reads it.
pub(crate) fn supervise(
    server: &mut Server,
    signals: &Signals,
    input: BorrowedFd<'_>,
    mut relay: Option<&mut Relay>,
    graces: Graces,
) -> io::Result<(Ended, EndedBy)> {
    let mut ending = Ending::new(graces);
    let mut client = Some(input);
    loop {
        match server.state()? {
            State::Ended(ended) => return Ok((ended.when_asked(signals.ended()), ending.begun_by())),
            State::Stopped(signal) => server.stop_with_job(signal),
            State::Running => {}
        }
        let relayed = relay.as_deref().and_then(Relay::watched);
        let watched = Watched { input: client, relay: relayed, changes: server.changes() };
        let wake = signals.wait(watched, ending.deadline())?;
        if wake.resumed {
            server.resume();
        }
        if wake.input != Input::Open {
            // It stays like that, and would wake us for ever.
            client = None;
        }
        if wake.input == Input::Closed {
            tracing::debug!("the client closed the server's standard input, or died: the server has to end");
        }
        let now = Instant::now();
        let closed = (wake.input == Input::Closed).then_some(Event::InputClosed);
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
