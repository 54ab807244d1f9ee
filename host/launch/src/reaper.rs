//! The reaper: the process between smcp and the server that outlives smcp.
//!
//! `spawn` prepares the command with [`insert`] before it starts it; `via_reaper` is smcp's side of the result. The
//! child that the standard library forks is forked once more, just before it would become the server:
//!
//! ```text
//! smcp ──fork──► reaper ──fork──► server ──► its children
//!   ▲              │                exec
//!   └── reports ───┘
//! ```
//!
//! The reaper never executes a program. It leaves smcp's process group, so that a kill of the group misses it. It is a
//! child subreaper: orphans of the server's tree become its children, so that `setsid` and double forks don't escape
//! it. The system tells it when smcp dies. `watch` has its main loop.
//!
//! The code here and in `watch` runs in a fork of a process with several threads, of which the fork has one. Any lock,
//! the heap's included, may be held by a thread that does not exist in the fork. So nothing here allocates, locks or
//! panics; only system calls and plain memory are used. This is why the file has `unsafe`: [`CommandExt::pre_exec`]
//! requires it, and so do system calls that have no safe wrapper, or whose wrapper allocates.

#![expect(unsafe_code, reason = "what runs between fork and exec, and system calls without a safe wrapper")]

use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd as _;
use std::os::fd::OwnedFd;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::libc;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::SigSet;
use nix::sys::signal::SigmaskHow;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::ForkResult;
use nix::unistd::Pid;
use nix::unistd::dup2_stderr;
use nix::unistd::dup2_stdout;
use nix::unistd::fchdir;
use nix::unistd::fork;
use nix::unistd::getpid;
use nix::unistd::getppid;
use nix::unistd::isatty;
use nix::unistd::setpgid;
use nix::unistd::setsid;
use nix::unistd::tcgetpgrp;

use crate::reaper::image::Image;
use crate::reaper::report::ReaperReport;
use crate::reaper::watch::Watch;
use smcp_confine::Locks;
use smcp_model::limits;

pub(super) mod image;
pub(super) mod report;
mod watch;

pub(super) use crate::reaper::watch::each_number;

/// The signal by which smcp asks its reaper to end everything at once.
pub(super) const END: Signal = Signal::SIGUSR1;
/// The signal that the system sends the reaper when smcp has died.
const ORPHANED: Signal = Signal::SIGUSR2;

/// Added to the number of an error, when it was a lock of the server that the system refused.
const OF_LOCKS: i32 = 1 << 16;

/// Returns why the system refused a lock of a server; `None` when the error is about something else.
pub(super) fn refused_lock(error: &io::Error) -> Option<io::Error> {
    let number = error.raw_os_error().filter(|number| *number >= OF_LOCKS)?;
    Some(io::Error::from_raw_os_error(number - OF_LOCKS))
}

/// Puts a reaper between smcp and the server that `command` will start: `image`, in the folder `place`, behind `locks`.
/// The reaper writes its reports to `reports`.
///
/// The thread that spawns the command has to outlive the server: the system takes the end of that thread, not that of
/// the process, for the parent's death.
pub(super) fn insert(
    command: &mut impl CommandExt,
    image: Image,
    place: OwnedFd,
    reports: OwnedFd,
    mut locks: Option<Locks>,
) {
    let smcp = getpid();
    let run = move || {
        fchdir(&place)?;
        split(smcp, reports.as_fd(), &mut locks)?;
        let Some(locks) = &locks else { return Err(image.execute([0; 3])) };
        let applied = locks.apply().map_err(|errno| io::Error::from_raw_os_error(OF_LOCKS + errno as i32));
        applied.and_then(|()| Err(image.execute(locks.token())))
    };
    // SAFETY: the closure runs in a fork of this process and follows the rules at the head of this file: it and all
    // that it calls neither allocate nor lock, and it owns everything that it uses.
    unsafe { command.pre_exec(run) };
}

/// Forks. This process becomes the reaper and never returns; the new one will become the server, and returns.
fn split(smcp: Pid, reports: BorrowedFd<'_>, locks: &mut Option<Locks>) -> io::Result<()> {
    // Blocked before the fork, so that no handler of smcp's runs here, and no signal is lost to the reaper.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let watch = Watch::prepare(smcp, reports);
    let reaper = getpid();
    // SAFETY: this process is the fork of another and has one thread; both sides follow the rules at the head of this
    // file.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            locks.iter_mut().for_each(Locks::forget);
            watch.over(child)
        }
        ForkResult::Child => {
            let apart = locks.as_ref().is_some_and(Locks::is_known);
            be_server(reaper, &watch, &before, apart)
        }
    }
}

