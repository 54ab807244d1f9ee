//! The reaper: the process between smcp and the server that outlives smcp.
//!
//! `spawn` has [`insert`] prepare the command before it starts it, and `via_reaper` is what smcp holds of the result. The child
//! that the standard library forks is split once more, just before it would become the server:
//!
//! ```text
//! smcp ──fork──► reaper ──fork──► server ──► its children
//!   ▲              │                exec
//!   └── reports ───┘
//! ```
//!
//! The reaper never executes a program. It leaves smcp's process group, so that a kill of the group misses it; it adopts
//! what the server's tree orphans, so that `setsid` and double forks lead to it and not away; it is told when smcp dies.
//! `watch` is its life.
//!
//! All that runs here and in `watch` is the one thread of a fork of a process that had several: a lock, the heap's
//! included, may be held by a thread that is not there. So nothing allocates, locks or panics; there are system calls,
//! and plain memory. That is why `unsafe` is here: it is what [`CommandExt::pre_exec`] asks for, and the calls that the
//! safe wrappers don't offer or would allocate in.

#![expect(unsafe_code, reason = "what runs between fork and exec, and system calls without a safe wrapper")]

use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd as _;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::SigSet;
use nix::sys::signal::SigmaskHow;
use nix::sys::signal::Signal;
use nix::unistd::ForkResult;
use nix::unistd::Pid;
use nix::unistd::fchdir;
use nix::unistd::fork;
use nix::unistd::getpid;
use nix::unistd::getppid;
use nix::unistd::setpgid;

use crate::reaper::image::Image;
use crate::reaper::report::ReaperReport;
use crate::reaper::watch::Watch;
use smcp_model::limits;

pub(super) mod image;
pub(super) mod report;
mod watch;

pub(super) use crate::reaper::watch::each_number;

/// What smcp sends its reaper to have everything ended at once.
pub(super) const END: Signal = Signal::SIGUSR1;
/// What the system sends the reaper when smcp has died.
const ORPHANED: Signal = Signal::SIGUSR2;

/// Has a reaper between us and what `command` will start, which is `image`, in the folder `place`. It writes its reports
/// to `reports`.
///
/// The thread that spawns the command has to outlive the server: the system takes the death of that thread, not that of
/// the process, for the parent's.
pub(super) fn insert(command: &mut impl CommandExt, image: Image, place: OwnedFd, reports: OwnedFd) {
    let smcp = getpid();
    let run = move || {
        fchdir(&place)?;
        split(smcp, reports.as_fd())?;
        Err(image.execute())
    };
    // SAFETY: the closure runs in a fork of this process and keeps to what such a fork may do, see the head of this file:
    // it and all that it calls neither allocate nor lock, and it owns all that it uses.
    unsafe { command.pre_exec(run) };
}

/// Makes this process the reaper, which never returns, and a new one the server-to-be, which does.
fn split(smcp: Pid, reports: BorrowedFd<'_>) -> io::Result<()> {
    // Before there is a second process: no signal may be handled by what smcp has for it, or be lost to the reaper.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let watch = Watch::prepare(smcp, reports);
    let reaper = getpid();
    // SAFETY: this process is the fork of another and has one thread; both sides go on under the rules of the file.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => watch.over(child),
        ForkResult::Child => be_server(reaper, &watch, &before),
    }
}

/// What the server is before its program begins: a group of its own, which dies with the reaper.
fn be_server(reaper: Pid, watch: &Watch<'_>, mask: &SigSet) -> io::Result<()> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    // Refused where a sandbox says so: then the reaper's own death is the one that goes unnoticed.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if getppid() != reaper {
        exit();
    }
    // Not left to the reaper: whatever becomes of that, smcp knows of every server whose program has begun.
    watch.report(ReaperReport::Started(getpid()));
    Ok(mask.thread_set_mask()?)
}

/// Ends this process as it is: nothing of smcp's is dropped or flushed a second time.
fn exit() -> ! {
    // SAFETY: `_exit` has no conditions, and does nothing in this process but end it.
    unsafe { libc::_exit(0) }
}

/// Gives a signal its default action back.
fn restore(signal: Signal) {
    // SAFETY: no handler is installed, so there is none that could do what a handler must not.
    unsafe { libc::signal(signal as i32, libc::SIG_DFL) };
}

/// A descriptor of a process, readable once it has ended. smcp uses it, not the reaper.
pub(super) fn open_process(pid: Pid) -> nix::Result<OwnedFd> {
    // SAFETY: the arguments are two integers. By number, since not every C library has it.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
    // SAFETY: the system has just made it for us, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes in one child that has ended or stopped: who it was, and its wait status. `None` while all go on; an error when
/// there is no child.
///
/// Not the safe wrapper, which takes an end by a real-time signal for an error.
pub(super) fn reap_one() -> nix::Result<Option<(Pid, i32)>> {
    let mut status = 0;
    // SAFETY: `status` is a live integer for the length of the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED) };
    Errno::result(pid).map(|pid| (pid != 0).then_some((Pid::from_raw(pid), status)))
}

/// Waits for one of some blocked signals; `None` when none came in time, or the wait was interrupted.
pub(super) fn wait_for(signals: &SigSet, at_most: Option<Duration>) -> Option<i32> {
    let time = at_most.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().cast_signed().into(),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the set and the time are live for the length of the call; no information on the signal is asked for, and
    // no time means that it may take any.
    let signal = unsafe { libc::sigtimedwait(signals.as_ref(), std::ptr::null_mut(), time) };
    Errno::result(signal).ok()
}

/// Closes every descriptor of this process but one.
///
/// An open one would be a promise to somebody: the client waits for the end of the server's output, the next run for the
/// lock of the folder, and [`std::process::Command::spawn`] for the end of its own pipe.
fn close_all_but(kept: BorrowedFd<'_>) {
    let kept = kept.as_raw_fd().cast_unsigned();
    let below = kept.checked_sub(1).is_none_or(|last| close_range(0, last));
    let above = kept.checked_add(1).is_none_or(|first| close_range(first, u32::MAX));
    if !(below && above) {
        // An old kernel, or a sandbox that doesn't know the call.
        for fd in (0..limits::REAPER_DESCRIPTORS).filter(|fd| *fd != kept) {
            // SAFETY: this process uses no descriptor any more but `via_reaper`; closing one that is not open does nothing.
            unsafe { libc::close(fd.cast_signed()) };
        }
    }
}

/// Closes all descriptors from `first` to `last`; whether the system can.
fn close_range(first: u32, last: u32) -> bool {
    // SAFETY: the same as above; the arguments are three integers. By number, since not every C library has it.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) == 0 }
}
