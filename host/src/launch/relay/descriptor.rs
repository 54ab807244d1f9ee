//! Reading, writing and waiting, on descriptors that block and on those that don't.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};

/// What a try to read gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got<'b> {
    Bytes(&'b [u8]),
    Nothing,
    End,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Reading,
    Writing,
}

/// For descriptors that are ours alone.
pub(super) fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// How many bytes a pipe can hold at once.
pub(super) fn capacity(pipe: impl AsFd) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    return Ok(usize::try_from(fcntl(pipe, FcntlArg::F_GETPIPE_SZ)?).unwrap_or_default());
    #[cfg(not(target_os = "linux"))]
    return Ok({
        // Nobody can make them larger there.
        let _ = pipe;
        crate::model::limits::RELAY_BUFFER
    });
}

/// Reads what there is. A descriptor that blocks waits until there is something.
pub(super) fn get(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<Got<'_>> {
    loop {
        return match read(&fd, buffer) {
            Ok(0) => Ok(Got::End),
            Ok(count) => Ok(buffer.get(..count).map_or(Got::End, Got::Bytes)),
            Err(Errno::EAGAIN) => Ok(Got::Nothing),
            Err(Errno::EINTR) => continue,
            Err(errno) => Err(errno.into()),
        };
    }
}

/// Writes all of it, however long the reader takes; false when `stop` hung up before.
pub(super) fn put(fd: impl AsFd, mut bytes: &[u8], stop: Option<BorrowedFd<'_>>) -> io::Result<bool> {
    while !bytes.is_empty() {
        match write(&fd, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::EAGAIN) => {
                if wait(fd.as_fd(), For::Writing, stop)? {
                    return Ok(false);
                }
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(true)
}

/// Waits until `fd` is ready, or until something happens to `other`; whether it was the latter, or both.
pub(super) fn wait(fd: BorrowedFd<'_>, what: For, other: Option<BorrowedFd<'_>>) -> io::Result<bool> {
    let events = match what {
        For::Reading => PollFlags::POLLIN,
        For::Writing => PollFlags::POLLOUT,
    };
    let mut fds: Vec<_> = std::iter::once(PollFd::new(fd, events))
        .chain(other.map(|other| PollFd::new(other, PollFlags::POLLIN)))
        .collect();
    loop {
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => return Ok(fds.get(1).is_some_and(happened)),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Waits until nobody holds the other end of `fd`, or until it is late; whether it was the former.
pub(super) fn hung_up(fd: BorrowedFd<'_>, until: Instant) -> bool {
    loop {
        // Rounded up, so that the time has passed when `poll` returns.
        let left = until.saturating_duration_since(Instant::now()) + Duration::from_nanos(999_999);
        let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)) {
            Ok(_) => return fds.iter().any(happened),
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}

/// Whether there is anything to know of it, an error included: the next call says what.
fn happened(fd: &PollFd<'_>) -> bool {
    fd.revents() != Some(PollFlags::empty())
}
