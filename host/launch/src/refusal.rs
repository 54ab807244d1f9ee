//! Answers a client whose server was not started (spec section 7).
//!
//! A launch has ended without a server before; the exit code comes after. Clients show the error of an answer, but not
//! standard error. One answer is not enough: a client that gets an error for its `server/discover` asks again, with
//! `initialize`.
//!
//! Everything is bounded: how much of a line is read and kept, how long the client may be silent, how long it may take
//! to read, and how long all of it may take.

use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;
use std::time::Instant;

use nix::errno::Errno;
use nix::unistd::read;
use nix::unistd::write;

use crate::refusal::requests::RequestLine;
use crate::refusal::requests::Requests;
use crate::signals::ReadyTo;
use crate::signals::Signals;
use crate::streams::Streams;
use smcp_model::client_error::ClientError;
use smcp_model::limits;
use smcp_model::visible;

mod requests;

/// How much can be written without blocking once the system says that a descriptor is ready, bytes: every pipe takes a
/// page. The client's descriptors are shared, so they can't be set to non-blocking.
const PIECE: usize = 4096;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The time without a request, or without the client reading.
    pub quiet: Duration,
    /// The time for everything.
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
/// When reading from the client or writing to it fails. A client that has left is not an error.
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

/// The part of an answer after its id.
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
        while self.signals.wait_for(self.streams.input.as_fd(), ReadyTo::Read, until)? {
            let lines = match read(&self.streams.input, &mut buffer) {
                Ok(0) => requests.end(),
                Ok(count) => requests.hear(buffer.get(..count).unwrap_or_default()),
                Err(Errno::EINTR | Errno::EAGAIN) => continue,
                Err(errno) => return Err(errno.into()),
            };
            for line in &lines {
                if !self.reply(line)? {
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

    /// The time until which a client that is silent from now on is waited for.
    fn soon(&self) -> Instant {
        Instant::now().checked_add(self.patience.quiet).map_or(self.end, |quiet| quiet.min(self.end))
    }

    /// Answers the requests of one line, a batch by one line. False when the client doesn't read.
    fn reply(&self, line: &RequestLine) -> io::Result<bool> {
        let RequestLine { ids, batched } = line;
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

    /// Writes all bytes. False when it takes too long, or a signal came.
    fn put(&self, bytes: &[u8]) -> io::Result<bool> {
        for piece in bytes.chunks(PIECE) {
            let mut rest = piece;
            while !rest.is_empty() {
                if !self.signals.wait_for(self.streams.output.as_fd(), ReadyTo::Write, self.soon())? {
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
