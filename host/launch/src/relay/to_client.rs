//! From the server to the client: through the state machine, or past it.
//!
//! Once the machine has nothing to change, bytes pass it as they were read.

use std::io;
use std::io::PipeReader;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use crate::proxy::Evasion;
use crate::relay::descriptor::For;
use crate::relay::descriptor::Got;
use crate::relay::descriptor::capacity;
use crate::relay::descriptor::get;
use crate::relay::descriptor::put;
use crate::relay::descriptor::wait;
use crate::relay::shared::Shared;
use crate::streams::Output;
use smcp_model::limits;

/// Why nothing more goes to the client.
#[derive(Debug)]
pub(super) enum Close {
    /// The server closed its output or ended, and the client has been given everything.
    Complete,
    /// Nobody reads what the server says.
    ClientLeft,
    /// The server tried to get past the warning.
    Evaded(Evasion),
    /// Something failed that has nothing to do with either.
    Broken(io::Error),
}

impl From<Evasion> for Close {
    fn from(evasion: Evasion) -> Self {
        Self::Evaded(evasion)
    }
}

/// One direction. Its end closes our end of the server's output.
#[derive(Debug)]
pub(super) struct ToClient {
    server: PipeReader,
    client: Output,
    shared: Arc<Shared>,
    /// What the machine has let out and the client has not been given yet.
    out: Vec<u8>,
}

impl ToClient {
    pub(super) fn new(server: PipeReader, client: Output, shared: Arc<Shared>) -> Self {
        Self { server, client, shared, out: Vec::new() }
    }

    /// Forwards until there is a reason not to.
    pub(super) fn run(mut self) -> Close {
        match self.forward() {
            Ok(()) => {
                // The client sees the end when smcp has ended, then.
                self.client.close().unwrap_or_else(|cause| tracing::debug!(%cause, "standard output stays open"));
                Close::Complete
            }
            Err(close) => close,
        }
    }

    /// Forwards everything up to the end of the server's output.
    fn forward(&mut self) -> Result<(), Close> {
        let mut buffer = vec![0; limits::RELAY_BUFFER];
        // Asked before reading: what the server wrote is in the pipe by then.
        while !self.shared.server_has_ended() {
            match get(&self.server, &mut buffer).map_err(Close::Broken)? {
                Got::Bytes(bytes) => self.pass(bytes)?,
                Got::Nothing => self.wait()?,
                Got::End => return self.finish(),
            }
        }
        // Somebody who outlives the server may hold its output and go on writing, so there is not always an end.
        let mut rest = capacity(&self.server).map_err(Close::Broken)?;
        while rest > 0 {
            match get(&self.server, &mut buffer).map_err(Close::Broken)? {
                Got::Bytes(bytes) => {
                    rest = rest.saturating_sub(bytes.len());
                    self.pass(bytes)?;
                }
                Got::Nothing | Got::End => break,
            }
        }
        self.finish()
    }

    /// Waits for bytes of the server, or for something of our own to say.
    fn wait(&mut self) -> Result<(), Close> {
        if wait(self.server.as_fd(), For::Reading, &[self.shared.bell()]).map_err(Close::Broken)? {
            self.shared.silence();
            self.shared.proxy().map_err(Close::Broken)?.pending(&mut self.out);
            self.give_out()?;
        }
        Ok(())
    }

    /// What the server wrote. The machine is asked after the bytes were read, so that it knows of every question that
    /// they can be an answer to.
    fn pass(&mut self, bytes: &[u8]) -> Result<(), Close> {
        let mut proxy = self.shared.proxy().map_err(Close::Broken)?;
        if proxy.is_raw() {
            proxy.note_raw(bytes);
            drop(proxy);
            return self.give(bytes);
        }
        proxy.server(bytes, &mut self.out)?;
        proxy.pending(&mut self.out);
        drop(proxy);
        self.give_out()
    }

    fn finish(&mut self) -> Result<(), Close> {
        self.shared.proxy().map_err(Close::Broken)?.server_ended(&mut self.out)?;
        self.give_out()
    }

    /// Gives the client what the machine has let out.
    fn give_out(&mut self) -> Result<(), Close> {
        self.give(&self.out)?;
        self.out.clear();
        // A held line may have been large, and the next is not likely to be.
        self.out.shrink_to(4 * limits::RELAY_BUFFER);
        self.shared.given(self.shared.proxy().map_err(Close::Broken)?.delivery());
        Ok(())
    }

    /// However long the client takes to read it.
    fn give(&self, bytes: &[u8]) -> Result<(), Close> {
        match put(&self.client, bytes, None) {
            Ok(_) => Ok(()),
            Err(cause) => {
                tracing::debug!(%cause, "the client does not read any more");
                Err(Close::ClientLeft)
            }
        }
    }
}
