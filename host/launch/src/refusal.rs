//! Answers a client for which nothing was started (spec section 7).
//!
//! Before it a launch has ended without a server; after it comes the exit code. Clients show the error of an answer, and
//! not what is on standard error. One answer is not enough: a client that gets an error for its `server/discover` asks
//! again, with `initialize`.
//!
//! Everything is bounded: what is read of a line, what is kept, how long the client may be silent, how long all of it
//! may take, and how long the client may take to read.

use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;
use std::time::Instant;

use nix::errno::Errno;
use nix::unistd::read;
use nix::unistd::write;

use crate::refusal::requests::RequestLine;
use crate::refusal::requests::Requests;
use crate::signals::Ready;
use crate::signals::Signals;
use crate::streams::Streams;
use smcp_model::client_error::ClientError;
use smcp_model::limits;
use smcp_model::visible;

mod requests;

/// What a descriptor takes at once without blocking, after the system said that it takes something: every pipe takes a
/// page then. The client's descriptors are shared, so they can't be set to non-blocking.
const PIECE: usize = 4096;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Without a request, or while it reads nothing.
    pub quiet: Duration,
    /// In all.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { quiet: limits::REFUSAL_QUIET, whole: limits::REFUSAL_WHOLE }
    }
}

/// Answers every request with `error` until the client closes its end, is silent for too long, or a signal asks to end.
///
/// # Errors
/// When the client can't be read or written to. That it has left is no error.
pub fn refuse(error: &ClientError, streams: Streams, patience: Patience) -> io::Result<()> {
    let now = Instant::now();
    let client = RefusedClient {
        streams,
        signals: Signals::listen()?,
        patience,
        end: now.checked_add(patience.whole).unwrap_or(now),
        rest: rest(error)?,
    };
    match client.answer() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

/// An answer from behind its id up to its end.
fn rest(error: &ClientError) -> io::Result<Vec<u8>> {
    let ClientError { code, message, data } = error;
    let mut error = visible::line(&serde_json::json!({"code": code, "message": message, "data": data}))?;
    error.pop();
    Ok([br#","error":"#, error.as_slice(), b"}"].concat())
}

/// A client that is being answered.
#[derive(Debug)]
struct RefusedClient {
    streams: Streams,
    signals: Signals,
    patience: Patience,
    end: Instant,
    rest: Vec<u8>,
}

impl RefusedClient {
    fn answer(&self) -> io::Result<()> {
        let mut requests = Requests::default();
        let mut buffer = vec![0; limits::RELAY_BUFFER];
        let mut until = self.soon();
        while self.signals.wait_for(self.streams.input.as_fd(), Ready::Read, until)? {
            let said = match read(&self.streams.input, &mut buffer) {
                Ok(0) => requests.end(),
                Ok(count) => requests.hear(buffer.get(..count).unwrap_or_default()),
                Err(Errno::EINTR | Errno::EAGAIN) => continue,
                Err(errno) => return Err(errno.into()),
            };
            for said in &said {
                if !self.say(said)? {
                    return Ok(());
                }
                until = self.soon();
            }
            if requests.has_ended() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// When a client that says nothing from now on is given up.
    fn soon(&self) -> Instant {
        Instant::now().checked_add(self.patience.quiet).map_or(self.end, |quiet| quiet.min(self.end))
    }

    /// Answers a request, or all requests of a batch by one line; false when the client doesn't read.
    fn say(&self, said: &RequestLine) -> io::Result<bool> {
        let RequestLine { ids, batched } = said;
        let (open, close): (&[u8], &[u8]) = if *batched { (b"[", b"]\n") } else { (b"", b"\n") };
        let mut before = open;
        for id in ids {
            if !self.put(&[before, br#"{"jsonrpc":"2.0","id":"#, id, &self.rest].concat())? {
                return Ok(false);
            }
            before = b",";
        }
        self.put(close)
    }

    /// Writes all of it; false when it takes too long, or a signal came.
    fn put(&self, bytes: &[u8]) -> io::Result<bool> {
        for piece in bytes.chunks(PIECE) {
            let mut rest = piece;
            while !rest.is_empty() {
                if !self.signals.wait_for(self.streams.output.as_fd(), Ready::Write, self.soon())? {
                    return Ok(false);
                }
                match write(&self.streams.output, rest) {
                    Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                    Err(Errno::EINTR | Errno::EAGAIN) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
        }
        Ok(true)
    }
}
