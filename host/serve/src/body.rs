//! The body of an answer: a short text, or a file or a list in pieces.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use http_body_util::Either;
use http_body_util::Full;
use hyper::body::Body;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::body::SizeHint;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use smcp_model::limits;
use smcp_model::number;

/// The size of a piece, bytes.
const PIECE: usize = 64 * 1024;

/// The body of an answer.
pub(super) type AnswerBody = Either<Full<Bytes>, Pieces>;

/// A body that is read or made while it is sent, a few pieces ahead.
#[derive(Debug)]
pub(super) struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// How many bytes are left to send; `None` if it is not known.
    left: Option<u64>,
}

impl Pieces {
    /// The first `length` bytes of a file.
    pub(super) fn of_file(file: File, length: u64) -> Self {
        let (send, pieces) = mpsc::channel(limits::SERVE_READ_AHEAD);
        drop(spawn_blocking(move || read(file, length, &send)));
        Self { pieces, left: Some(length) }
    }

    /// The text that will be written into the outlet. The client can tell whether it was broken off.
    pub(super) fn channel() -> (Outlet, Self) {
        let (send, pieces) = mpsc::channel(limits::SERVE_READ_AHEAD);
        (Outlet { send, text: Vec::new() }, Self { pieces, left: None })
    }
}

/// Takes the text of a body that is made while it is sent.
#[derive(Debug)]
pub(super) struct Outlet {
    send: mpsc::Sender<io::Result<Bytes>>,
    text: Vec<u8>,
}

impl Outlet {
    /// Adds text, and waits for a slow client. False when the client is gone.
    pub(super) fn write(&mut self, text: &str) -> bool {
        self.text.extend_from_slice(text.as_bytes());
        self.text.len() < PIECE || self.flush()
    }

    /// Sends the rest.
    pub(super) fn finish(mut self) {
        self.flush();
    }

    /// Breaks the answer off.
    pub(super) fn fail(self) {
        let _ = self.send.blocking_send(Err(io::ErrorKind::Other.into()));
    }

    fn flush(&mut self) -> bool {
        self.text.is_empty() || self.send.blocking_send(Ok(Bytes::from(std::mem::take(&mut self.text)))).is_ok()
    }
}

/// Reads a file in pieces, as fast as the client takes them. Ends when the client leaves.
fn read(file: File, length: u64, send: &mpsc::Sender<io::Result<Bytes>>) {
    let mut file = file.take(length);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = file.by_ref().take(number::wide(PIECE)).read_to_end(&mut piece);
        let piece = match read {
            Ok(0) => return,
            Ok(_) => Ok(Bytes::from(piece)),
            Err(error) => Err(error),
        };
        let failed = piece.is_err();
        if send.blocking_send(piece).is_err() || failed {
            return;
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Ok(piece)) => {
                let length = number::wide(piece.len());
                self.left = self.left.map(|left| left.saturating_sub(length));
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => Some(Err(error)),
            None if self.left.is_some_and(|left| left > 0) => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
