//! Detects that the client has left, without an open stream (Linux).
//!
//! A server's streams have to behave as without smcp: what the server closes, the client has to see closed. It would
//! not while smcp had the same end open. So smcp closes its copies and watches through `epoll`: a registration lives as
//! long as the open file does in any process, and does not keep it open.
//!
//! Usually a client leaves by closing the server's input. When the server has closed its input itself, that can't be
//! seen. Then the client has left when it no longer reads the server's output, or, if the server has closed that too,
//! when the process that started smcp has ended.

use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::sys::epoll::Epoll;
use nix::sys::epoll::EpollCreateFlags;
use nix::sys::epoll::EpollEvent;
use nix::sys::epoll::EpollFlags;
use nix::sys::epoll::EpollTimeout;
use nix::sys::stat::Mode;
use nix::unistd::getppid;
use nix::unistd::read;

use crate::reaper;

/// The server's end of its input.
const INPUT: u64 = 1;
/// The server's end of its output.
const OUTPUT: u64 = 2;
/// The process that started smcp.
const PARENT: u64 = 3;

/// A client that is watched.
#[derive(Debug)]
pub(crate) struct ClientWatch {
    epoll: Epoll,
    /// The server's input is of a kind that can be watched: a pipe, a socket or a terminal.
    watchable: bool,
    /// The server's output has no reader any more.
    unread: bool,
    /// The process that started smcp has ended.
    orphaned: bool,
    /// The descriptor of that process. It is the only one, so closing it would end the registration.
    _parent: Option<OwnedFd>,
}

impl ClientWatch {
    /// Watches the client through the server's ends, which may be closed afterwards.
    pub(crate) fn of(input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let watchable = register(&epoll, input, EpollFlags::EPOLLRDHUP, INPUT)?;
        if watchable {
            // Errors and hang-ups are always reported. They would stay, so they are reported once.
            register(&epoll, output, EpollFlags::EPOLLONESHOT, OUTPUT)?;
        }
        // On an old system, or when the parent can't be seen, the parent is not watched.
        let parent = reaper::open_process(getppid()).ok().filter(|_| watchable);
        if let Some(parent) = &parent {
            register(&epoll, parent.as_fd(), EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, PARENT)?;
        }
        Ok(Self { epoll, watchable, unread: false, orphaned: false, _parent: parent })
    }

    /// The descriptor to wait for before calling [`ClientWatch::has_left`]; `None` when the client can't be watched.
    pub(crate) fn watched(&self) -> Option<PollFd<'_>> {
        self.watchable.then(|| PollFd::new(self.epoll.0.as_fd(), PollFlags::POLLIN))
    }

    /// Whether the client has left. Once it has, it stays so.
    pub(crate) fn has_left(&mut self) -> io::Result<bool> {
        let mut events = [EpollEvent::empty(); 3];
        let count = match self.epoll.wait(&mut events, EpollTimeout::ZERO) {
            Ok(count) => count,
            Err(Errno::EINTR) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        };
        let mut closed = false;
        for event in events.iter().take(count) {
            closed |= event.data() == INPUT;
            self.unread |= event.data() == OUTPUT;
            self.orphaned |= event.data() == PARENT;
        }
        if closed || !(self.unread || self.orphaned) {
            return Ok(closed);
        }
        // If the system doesn't list the ends, they count as open: then only the end of the input shows that the client
        // left.
        let Ok(open) = self.open() else { return Ok(false) };
        Ok(!open.input && (self.unread || !open.output))
    }

    /// Reads from the system's list of registrations which of the server's ends are open.
    fn open(&self) -> io::Result<OpenEnds> {
        let path = format!("/proc/self/fdinfo/{}", self.epoll.0.as_raw_fd());
        let list = open(Path::new(&path), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        let mut buffer = [0; 4096];
        let length = read(&list, &mut buffer)?;
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        let has = |data: u64| {
            let wanted = format!("{data:x}");
            text.lines().any(|line| line.split_whitespace().skip_while(|word| *word != "data:").nth(1) == Some(&wanted))
        };
        Ok(OpenEnds { input: has(INPUT), output: has(OUTPUT) })
    }
}

