//! The streams of a server with a warning: two threads around the proxy.
//!
//! Before it `launch` has made the pipes; the supervisor watches it beside the signals; after it comes the exit code.
//!
//! ```text
//!            ┌── to_server: observes, then forwards ──┐
//!   client ──┤               proxy                    ├── server
//!            └── to_client: changes, then forwards ───┘
//! ```
//!
//! Neither direction waits for the other: they share the machine's lock, which nobody holds while reading or writing.
//! A slow reader slows down its own writer alone. What is in memory is a buffer for each direction and the line that
//! the machine holds.
//!
//! A descriptor of the client is shared with others (its own copies, a shell's terminal), so it is never set to
//! non-blocking. Reading waits for something to read; writing blocks, in a thread that nobody has to wait for.

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

/// A relay whose server is not there yet.
#[derive(Debug)]
pub(crate) struct PreparedRelay {
    to_server: PipeWriter,
    from_server: PipeReader,
    client: Output,
    warning: Warning,
}

/// Makes the pipes. The first two are for the server, its standard input and output; they are as every program expects.
/// Ours are descriptions of their own, and don't block.
pub(crate) fn prepare(client: Output, warning: Warning) -> io::Result<(PipeReader, PipeWriter, PreparedRelay)> {
    let (stdin, to_server) = pipe()?;
    let (from_server, stdout) = pipe()?;
    set_nonblocking(&to_server)?;
    set_nonblocking(&from_server)?;
    Ok((stdin, stdout, PreparedRelay { to_server, from_server, client, warning }))
}

impl PreparedRelay {
    /// Begins to copy in both directions; `input` is what the client says.
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

/// A relay at work. Dropping it lets go of the server's input, and waits for nobody.
#[derive(Debug)]
pub(crate) struct Relay {
    shared: Arc<Shared>,
    /// Dropped to end the direction to the server, wherever it waits.
    stop: Option<PipeWriter>,
    to_server: Option<Worker<Option<OwnedFd>>>,
    to_client: Option<Worker<Close>>,
    close: Option<Close>,
}

impl Relay {
    /// What becomes readable when there is something for [`Relay::event`]; none once it was there.
    pub(crate) fn watched(&self) -> Option<BorrowedFd<'_>> {
        self.to_client.as_ref().map(Worker::ended)
    }

    /// Takes note that nothing more goes to the client, and says what that means for the server.
    pub(crate) fn event(&mut self) -> Option<EndingEvent> {
        let close = self.to_client.take()?.join().unwrap_or_else(|| Close::Broken(panicked()));
        tracing::debug!(?close, "the server's output is relayed no more");
        let event = match close {
            // It may go on without; many do until their input ends.
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

    /// The server has ended: waits until the client has been given everything, for as long as nobody asks smcp to end.
    pub(crate) fn finish(mut self, signals: &Signals) -> Result<Delivery, LaunchError> {
        self.let_go();
        self.drain(signals).map_err(LaunchError::watching)?;
        if let Some(to_server) = self.to_server.take() {
            // At most a reader that raced with us for the client's bytes keeps it.
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

    fn let_go(&mut self) {
        self.stop = None;
        self.shared.end_of_server();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn panicked() -> io::Error {
    io::Error::other("the relay panicked, which is a defect of smcp")
}
