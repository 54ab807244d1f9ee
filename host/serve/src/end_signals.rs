//! Awaits the signals that end the server: SIGINT, SIGTERM and SIGHUP.

use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::os::unix::net::UnixStream as Socket;
use std::pin::pin;
use std::task::Poll;

use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::low_level::pipe;
use tokio::net::UnixStream;

/// Signals, as bytes in a socket. They are taken over until the process ends.
#[derive(Debug)]
pub(super) struct EndSignals {
    bytes: UnixStream,
}

impl EndSignals {
    /// Takes the signals over.
    pub(super) fn listen() -> io::Result<Self> {
        let (bytes, writer) = Socket::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            pipe::register(signal, writer.try_clone()?)?;
        }
        bytes.set_nonblocking(true)?;
        Ok(Self { bytes: UnixStream::from_std(bytes)? })
    }

    /// Completes when a signal has come.
    pub(super) async fn asked(&self) {
        // If the socket fails, no signal would be seen any more, so the server ends.
        drop(self.bytes.readable().await);
    }

    /// Discards the signals that have come so far.
    pub(super) fn forget(&self) {
        while self.bytes.try_read(&mut [0; 16]).is_ok_and(|read| read > 0) {}
    }
}

/// Awaits `work`; `None` if `end` comes first.
pub(super) async fn unless<T>(end: impl Future, work: impl Future<Output = T>) -> Option<T> {
    let (mut end, mut work) = (pin!(end), pin!(work));
    poll_fn(|context| match (end.as_mut().poll(context), work.as_mut().poll(context)) {
        (_, Poll::Ready(done)) => Poll::Ready(Some(done)),
        (Poll::Ready(_), Poll::Pending) => Poll::Ready(None),
        (Poll::Pending, Poll::Pending) => Poll::Pending,
    })
    .await
}