/// Prepares the server's process: it gets a group of its own, and dies with the reaper. Set `apart` from the user, it gets
/// the terminal only as its standard input.
fn be_server(reaper: Pid, watch: &Watch<'_>, mask: &SigSet, apart: bool) -> io::Result<()> {
    if apart && tcgetpgrp(stream(0)).is_err() {
        setsid()?;
        write_only()?;
    } else {
        setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    }
    // A sandbox may refuse it. Then the server survives the reaper's death.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if getppid() != reaper {
        exit();
    }
    // Reported by the server itself, so that smcp knows of every server whose program has begun, even if the reaper
    // dies.
    watch.report(ReaperReport::Started(getpid()));
    Ok(mask.thread_set_mask()?)
}

/// A standard stream. The handles of the standard library allocate.
fn stream(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the three streams are open whenever a program begins, and are never closed.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Makes a terminal that is standard output or standard error one that can be written to, and not read: terminals are
/// opened for both. Whoever is not of its session could read what is typed.
fn write_only() -> io::Result<()> {
    let how = OFlag::O_WRONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let open = |path| open(path, how, Mode::empty());
    if isatty(stream(1)).unwrap_or(false) {
        dup2_stdout(open(c"/proc/self/fd/1").or_else(|_| open(c"/dev/null"))?)?;
    }
    if isatty(stream(2)).unwrap_or(false) {
        // That of another user (after `su`) can't be opened.
        dup2_stderr(open(c"/proc/self/fd/2").or_else(|_| open(c"/dev/null"))?)?;
    }
    Ok(())
}

/// Ends this process at once. Nothing of smcp's is dropped or flushed a second time.
fn exit() -> ! {
    // SAFETY: `_exit` has no conditions, and only ends the process.
    unsafe { libc::_exit(0) }
}

/// Restores the default action of a signal.
fn restore(signal: Signal) {
    // SAFETY: no handler is installed, so none can do what a handler must not.
    unsafe { libc::signal(signal as i32, libc::SIG_DFL) };
}

/// Opens a descriptor of a process, which is readable once the process has ended. Used by smcp, not by the reaper.
pub(super) fn open_process(pid: Pid) -> nix::Result<OwnedFd> {
    // SAFETY: the arguments are two integers. Called by number, since not every C library has the function.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
    // SAFETY: the system has just made the descriptor for us, so it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Reaps one child that has ended or stopped, and returns its process and its wait status. `None` while all children
/// run; an error when there is no child.
///
/// The safe wrapper is not used, because it takes an end by a real-time signal for an error.
pub(super) fn reap_one() -> nix::Result<Option<(Pid, i32)>> {
    let mut status = 0;
    // SAFETY: `status` is a live integer for the length of the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED) };
    Errno::result(pid).map(|pid| (pid != 0).then_some((Pid::from_raw(pid), status)))
}

/// Waits for one of the blocked `signals`; `None` when none came in time, or the wait was interrupted.
pub(super) fn wait_for(signals: &SigSet, at_most: Option<Duration>) -> Option<i32> {
    let time = at_most.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().cast_signed().into(),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the set and the time are live during the call; a null for the information asks for none, and a null for
    // the time waits without a limit.
    let signal = unsafe { libc::sigtimedwait(signals.as_ref(), std::ptr::null_mut(), time) };
    Errno::result(signal).ok()
}

/// Closes every descriptor of this process but one.
///
/// An open copy would make others wait: the client for the end of the server's output, the next run for the lock of the
/// folder, and [`std::process::Command::spawn`] for the end of its own pipe.
fn close_all_but(spared: BorrowedFd<'_>) {
    let spared = spared.as_raw_fd().cast_unsigned();
    let below = spared.checked_sub(1).is_none_or(|last| close_range(0, last));
    let above = spared.checked_add(1).is_none_or(|first| close_range(first, u32::MAX));
    if !(below && above) {
        // The kernel is old, or a sandbox refuses the call.
        for fd in (0..limits::REAPER_DESCRIPTORS).filter(|fd| *fd != spared) {
            // SAFETY: this process uses no descriptor any more but `spared`; closing one that is not open does
            // nothing.
            unsafe { libc::close(fd.cast_signed()) };
        }
    }
}

/// Closes all descriptors from `first` to `last`. False when the system can't.
fn close_range(first: u32, last: u32) -> bool {
    // SAFETY: as above; the arguments are three integers. Called by number, since not every C library has the function.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) == 0 }
}
