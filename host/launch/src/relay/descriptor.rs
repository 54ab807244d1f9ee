//! Reads, writes and waits, on descriptors that block and that don't.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::time::Duration;
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::FcntlArg;
use nix::fcntl::OFlag;
use nix::fcntl::fcntl;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::unistd::read;
use nix::unistd::write;

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got<'b> {
    Bytes(&'b [u8]),
    Nothing,
    End,
}

/// The readiness that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Reading,
    Writing,
}

/// Sets a descriptor to non-blocking. Only for descriptors that no other process shares.
pub(super) fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Lets a pipe hold so many bytes, where the system allows it: its two sides wait for each other more seldom.
pub(super) fn enlarge(pipe: impl AsFd, bytes: i32) {
    #[cfg(target_os = "linux")]
    if let Err(cause) = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(bytes)) {
        tracing::debug!(%cause, "a pipe stays as small as it is");
    }
    // These systems have no call for it.
    #[cfg(not(target_os = "linux"))]
    let _ = (pipe, bytes);
}

/// How many bytes a pipe can hold at once.
pub(super) fn capacity(pipe: impl AsFd) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    return Ok(usize::try_from(fcntl(pipe, FcntlArg::F_GETPIPE_SZ)?).unwrap_or_default());
    #[cfg(not(target_os = "linux"))]
    return Ok({
        // These systems have no call that makes a pipe larger.
        let _ = pipe;
        smcp_model::limits::RELAY_BUFFER
    });
}

/// Reads the available bytes. A blocking descriptor waits until there are some.
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

/// Writes all bytes, however long the reader takes. False when `stop` hung up first.
pub(super) fn put(fd: impl AsFd, mut bytes: &[u8], stop: Option<BorrowedFd<'_>>) -> io::Result<bool> {
    while !bytes.is_empty() {
        match write(&fd, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::EAGAIN) => {
                if wait(fd.as_fd(), For::Writing, stop.as_slice())? {
                    return Ok(false);
                }
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(true)
}

/// Waits until `fd` is ready, or one of the `others` has an event. True when one of the others has.
pub(super) fn wait(fd: BorrowedFd<'_>, what: For, others: &[BorrowedFd<'_>]) -> io::Result<bool> {
    let events = match what {
        For::Reading => PollFlags::POLLIN,
        For::Writing => PollFlags::POLLOUT,
    };
    let others = others.iter().map(|other| PollFd::new(*other, PollFlags::POLLIN));
    let mut fds: Vec<_> = std::iter::once(PollFd::new(fd, events)).chain(others).collect();
    loop {
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => return Ok(fds.iter().skip(1).any(happened)),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Waits until the other end of `fd` is closed, or `until` passes. True when the end is closed.
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

/// Whether a descriptor has an event. An error counts: the next call reports it.
fn happened(fd: &PollFd<'_>) -> bool {
    fd.revents() != Some(PollFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::io::pipe;

    use super::*;

    #[test]
    fn a_full_pipe_is_waited_for_until_there_is_a_reason_not_to() {
        let (_unread, full) = pipe().unwrap();
        set_nonblocking(&full).unwrap();
        let (stopped, stop) = pipe().unwrap();
        drop(stop);
        assert!(!put(&full, &vec![0; 1 << 20], Some(stopped.as_fd())).unwrap());
    }

    #[test]
    fn what_fits_is_written_even_when_there_is_a_reason_to_stop() {
        let (mut read, write) = pipe().unwrap();
        let (stopped, stop) = pipe().unwrap();
        drop(stop);
        assert!(put(&write, b"the last words", Some(stopped.as_fd())).unwrap());
        let mut buffer = [0; 64];
        assert_eq!(get(&mut read, &mut buffer).unwrap(), Got::Bytes(b"the last words"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_holds_what_it_was_enlarged_to() {
        let (reader, writer) = pipe().unwrap();
        set_nonblocking(&writer).unwrap();
        let before = capacity(&reader).unwrap();
        enlarge(&writer, smcp_model::limits::RELAY_PIPE);
        let holds = capacity(&reader).unwrap();
        assert!(holds > before);
        assert_eq!(write(&writer, &vec![0; holds + 1]).unwrap(), holds);
    }

    #[test]
    fn reading_tells_nothing_from_the_end() {
        let (read, mut write) = pipe().unwrap();
        set_nonblocking(&read).unwrap();
        let mut buffer = [0; 4];
        assert_eq!(get(&read, &mut buffer).unwrap(), Got::Nothing);
        write.write_all(b"seven b").unwrap();
        assert_eq!(get(&read, &mut buffer).unwrap(), Got::Bytes(b"seve"));
        assert_eq!(get(&read, &mut buffer).unwrap(), Got::Bytes(b"n b"));
        drop(write);
        assert_eq!(get(&read, &mut buffer).unwrap(), Got::End);
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        let (read, write) = pipe().unwrap();
        drop(read);
        assert_eq!(put(&write, b"x", None).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn the_end_of_a_thread_is_waited_for_not_longer_than_allowed() {
        let (ended, alive) = pipe().unwrap();
        let until = Instant::now() + Duration::from_millis(3);
        assert!(!hung_up(ended.as_fd(), until));
        assert!(Instant::now() >= until);
        drop(alive);
        assert!(hung_up(ended.as_fd(), Instant::now()));
    }
}
