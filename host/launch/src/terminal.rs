//! The terminal that a server borrows, as the foreground group.
//!
//! A process of a background group that reads its terminal is stopped by SIGTTIN, so a server in a group of its own
//! needs the foreground to read what a person types.

use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use nix::sys::signal::SigSet;
use nix::sys::signal::SigmaskHow;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use nix::unistd::getpgrp;
use nix::unistd::getppid;
use nix::unistd::getsid;
use nix::unistd::tcgetpgrp;
use nix::unistd::tcsetpgrp;

/// Our controlling terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    fd: OwnedFd,
}

impl Terminal {
    /// The terminal behind a standard input, when it is one and it is ours to control.
    pub(crate) fn of(input: BorrowedFd<'_>) -> Option<Self> {
        tcgetpgrp(input).ok()?;
        input.try_clone_to_owned().ok().map(|fd| Self { fd })
    }

    /// Makes `group` the foreground group if we are it; from the background nobody's terminal is taken away.
    pub(crate) fn lend(&self, group: Pid) {
        self.pass(getpgrp(), group);
    }

    /// Makes us the foreground group again if `group` is it.
    pub(crate) fn take_back(&self, group: Pid) {
        self.pass(group, getpgrp());
    }

    /// Whether `group` is the foreground group.
    pub(crate) fn is_with(&self, group: Pid) -> bool {
        tcgetpgrp(self.fd.as_fd()) == Ok(group)
    }

    /// The system can only refuse while the terminal is going away, and then there is nothing to pass.
    fn pass(&self, from: Pid, to: Pid) {
        // Whoever sets the foreground group from the background is stopped by SIGTTOU, unless it is blocked.
        let blocked = SigSet::from(Signal::SIGTTOU);
        if self.is_with(from)
            && let Ok(before) = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)
        {
            let _ = tcsetpgrp(self.fd.as_fd(), to);
            let _ = before.thread_set_mask();
        }
    }
}

/// Whether somebody would resume us after a stop: a shell that made a process group for this job, in our session.
/// The group of a session's leader is nobody's job; a stopped one would stay so for ever.
pub(crate) fn has_job_control() -> bool {
    let session = getsid(None);
    session != Ok(getpgrp()) && session.is_ok() && getsid(Some(getppid())) == session
}
