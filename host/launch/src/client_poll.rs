//! Detects that the client has left, on systems other than Linux.
//!
//! The counterpart of `client_watch`. These systems can't watch an end that smcp has closed, so smcp keeps a copy of
//! the server's input open. A client therefore does not see that the server closed its input before smcp ends.

use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;

/// A client that is watched.
#[derive(Debug)]
pub(crate) struct ClientWatch {
    input: OwnedFd,
    watchable: bool,
}

impl ClientWatch {
    /// Watches the client through the server's end of its input.
    pub(crate) fn of(input: BorrowedFd<'_>, _output: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { input: input.try_clone_to_owned()?, watchable: true })
    }

    /// The descriptor to wait for before calling [`ClientWatch::has_left`]; `None` when the client can't be watched.
    pub(crate) fn watched(&self) -> Option<PollFd<'_>> {
        // A hang-up is always reported.
        self.watchable.then(|| PollFd::new(self.input.as_fd(), PollFlags::empty()))
    }

    /// Whether the client has left. Once it has, it stays so.
    pub(crate) fn has_left(&mut self) -> io::Result<bool> {
        let mut fds = [PollFd::new(self.input.as_fd(), PollFlags::empty())];
        poll(&mut fds, PollTimeout::ZERO)?;
        let events = fds.first().and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        self.watchable = !events.contains(PollFlags::POLLNVAL);
        Ok(self.watchable && !events.is_empty())
    }
}
