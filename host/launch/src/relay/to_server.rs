//! From the client to the server: unchanged, but seen.

use std::io;
use std::io::PipeReader;
use std::io::PipeWriter;
use std::os::fd::AsFd as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;

use crate::relay::descriptor::For;
use crate::relay::descriptor::Got;
use crate::relay::descriptor::get;
use crate::relay::descriptor::put;
use crate::relay::descriptor::wait;
use crate::relay::shared::Shared;
use smcp_model::limits;

/// One direction. Its end closes the server's standard input, and the client's end of it.
#[derive(Debug)]
pub(super) struct ToServer {
    client: OwnedFd,
    server: PipeWriter,
    /// Hangs up when there is no more to forward, whatever there is to read.
    stopped: PipeReader,
    shared: Arc<Shared>,
}

/// Whose end ended the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamEnd {
    /// The client has said everything.
    Client,
    /// The server doesn't listen any more, or nobody is to be told more.
    Server,
}

impl ToServer {
    pub(super) fn new(client: OwnedFd, server: PipeWriter, stopped: PipeReader, shared: Arc<Shared>) -> Self {
        Self { client, server, stopped, shared }
    }

    /// Forwards until the client has said everything, the server doesn't listen any more, or it is stopped. A client
    /// that has left stays to be seen: its descriptor is given back, and with it what the supervisor watches. In every
    /// other case it is closed, as the server's is.
    pub(super) fn run(self) -> Option<OwnedFd> {
        match self.forward() {
            Ok(StreamEnd::Client) => {
                tracing::debug!("the client's input has ended");
                return Some(self.client);
            }
            // Both at once: who left first is the supervisor's to say, which has to see it.
            Ok(StreamEnd::Server) if has_hung_up(&self.client) => return Some(self.client),
            Ok(StreamEnd::Server) => tracing::debug!("the server reads its input no more"),
            // A server that closed its input may live on, and a terminal that hung up has no more to say.
            Err(cause) => tracing::debug!(%cause, "the client's input is relayed no more"),
        }
        None
    }

    fn forward(&self) -> io::Result<StreamEnd> {
        let mut buffer = vec![0; limits::RELAY_BUFFER];
        // The client's descriptor blocks, so it is read when there is something to read. A server that closes its input
        // is noticed while the client is silent: our end is the last one then, and the client has to see it closed.
        while !wait(self.client.as_fd(), For::Reading, &[self.stopped.as_fd(), self.server.as_fd()])? {
            match get(&self.client, &mut buffer)? {
                Got::Nothing => {}
                Got::End => return Ok(StreamEnd::Client),
                Got::Bytes(bytes) => {
                    // Before the server has them: no answer may come before its question is known.
                    if self.shared.proxy()?.client(bytes) {
                        self.shared.ring();
                    }
                    if !put(&self.server, bytes, Some(self.stopped.as_fd()))? {
                        return Ok(StreamEnd::Server);
                    }
                }
            }
        }
        Ok(StreamEnd::Server)
    }
}

/// Whether nobody can write to the client's end any more.
fn has_hung_up(client: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(client.as_fd(), PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}
