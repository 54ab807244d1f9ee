//! Copies from the client to the server; the proxy sees every byte.

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

/// The direction to the server. Dropping it closes the server's standard input, and our end of the client's stream.
#[derive(Debug)]
pub(super) struct ToServer {
    client: OwnedFd,
    server: PipeWriter,
    /// Hangs up when forwarding has to stop, even if there are bytes to read.
    stopped: PipeReader,
    shared: Arc<Shared>,
}

/// Which side ended the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamEnd {
    /// The client's stream has ended.
    Client,
    /// The server does not read any more, or the direction was stopped.
    Server,
}

impl ToServer {
    pub(super) fn new(client: OwnedFd, server: PipeWriter, stopped: PipeReader, shared: Arc<Shared>) -> Self {
        Self { client, server, stopped, shared }
    }

    /// Forwards until the client's stream ends, the server does not read any more, or it is stopped. When the client
    /// has left, its descriptor is returned, so that the supervisor's watch on it still works. In every other case it
    /// is closed, as the server's is.
    pub(super) fn run(self) -> Option<OwnedFd> {
        match self.forward() {
            Ok(StreamEnd::Client) => {
                tracing::debug!("the client's input has ended");
                return Some(self.client);
            }
            // Both ended at once. The supervisor decides who left first, and for that has to see that the client left.
            Ok(StreamEnd::Server) if has_hung_up(&self.client) => return Some(self.client),
            Ok(StreamEnd::Server) => tracing::debug!("the server reads its input no more"),
            // A server that closed its input may live on, and a terminal that hung up sends no more.
            Err(cause) => tracing::debug!(%cause, "the client's input is relayed no more"),
        }
        None
    }

    fn forward(&self) -> io::Result<StreamEnd> {
        let mut buffer = vec![0; limits::RELAY_BUFFER];
        // The client's descriptor blocks, so it is read only when it has bytes. The server's end is watched too: if the
        // server closes its input while the client is silent, ours is the last copy, and the client has to see it
        // closed.
        while !wait(self.client.as_fd(), For::Reading, &[self.stopped.as_fd(), self.server.as_fd()])? {
            match get(&self.client, &mut buffer)? {
                Got::Nothing => {}
                Got::End => return Ok(StreamEnd::Client),
                Got::Bytes(bytes) => {
                    // The proxy sees the bytes first, so that it knows each request before its answer.
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

/// Whether the client's stream has no writer any more.
fn has_hung_up(client: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(client.as_fd(), PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}
