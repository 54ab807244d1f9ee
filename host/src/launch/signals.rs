//! What can wake the supervisor, all of it behind one `poll`.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use signal_hook::SigId;
use signal_hook::consts::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::{pipe, unregister};

use crate::launch::status::Ended;

/// What asks smcp to end.
const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Signals, as bytes that can be waited for beside other things.
///
/// From the moment that there is something to clean up until it is cleaned up, somebody has to hold this.
#[derive(Debug)]
pub struct Signals {
    /// SIGINT, SIGTERM, SIGHUP, SIGQUIT: smcp is asked to end.
    asked: SignalPipe,
    /// Which of them came last; 0 before the first.
    latest: Arc<AtomicUsize>,
    /// SIGCHLD: the server ended or stopped, or its keeper did. Listening also undoes an inherited wish not to hear of
    /// children, under which the system would forget how they ended.
    child: SignalPipe,
    /// SIGCONT: smcp goes on after a stop.
    resumed: SignalPipe,
}

/// What a descriptor is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// To be read without waiting.
    Read,
    /// To be written to without waiting.
    Write,
}

/// What is waited for besides signals.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Watched<'w> {
    /// The client's end, for its closing alone: what there is to read in it is the server's.
    pub(crate) input: Option<BorrowedFd<'w>>,
    /// Readable when the relay has something to say.
    pub(crate) relay: Option<BorrowedFd<'w>>,
    /// Readable when the server's state has changed, which the caller looks at whatever woke it.
    pub(crate) changes: Option<BorrowedFd<'w>>,
}

/// Why the wait is over; several reasons at once, or none after a spurious wake.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wake {
    pub(crate) asked: bool,
    pub(crate) resumed: bool,
    pub(crate) input: Input,
    /// The relay has something to say.
    pub(crate) relay: bool,
}

/// What `poll` says of the client's end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing new.
    #[default]
    Open,
    /// Nobody can write to it any more.
    Closed,
    /// It is of a kind that this system's `poll` can't watch.
    Unwatchable,
}

impl Signals {
    /// Takes these signals over for the life of the value. Afterwards they do nothing, because a program that is
    /// about to end should still clean up after a second Ctrl-C.
    ///
    /// # Errors
    /// When the system gives no pipe, or doesn't let them go.
    pub fn listen() -> io::Result<Self> {
        let latest = Arc::new(AtomicUsize::new(0));
        let asked = SignalPipe::naming(&ENDING, &latest)?;
        let this = Self { asked, latest, child: SignalPipe::of(&[SIGCHLD])?, resumed: SignalPipe::of(&[SIGCONT])? };
        // Whoever started us may have blocked them for its own sake, and they would never arrive.
        let heard = ENDING.into_iter().chain([SIGCHLD, SIGCONT]).filter_map(|signal| Signal::try_from(signal).ok());
        heard.collect::<SigSet>().thread_unblock()?;
        Ok(this)
    }

    /// The ending of a run that was asked to end before its server was there; none while nobody has asked.
    pub fn ended(&self) -> Option<Ended> {
        match self.latest.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(Ended::signalled(i32::try_from(signal).unwrap_or(i32::MAX))),
        }
    }

    /// Waits until a descriptor is ready; false when it is late before, or smcp is asked to end.
    pub(super) fn wait_for(&self, fd: BorrowedFd<'_>, ready: Ready, until: Instant) -> io::Result<bool> {
        let events = match ready {
            Ready::Read => PollFlags::POLLIN,
            Ready::Write => PollFlags::POLLOUT,
        };
        while self.ended().is_none() && Instant::now() < until {
            let mut fds = [PollFd::new(fd, events), PollFd::new(self.asked.read.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout(Some(until))) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            // An error too: the next call says what.
            if fds.first().is_some_and(|fd| fd.any() != Some(false)) {
                return Ok(self.ended().is_none());
            }
        }
        Ok(false)
    }

    /// Waits for the next event.
    pub(super) fn wait(&self, watched: Watched<'_>, until: Option<Instant>) -> io::Result<Wake> {
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let Watched { input, relay, changes } = watched;
        let told = [input.map(|fd| PollFd::new(fd, hang_up())), relay.map(readable)];
        let pipes = [&self.asked, &self.child, &self.resumed].map(|pipe| pipe.read.as_fd());
        let mut fds: Vec<_> =
            told.into_iter().flatten().chain(pipes.into_iter().chain(changes).map(readable)).collect();
        match poll(&mut fds, timeout(until)) {
            Ok(_) => {}
            // The handler has written its byte, so the next wait returns at once.
            Err(Errno::EINTR) => return Ok(Wake::default()),
            Err(errno) => return Err(errno.into()),
        }
        let mut told = fds.iter();
        let input = input.and_then(|_| told.next()).map_or(Input::Open, state_of);
        let relay = relay.and_then(|_| told.next()).is_some_and(|relay| relay.any() != Some(false));
        self.child.drain()?;
        Ok(Wake { asked: self.asked.drain()?, resumed: self.resumed.drain()?, input, relay })
    }
}

/// The events that mean that the client has gone. POLLHUP is always reported; a socket that is closed in one direction
/// says so only when asked, and only Linux has the question.
fn hang_up() -> PollFlags {
    #[cfg(target_os = "linux")]
    return PollFlags::from_bits_retain(nix::libc::POLLRDHUP);
    #[cfg(not(target_os = "linux"))]
    return PollFlags::empty();
}

