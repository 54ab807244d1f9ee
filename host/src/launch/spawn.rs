//! The server as a process: its own group, signalled and ended as a group.

use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
#[cfg(not(target_os = "linux"))]
use nix::sys::wait::waitpid;
#[cfg(target_os = "linux")]
use nix::sys::wait::{Id, waitid};
use nix::sys::wait::{WaitPidFlag, WaitStatus};
use nix::unistd::{Pid, getpgrp};

use crate::launch::environment::ServerEnvironment;
use crate::launch::status::Ended;
use crate::launch::terminal::Terminal;
use crate::launch::terminal::has_job_control;

/// Everything about the process that is to be.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) directory: PathBuf,
    pub(crate) environment: &'a ServerEnvironment,
    pub(crate) output: Stdio,
}

/// A running server. Dropping it kills its group, so that no way out of the supervisor leaves one running.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    group: Pid, // INVARIANT: the child's own group, whose leader it is.
    terminal: Option<Terminal>,
    ended: bool,
}

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    /// Stopped by this signal since the last look.
    Stopped(Signal),
    Ended(Ended),
}

impl Server {
    /// Starts the process and, when its input is our terminal, lends it that.
    pub(crate) fn start(plan: Plan<'_>, input: BorrowedFd<'_>) -> io::Result<Self> {
        let stdin = input.try_clone_to_owned()?;
        #[expect(clippy::disallowed_methods, reason = "the one place that starts a package's code, with a clearance")]
        let child = Command::new(&plan.program)
            .args(plan.args)
            .current_dir(plan.directory)
            .env_clear()
            .envs(plan.environment.variables())
            .stdin(stdin)
            .stdout(plan.output)
            .process_group(0)
            .spawn()?;
        let group = pid(&child);
        let server = Self { child, group, terminal: Terminal::of(input), ended: false };
        server.resume();
        Ok(server)
    }

    /// What the server is doing now. Once it has ended, so has everything in its group.
    pub(crate) fn state(&mut self) -> io::Result<State> {
        let state = look(&mut self.child)?;
        if matches!(state, State::Ended(_)) {
            self.finish();
        }
        Ok(state)
    }

    /// Sends a signal to the whole group. Failing means that nobody is left in it.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = killpg(self.group, signal);
        // A stopped process would act on it only when it is resumed.
        let _ = killpg(self.group, Signal::SIGCONT);
    }

    /// Stops our own job as the terminal stopped the server's (Ctrl-Z, or reading from the background), so that the
    /// shell takes over. SIGSTOP is somebody's business with the server alone.
    pub(crate) fn stop_with_job(&self, signal: Signal) {
        let Some(terminal) = &self.terminal else { return };
        if !matches!(signal, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU) {
            return;
        }
        if signal != Signal::SIGTSTP && terminal.is_with(self.group) {
            // It read just before it was lent the terminal.
            self.resume();
        } else if has_job_control() {
            terminal.take_back(self.group);
            // The whole job, as the terminal would have: a pager after us in a pipeline belongs to it.
            let _ = killpg(getpgrp(), signal);
        } else if signal == Signal::SIGTSTP {
            // Nobody would ever resume it.
            self.resume();
        }
    }

    /// Lends the terminal (again) if it is ours to lend, and lets the server go on. One that stopped because it read
    /// the terminal before it had it reads again.
    pub(crate) fn resume(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.lend(self.group);
            let _ = killpg(self.group, Signal::SIGCONT);
        }
    }

    /// The server's leader has ended: kills what is left in its group, and takes the terminal back.
    ///
    /// The number still names the group and nothing else: the kernel keeps it while a member lives, and it was free for
    /// no longer than it takes to get here.
    fn finish(&mut self) {
        self.ended = true;
        let _ = killpg(self.group, Signal::SIGKILL);
        if let Some(terminal) = &self.terminal {
            terminal.take_back(self.group);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.ended {
            let _ = killpg(self.group, Signal::SIGKILL);
            let _ = self.child.wait();
            self.finish();
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Looks at a child without waiting; a stop or an end is reported once.
#[cfg(target_os = "linux")]
fn look(child: &mut Child) -> io::Result<State> {
    // Stops alone: `waitpid` would take an end by a real-time signal, which nix has no name for, for an error.
    match waitid(Id::Pid(pid(child)), WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG) {
        Ok(WaitStatus::Stopped(_, signal)) => return Ok(State::Stopped(signal)),
        // A child that has ended can't stop any more, so for this question it is none.
        Ok(_) | Err(Errno::EINTR | Errno::ECHILD) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(child.try_wait()?.map_or(State::Running, |status| State::Ended(status.into())))
}

/// Looks at a child without waiting; a stop or an end is reported once.
#[cfg(not(target_os = "linux"))]
fn look(child: &mut Child) -> io::Result<State> {
    match waitpid(pid(child), Some(WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Stopped(_, signal)) => Ok(State::Stopped(signal)),
        Ok(WaitStatus::Exited(_, code)) => Ok(State::Ended(Ended::exited(code))),
        Ok(WaitStatus::Signaled(_, signal, _)) => Ok(State::Ended(Ended::signalled(signal as i32))),
        Ok(_) | Err(Errno::EINTR) => Ok(State::Running),
        Err(errno) => Err(errno.into()),
    }
}
