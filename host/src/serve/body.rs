//! The body of an answer: a short text, or a file in pieces.

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

use crate::model::limits;

/// Bytes of a file that are sent at once.
const PIECE: usize = 64 * 1024;

/// What an answer carries.
pub(super) type AnswerBody = Either<Full<Bytes>, FileBody>;

/// A file that is read while it is sent, a few pieces ahead.
#[derive(Debug)]
pub(super) struct FileBody {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl FileBody {
    /// The first `length` bytes of a file.
    pub(super) fn new(file: File, length: u64) -> Self {
        let (send, pieces) = mpsc::channel(limits::SERVE_READ_AHEAD);
        drop(spawn_blocking(move || read(file, length, &send)));
        Self { pieces, left: length }
    }
}

/// Reads a file piece by piece, as fast as they are taken. A client that leaves ends it.
fn read(file: File, length: u64, send: &mpsc::Sender<io::Result<Bytes>>) {
    let mut file = file.take(length);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = file.by_ref().take(u64::try_from(PIECE).unwrap_or(u64::MAX)).read_to_end(&mut piece);
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

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Ok(piece)) => {
                self.left = self.left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => Some(Err(error)),
            None if self.left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
