//! Lends the terminal to a server, by making its group the foreground group.
//!
//! A process of a background group that reads its terminal is stopped by SIGTTIN. A server has a group of its own, so
//! it needs the foreground to read what a person types.

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
    /// The terminal behind a standard input; `None` when it is not our controlling terminal.
    pub(crate) fn of(input: BorrowedFd<'_>) -> Option<Self> {
        tcgetpgrp(input).ok()?;
        input.try_clone_to_owned().ok().map(|fd| Self { fd })
    }

    /// Makes `group` the foreground group if we are it. From the background, no other job's terminal is taken.
    pub(crate) fn lend(&self, group: Pid) {
        self.pass(getpgrp(), group);
    }

    /// Makes us the foreground group again if `group` is it now.
    pub(crate) fn take_back(&self, group: Pid) {
        self.pass(group, getpgrp());
    }

    /// Whether `group` is the foreground group.
    pub(crate) fn is_with(&self, group: Pid) -> bool {
        tcgetpgrp(self.fd.as_fd()) == Ok(group)
    }

    /// Passes the foreground on. The system refuses only while the terminal is going away, when nothing is left to
    /// pass.
    fn pass(&self, from: Pid, to: Pid) {
        // A process that sets the foreground group from the background is stopped by SIGTTOU, unless it blocks that.
        let blocked = SigSet::from(Signal::SIGTTOU);
        if self.is_with(from)
            && let Ok(before) = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)
        {
            let _ = tcsetpgrp(self.fd.as_fd(), to);
            let _ = before.thread_set_mask();
        }
    }
}

/// Whether a shell would resume us after a stop: it has to be in our session, and to have made a group for this job.
/// The group of a session's leader is not a shell's job, and once stopped would stay so for ever.
pub(crate) fn has_job_control() -> bool {
    let session = getsid(None);
    session != Ok(getpgrp()) && session.is_ok() && getsid(Some(getppid())) == session
}
