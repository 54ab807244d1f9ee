//! Signals and descriptors that wake the supervisor, in one `poll`.

use std::io;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::sys::signal::SigSet;
use nix::sys::signal::Signal;
use signal_hook::SigId;
use signal_hook::consts::SIGCHLD;
use signal_hook::consts::SIGCONT;
use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGQUIT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use signal_hook::low_level::pipe;
use signal_hook::low_level::unregister;

use crate::disposition::is_ignored;
use crate::status::Ended;

/// Signals that ask smcp to end even if it was started with them ignored.
const ALWAYS_HEARD: [i32; 1] = [SIGTERM];
/// Signals that ask smcp to end unless it was started with them ignored, as `nohup` does, and a shell that starts a job
/// in the background.
const HEARD_UNLESS_IGNORED: [i32; 3] = [SIGINT, SIGHUP, SIGQUIT];

/// Signals, turned into bytes on pipes so that they can be waited for beside other descriptors.
///
/// The value has to exist from the moment when there is something to clean up until it is cleaned up.
#[derive(Debug)]
pub struct Signals {
    /// SIGINT, SIGTERM, SIGHUP and SIGQUIT ask smcp to end.
    asked: SignalPipe,
    /// The last of them that came; 0 before the first.
    latest: Arc<AtomicUsize>,
    /// SIGCHLD: the server or its reaper ended or stopped. Listening also undoes an inherited wish to ignore children,
    /// under which the system would forget how they ended.
    child: SignalPipe,
    /// SIGCONT: smcp goes on after a stop.
    resumed: SignalPipe,
}

/// The readiness that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadyTo {
    /// Reading won't block.
    Read,
    /// Writing won't block.
    Write,
}

/// The descriptors that are waited for besides signals.
#[derive(Debug, Default)]
pub(super) struct PollSet<'w> {
    /// Has an event when the client may have left.
    pub(crate) client: Option<PollFd<'w>>,
    /// Readable when the relay has an event.
    pub(crate) relay: Option<BorrowedFd<'w>>,
    /// Readable when the server's state has changed. The caller checks the state after every wake.
    pub(crate) changes: Option<BorrowedFd<'w>>,
}

/// The reasons why the wait is over: several at once, or none after a spurious wake.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wake {
    pub(crate) asked: bool,
    pub(crate) resumed: bool,
    /// The client may have left.
    pub(crate) client: bool,
    /// The relay has an event.
    pub(crate) relay: bool,
}

impl Signals {
    /// Takes these signals over for the life of the value. Afterwards they do nothing, so that a program that is about
    /// to end still cleans up after a second Ctrl-C.
    ///
    /// # Errors
    /// When the system gives no pipe, or doesn't let them go.
    pub fn listen() -> io::Result<Self> {
        let latest = Arc::new(AtomicUsize::new(0));
        let heard = HEARD_UNLESS_IGNORED.into_iter().filter(|signal| !is_ignored(*signal));
        let asking: Vec<_> = ALWAYS_HEARD.into_iter().chain(heard).collect();
        let asked = SignalPipe::naming(&asking, &latest)?;
        let this = Self { asked, latest, child: SignalPipe::of(&[SIGCHLD])?, resumed: SignalPipe::of(&[SIGCONT])? };
        // The parent may have blocked them for its own purposes; inherited, the block would keep them from us.
        let heard = asking.into_iter().chain([SIGCHLD, SIGCONT]).filter_map(|signal| Signal::try_from(signal).ok());
        heard.collect::<SigSet>().thread_unblock()?;
        Ok(this)
    }

    /// The ending of a run that was asked to end before its server existed; `None` while no such signal came.
    pub fn ended(&self) -> Option<Ended> {
        match self.latest.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(Ended::signalled(i32::try_from(signal).unwrap_or(i32::MAX))),
        }
    }

    /// Waits until a descriptor is ready. False when `until` passes first, or smcp is asked to end.
    pub(super) fn wait_for(&self, fd: BorrowedFd<'_>, ready: ReadyTo, until: Instant) -> io::Result<bool> {
        let events = match ready {
            ReadyTo::Read => PollFlags::POLLIN,
            ReadyTo::Write => PollFlags::POLLOUT,
        };
        while self.ended().is_none() && Instant::now() < until {
            let mut fds = [PollFd::new(fd, events), PollFd::new(self.asked.read.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout(Some(until))) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            // An error counts as ready: the next call reports it.
            if fds.first().is_some_and(|fd| fd.any() != Some(false)) {
                return Ok(self.ended().is_none());
            }
        }
        Ok(false)
    }

    /// Waits for the next event.
    pub(super) fn wait(&self, watched: PollSet<'_>, until: Option<Instant>) -> io::Result<Wake> {
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let PollSet { client, relay, changes } = watched;
        let (has_client, has_relay) = (client.is_some(), relay.is_some());
        let inputs = [client, relay.map(readable)];
        let pipes = [&self.asked, &self.child, &self.resumed].map(|pipe| pipe.read.as_fd());
        let mut fds: Vec<_> =
            inputs.into_iter().flatten().chain(pipes.into_iter().chain(changes).map(readable)).collect();
        match poll(&mut fds, timeout(until)) {
            Ok(_) => {}
            // The handler has written its byte, so the next wait returns at once.
            Err(Errno::EINTR) => return Ok(Wake::default()),
            Err(errno) => return Err(errno.into()),
        }
        let mut polled = fds.iter();
        // An event that the library can't name counts too.
        let happened = |fd: &PollFd<'_>| fd.any() != Some(false);
        let client = has_client && polled.next().is_some_and(happened);
        let relay = has_relay && polled.next().is_some_and(happened);
        self.child.drain()?;
        Ok(Wake { asked: self.asked.drain()?, resumed: self.resumed.drain()?, client, relay })
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

    /// Makes the pipe and records the number of each signal in `latest`, before its byte arrives.
    fn naming(signals: &[i32], latest: &Arc<AtomicUsize>) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let mut this = Self { read, registered: Vec::new() };
        for signal in signals {
            // Actions run in the order of registration. The handler may run in another thread than the one that the
            // byte wakes, so the number has to be stored before the byte is written.
            let number = usize::try_from(*signal).unwrap_or_default();
            this.registered.push(flag::register_usize(*signal, Arc::clone(latest), number)?);
            this.registered.push(pipe::register(*signal, write.try_clone()?)?);
        }
        Ok(this)
    }

    /// Takes all bytes out. True when there were any.
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

    use super::*;

    /// Listens only for a signal that is never sent, so that a descriptor or the deadline has to end the wait.
    fn deaf() -> Signals {
        let none = || SignalPipe::of(&[signal_hook::consts::SIGUSR2]).unwrap();
        Signals { asked: none(), latest: Arc::default(), child: none(), resumed: none() }
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
    fn a_thread_woken_by_a_signal_knows_which_it_was() {
        // The handler runs in the thread that raises the signal, and the other thread may wake in the middle of it.
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
        assert_eq!(deaf().wait(PollSet::default(), Some(until)).unwrap(), Wake::default());
        assert!(Instant::now() >= until);
    }
}