/// Which of the server's ends are open in some process.
#[derive(Debug, Clone, Copy)]
struct OpenEnds {
    input: bool,
    output: bool,
}

/// Registers an end; false when it is of a kind that can't be watched, such as a file, which never closes.
fn register(epoll: &Epoll, fd: BorrowedFd<'_>, events: EpollFlags, data: u64) -> io::Result<bool> {
    match epoll.add(fd, EpollEvent::new(events, data)) {
        Ok(()) => Ok(true),
        Err(Errno::EPERM) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::io::pipe;
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;

    use nix::poll::PollTimeout;
    use nix::poll::poll;

    use super::*;

    /// An open output, for tests of the input.
    fn output() -> (io::PipeReader, io::PipeWriter) {
        pipe().unwrap()
    }

    /// Whether the watch has an event, and whether it says that the client has left.
    fn seen(leaving: &mut ClientWatch) -> (bool, bool) {
        let Some(watched) = leaving.watched() else { return (false, false) };
        let woken = poll(&mut [watched], PollTimeout::ZERO).unwrap() > 0;
        (woken, leaving.has_left().unwrap())
    }

    #[test]
    fn a_pipe_is_left_when_nobody_can_write_to_it_even_when_it_holds_bytes() {
        let (_read, written) = output();
        let (input, mut client) = pipe().unwrap();
        let mut leaving = ClientWatch::of(input.as_fd(), written.as_fd()).unwrap();
        // The server's copy.
        let server = input.try_clone().unwrap();
        drop(input);
        client.write_all(b"unread").unwrap();
        assert_eq!(seen(&mut leaving), (false, false));
        drop(client);
        assert_eq!(seen(&mut leaving), (true, true));
        assert_eq!(seen(&mut leaving), (true, true), "it stays so");
        drop(server);
    }

    #[test]
    fn a_socket_is_left_when_its_peer_is_gone_or_stops_writing() {
        for stops in [true, false] {
            let (_read, written) = output();
            let (input, peer) = UnixStream::pair().unwrap();
            let mut leaving = ClientWatch::of(input.as_fd(), written.as_fd()).unwrap();
            assert_eq!(seen(&mut leaving), (false, false));
            if stops {
                peer.shutdown(Shutdown::Write).unwrap();
            } else {
                drop(peer);
            }
            assert_eq!(seen(&mut leaving), (true, true), "{stops}");
        }
    }

    #[test]
    fn what_the_server_closes_is_closed() {
        let ((mut read, written), (input, mut client)) = (output(), pipe().unwrap());
        let mut leaving = ClientWatch::of(input.as_fd(), written.as_fd()).unwrap();
        // The server's copies were the only ones.
        drop((input, written));
        assert_eq!(client.write_all(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(io::Read::read(&mut read, &mut [0]).unwrap(), 0);
        assert_eq!(seen(&mut leaving), (false, false));
    }

    #[test]
    fn a_client_that_no_longer_reads_has_left_a_server_that_no_longer_reads() {
        for closes in [true, false] {
            let ((read, written), (input, client)) = (output(), pipe().unwrap());
            let mut leaving = ClientWatch::of(input.as_fd(), written.as_fd()).unwrap();
            let input = Some(input).filter(|_| !closes);
            assert_eq!(seen(&mut leaving), (false, false));
            drop(read);
            assert_eq!(seen(&mut leaving), (true, closes), "the server has closed its input: {closes}");
            drop((client, input));
        }
    }

    #[test]
    fn a_file_and_the_null_device_are_never_left() {
        let (_read, written) = output();
        #[expect(clippy::disallowed_methods, reason = "a device that no directory handle of ours reaches")]
        let null = File::open("/dev/null").unwrap();
        for input in [tempfile::tempfile().unwrap(), null] {
            let leaving = ClientWatch::of(input.as_fd(), written.as_fd()).unwrap();
            assert!(leaving.watched().is_none());
        }
    }
}