fn state_of(input: &PollFd<'_>) -> Input {
    match input.revents() {
        Some(events) if events.is_empty() => Input::Open,
        Some(events) if events.contains(PollFlags::POLLNVAL) => Input::Unwatchable,
        // `None` is POLLRDHUP, which the library has no name for.
        Some(_) | None => Input::Closed,
    }
}

/// Milliseconds rounded up, so that the deadline has passed when `poll` returns.
fn timeout(until: Option<Instant>) -> PollTimeout {
    let Some(until) = until else { return PollTimeout::NONE };
    let left = until.saturating_duration_since(Instant::now()).saturating_add(Duration::from_nanos(999_999));
    PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)
}

/// A pipe that gets a byte whenever one of some signals arrives.
#[derive(Debug)]
struct SignalPipe {
    read: UnixStream,
    registered: Vec<SigId>,
}

impl SignalPipe {
    fn of(signals: &[i32]) -> io::Result<Self> {
        Self::naming(signals, &Arc::default())
    }

    /// The same; once there is a byte, `latest` is the number of a signal.
    fn naming(signals: &[i32], latest: &Arc<AtomicUsize>) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let mut this = Self { read, registered: Vec::new() };
        for signal in signals {
            // What is registered first is done first. The handler may run in another thread than the one that the byte
            // wakes, and that one doesn't wait for the rest of it.
            let number = usize::try_from(*signal).unwrap_or_default();
            this.registered.push(flag::register_usize(*signal, Arc::clone(latest), number)?);
            this.registered.push(pipe::register(*signal, write.try_clone()?)?);
        }
        Ok(this)
    }

    /// Takes all bytes out; whether there were any.
    fn drain(&self) -> io::Result<bool> {
        let mut buffer = [0; 64];
        let mut any = false;
        loop {
            match (&self.read).read(&mut buffer) {
                Ok(0) => return Ok(any),
                Ok(_) => any = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for SignalPipe {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            unregister(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::net::Shutdown;
    use std::os::fd::OwnedFd;

    use super::*;

    /// Hears only a signal that nobody sends, so that an input or time has to end a wait.
    fn deaf() -> Signals {
        let none = || SignalPipe::of(&[signal_hook::consts::SIGUSR2]).unwrap();
        Signals { asked: none(), latest: Arc::default(), child: none(), resumed: none() }
    }

    fn seen(input: impl Into<OwnedFd>) -> Input {
        deaf()
            .wait(Watched { input: Some(input.into().as_fd()), ..Watched::default() }, Some(Instant::now()))
            .unwrap()
            .input
    }

    #[test]
    fn an_open_pipe_is_open_even_when_it_holds_bytes() {
        let (read, mut write) = io::pipe().unwrap();
        write.write_all(b"unread").unwrap();
        assert_eq!(seen(read), Input::Open);
        drop(write);
    }

    #[test]
    fn a_closed_pipe_is_closed_even_when_it_holds_bytes() {
        let (read, mut write) = io::pipe().unwrap();
        write.write_all(b"unread").unwrap();
        drop(write);
        assert_eq!(seen(read), Input::Closed);
    }

    #[test]
    fn a_socket_is_closed_when_its_peer_is_gone_or_stops_writing() {
        let (ours, peer) = UnixStream::pair().unwrap();
        assert_eq!(seen(ours.try_clone().unwrap()), Input::Open);
        peer.shutdown(Shutdown::Write).unwrap();
        assert_eq!(seen(ours), Input::Closed);
        let (ours, peer) = UnixStream::pair().unwrap();
        drop(peer);
        assert_eq!(seen(ours), Input::Closed);
    }

    #[test]
    fn a_file_and_the_null_device_never_close() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(seen(file.try_clone().unwrap()), Input::Open);
        file.write_all(b"at its end").unwrap();
        assert_eq!(seen(file), Input::Open);
        #[expect(clippy::disallowed_methods, reason = "a device that no directory handle of ours reaches")]
        let null = File::open("/dev/null").unwrap();
        assert_eq!(seen(null), Input::Open);
    }

    #[test]
    fn an_inherited_mask_keeps_no_signal_from_us() {
        let others = SigSet::from(Signal::SIGUSR2);
        let blocked = others | Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT | Signal::SIGCHLD;
        blocked.thread_set_mask().unwrap();
        let _signals = Signals::listen().unwrap();
        assert_eq!(SigSet::thread_get_mask().unwrap(), others);
    }

    #[test]
    fn whoever_is_woken_by_a_signal_knows_which_it_was() {
        // The handler runs in the thread that raises it, while the other may wake in the middle of it.
        let signal = signal_hook::consts::SIGUSR1;
        for round in 0..100 {
            let latest = Arc::default();
            let asked = SignalPipe::naming(&[signal], &latest).unwrap();
            let raising = std::thread::spawn(move || signal_hook::low_level::raise(signal).unwrap());
            poll(&mut [PollFd::new(asked.read.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
            assert_eq!(latest.load(Ordering::SeqCst), usize::try_from(signal).unwrap(), "round {round}");
            raising.join().unwrap();
        }
    }

    #[test]
    fn a_deadline_ends_the_wait_not_before_its_time() {
        let until = Instant::now() + Duration::from_millis(3);
        assert_eq!(deaf().wait(Watched::default(), Some(until)).unwrap(), Wake::default());
        assert!(Instant::now() >= until);
    }
}
