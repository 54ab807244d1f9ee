//! Relays the streams of a server with a warning: two threads around the proxy.
//!
//! `launch` makes the relay and its pipes; the supervisor watches it beside the signals; the exit code comes after it.
//!
//! ```text
//!            ┌── to_server: observes, then forwards ──┐
//!   client ──┤               proxy                    ├── server
//!            └── to_client: changes, then forwards ───┘
//! ```
//!
//! Neither direction waits for the other: they share the lock of the proxy, which is never held while reading or
//! writing. A slow reader slows down only its own writer. Memory holds one buffer for each direction, and the line that
//! the proxy holds back.
//!
//! A descriptor of the client is shared with other processes (copies, a shell's terminal), so it is never set to
//! non-blocking. Reading waits until there are bytes; writing blocks, in a thread that nothing has to wait for.

use std::io;
use std::io::PipeReader;
use std::io::PipeWriter;
use std::io::pipe;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use crate::ending::EndingEvent;
use crate::error::LaunchError;
use crate::proxy::Proxy;
use crate::relay::descriptor::enlarge;
use crate::relay::descriptor::set_nonblocking;
use crate::relay::shared::Shared;
use crate::relay::to_client::Close;
use crate::relay::to_client::ToClient;
use crate::relay::to_server::ToServer;
use crate::relay::worker::Worker;
use crate::signals::PollSet;
use crate::signals::Signals;
use crate::streams::Output;
use smcp_model::limits;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

mod descriptor;
mod shared;
mod to_client;
mod to_server;
mod worker;

/// A relay whose server has not started yet.
#[derive(Debug)]
pub(crate) struct PreparedRelay {
    to_server: PipeWriter,
    from_server: PipeReader,
    client: Output,
    warning: Warning,
}

/// Makes the pipes. The first two ends are the server's standard input and output, which block as programs expect. Our
/// ends don't block.
pub(crate) fn prepare(client: Output, warning: Warning) -> io::Result<(PipeReader, PipeWriter, PreparedRelay)> {
    let (stdin, to_server) = pipe()?;
    let (from_server, stdout) = pipe()?;
    enlarge(&to_server, limits::RELAY_PIPE);
    enlarge(&from_server, limits::RELAY_PIPE);
    set_nonblocking(&to_server)?;
    set_nonblocking(&from_server)?;
    Ok((stdin, stdout, PreparedRelay { to_server, from_server, client, warning }))
}

impl PreparedRelay {
    /// Begins to copy in both directions; `input` is the client's stream.
    pub(crate) fn start(self, input: OwnedFd) -> io::Result<Relay> {
        let (stopped, stop) = pipe()?;
        let shared = Arc::new(Shared::new(Proxy::new(self.warning))?);
        let to_server = ToServer::new(input, self.to_server, stopped, Arc::clone(&shared));
        let to_client = ToClient::new(self.from_server, self.client, Arc::clone(&shared));
        let mut relay = Relay { shared, stop: Some(stop), to_server: None, to_client: None, close: None };
        relay.to_server = Some(Worker::start("to-server", move || to_server.run())?);
        relay.to_client = Some(Worker::start("to-client", move || to_client.run())?);
        Ok(relay)
    }
}

/// A running relay. Dropping it closes the server's input, and does not wait.
#[derive(Debug)]
pub(crate) struct Relay {
    shared: Arc<Shared>,
    /// Dropped to end the direction to the server, also while it waits.
    stop: Option<PipeWriter>,
    to_server: Option<Worker<Option<OwnedFd>>>,
    to_client: Option<Worker<Close>>,
    close: Option<Close>,
}

impl Relay {
    /// A descriptor that is readable when [`Relay::event`] has an event; `None` after the event was taken.
    pub(crate) fn watched(&self) -> Option<BorrowedFd<'_>> {
        self.to_client.as_ref().map(Worker::ended)
    }

    /// Takes note that the direction to the client has ended; returns the event that this means for the server.
    pub(crate) fn event(&mut self) -> Option<EndingEvent> {
        let close = self.to_client.take()?.join().unwrap_or_else(|| Close::Broken(panicked()));
        tracing::debug!(?close, "the server's output is relayed no more");
        let event = match close {
            // The server may go on without output; many do until their input ends.
            Close::Complete => None,
            Close::ClientLeft => Some(EndingEvent::InputClosed),
            Close::Evaded(_) | Close::Broken(_) => Some(EndingEvent::Unfit),
        };
        self.close = Some(close);
        if event.is_some() {
            self.stop = None;
        }
        event
    }

    /// Waits, after the server's end, until the client has got all output, or smcp is asked to end.
    pub(crate) fn finish(mut self, signals: &Signals) -> Result<Delivery, LaunchError> {
        self.close_server();
        self.drain(signals).map_err(LaunchError::watching)?;
        if let Some(to_server) = self.to_server.take() {
            // It can only be late when another process reads the client's bytes at the same time.
            to_server.join_until(Instant::now() + limits::RELAY_GRACE);
        }
        match self.close.take() {
            Some(Close::Evaded(evasion)) => Err(LaunchError::Evaded(evasion)),
            Some(Close::Broken(cause)) => Err(LaunchError::watching(cause)),
            Some(Close::Complete | Close::ClientLeft) | None => Ok(self.shared.delivery()),
        }
    }

    fn drain(&mut self, signals: &Signals) -> io::Result<()> {
        let mut until = None;
        while let Some(watched) = self.watched() {
            if signals.ended().is_some() {
                until.get_or_insert_with(|| Instant::now() + limits::RELAY_GRACE);
            }
            if signals.wait(PollSet { relay: Some(watched), ..PollSet::default() }, until)?.relay {
                self.event();
            } else if until.is_some_and(|until| Instant::now() >= until) {
                tracing::debug!("the client does not read, so the end of the server's output is lost");
                break;
            }
        }
        Ok(())
    }

    fn close_server(&mut self) {
        self.stop = None;
        self.shared.end_of_server();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.close_server();
    }
}

fn panicked() -> io::Error {
    io::Error::other("the relay panicked, which is a defect of smcp")
}
