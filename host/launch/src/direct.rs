//! A server that is a direct child of smcp, on systems without a reaper.
//!
//! The counterpart of `via_reaper`. Processes that leave the server's process group are not ended, and neither is the
//! server when smcp is killed.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::Child;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::sys::wait::WaitPidFlag;
use nix::sys::wait::WaitStatus;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::spawn::Plan;
use crate::spawn::State;
use crate::status::Ended;

/// The right to end what a reaper leaves. Never made here, since there is no reaper.
#[derive(Debug)]
pub struct Adoption(());

impl Adoption {
    /// Always `None`: these systems let no process adopt orphans.
    pub const fn begin() -> Option<Self> {
        None
    }
}

/// The counterpart of the preparation for a reaper; empty.
#[derive(Debug)]
pub(crate) struct Preparation;

/// The server's process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    server: Pid, // INVARIANT: the child's own group, whose leader it is.
}

impl Preparation {
    pub(crate) fn of(
        _command: &mut impl CommandExt,
        _plan: &mut Plan<'_>,
        _adoption: Option<Adoption>,
    ) -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn started(self, child: Child) -> io::Result<Process> {
        let server = Pid::from_raw(child.id().cast_signed());
        Ok(Process { child, server })
    }
}

impl Process {
    /// The server's process group.
    pub(crate) const fn group(&self) -> Pid {
        self.server
    }

    /// Always `None`: only SIGCHLD tells of a change of the state.
    pub(crate) const fn changes(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Returns the server's present state; a stop or an end is reported once. When the server has ended, this kills the
    /// rest of its group.
    ///
    /// The number still names that group: the kernel reserves it while a member lives, and otherwise it was free only
    /// for as long as it takes to get here.
    pub(crate) fn state(&mut self) -> io::Result<State> {
        let ended = match waitpid(self.server, Some(WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Stopped(_, signal)) => return Ok(State::Stopped(signal)),
            Ok(WaitStatus::Exited(_, code)) => Ended::exited(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => Ended::signalled(signal as i32),
            Ok(_) | Err(Errno::EINTR) => return Ok(State::Running),
            Err(errno) => return Err(errno.into()),
        };
        let _ = killpg(self.server, Signal::SIGKILL);
        Ok(State::Ended(ended))
    }

    /// Ends the server, whatever group it is in, and everything in its own.
    pub(crate) fn end(&self) {
        let _ = killpg(self.server, Signal::SIGKILL);
        let _ = kill(self.server, Signal::SIGKILL);
    }

    /// Ends the server and everything in its group, now.
    pub(crate) fn kill(&mut self) {
        self.end();
        let _ = self.child.wait();
    }
}
