//! A server that is a child of smcp, on systems that have nothing for a reaper.
//!
//! The counterpart of `via_reaper`: what leaves the server's process group, and what smcp leaves when it is killed, is not
//! ended.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::Child;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::signal::killpg;
use nix::sys::wait::WaitPidFlag;
use nix::sys::wait::WaitStatus;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::spawn::Plan;
use crate::spawn::State;
use crate::status::Ended;

/// What a reaper would leave; there is none here.
#[derive(Debug)]
pub struct Adoption(());

impl Adoption {
    /// None: nobody can adopt.
    pub const fn begin() -> Option<Self> {
        None
    }
}

/// Nothing to prepare.
#[derive(Debug)]
pub(crate) struct Preparation;

/// A server.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    server: Pid, // INVARIANT: the child's own group, whose leader it is.
}

impl Preparation {
    pub(crate) fn of(
        _command: &mut impl CommandExt,
        _plan: &Plan<'_>,
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

    /// A change of the state is a SIGCHLD and nothing else.
    pub(crate) const fn changes(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// What the server is doing now; a stop or an end is told once. Once it has ended, so has everything in its group.
    ///
    /// The number still names the group and nothing else: the kernel keeps it while a member lives, and it was free for
    /// no longer than it takes to get here.
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

    /// Ends the server and everything in its group, now.
    pub(crate) fn kill(&mut self) {
        let _ = killpg(self.server, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
