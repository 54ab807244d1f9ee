//! Copies from the server to the client, through the proxy or past it.
//!
//! Once the proxy has nothing more to change, bytes are forwarded as they were read.

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

/// The reason why nothing more goes to the client.
#[derive(Debug)]
pub(super) enum Close {
    /// The server closed its output or ended, and the client has got everything.
    Complete,
    /// The client does not read any more.
    ClientLeft,
    /// The server tried to get past the warning.
    Evaded(Evasion),
    /// smcp itself failed.
    Broken(io::Error),
}

impl From<Evasion> for Close {
    fn from(evasion: Evasion) -> Self {
        Self::Evaded(evasion)
    }
}

/// The direction to the client. Dropping it closes our end of the server's output.
#[derive(Debug)]
pub(super) struct ToClient {
    server: PipeReader,
    client: Output,
    shared: Arc<Shared>,
    /// Bytes that the proxy has let out and the client has not got yet.
    out: Vec<u8>,
}

impl ToClient {
    pub(super) fn new(server: PipeReader, client: Output, shared: Arc<Shared>) -> Self {
        Self { server, client, shared, out: Vec::new() }
    }

    /// Forwards until there is a reason to stop.
    pub(super) fn run(mut self) -> Close {
        match self.forward() {
            Ok(()) => {
                // If closing fails, the client sees the end when smcp ends.
                self.client.close().unwrap_or_else(|cause| tracing::debug!(%cause, "standard output stays open"));
                Close::Complete
            }
            Err(close) => close,
        }
    }

    /// Forwards everything up to the end of the server's output.
    fn forward(&mut self) -> Result<(), Close> {
        let mut buffer = vec![0; limits::RELAY_BUFFER];
        // Checked before each read: once it has ended, everything that the server wrote is in the pipe.
        while !self.shared.server_has_ended() {
            match get(&self.server, &mut buffer).map_err(Close::Broken)? {
                Got::Bytes(bytes) => self.pass(bytes)?,
                Got::Nothing => self.wait()?,
                Got::End => return self.finish(),
            }
        }
        // A process that outlives the server may hold its output and go on writing, so the end may never come.
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

    /// Waits for bytes of the server, or for a message of our own.
    fn wait(&mut self) -> Result<(), Close> {
        if wait(self.server.as_fd(), For::Reading, &[self.shared.bell()]).map_err(Close::Broken)? {
            self.shared.silence();
            self.shared.proxy().map_err(Close::Broken)?.pending(&mut self.out);
            self.give_out()?;
        }
        Ok(())
    }

    /// Forwards bytes of the server. The proxy is asked after they were read, so that it knows every request that they
    /// can answer.
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

    /// Writes to the client what the proxy has let out.
    fn give_out(&mut self) -> Result<(), Close> {
        self.give(&self.out)?;
        self.out.clear();
        // A held line may have been large, and the next one probably is not.
        self.out.shrink_to(4 * limits::RELAY_BUFFER);
        self.shared.given(self.shared.proxy().map_err(Close::Broken)?.delivery());
        Ok(())
    }

    /// Writes to the client, however long it takes to read.
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
