//! The server as a process: it has a group of its own, and is signalled as one.
//!
//! It ends together with everything that it started. `supervise` drives it; the system calls are in `via_reaper`
//! (Linux) and `direct`.

use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use cap_std::fs::Dir;
use nix::sys::signal::Signal;
use nix::sys::signal::killpg;
use nix::unistd::getpgrp;

use crate::Adoption;
#[cfg(not(target_os = "linux"))]
use crate::direct::Preparation;
#[cfg(not(target_os = "linux"))]
use crate::direct::Process;
use crate::environment::ServerEnvironment;
use crate::status::Ended;
use crate::terminal::Terminal;
use crate::terminal::has_job_control;
#[cfg(target_os = "linux")]
use crate::via_reaper::Preparation;
#[cfg(target_os = "linux")]
use crate::via_reaper::Process;
#[cfg(target_os = "linux")]
use smcp_confine::Locks;

/// Everything that describes the process to start.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// The folder that it starts in.
    pub(crate) place: Dir,
    /// The path of that folder, for systems where a process can't be started in an opened one.
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "the reaper enters the opened folder"))]
    pub(crate) directory: PathBuf,
    pub(crate) environment: &'a ServerEnvironment,
    pub(crate) output: Stdio,
    /// What the server is held to; `None` where it is not confined.
    #[cfg(target_os = "linux")]
    pub(crate) locks: Option<Locks>,
}

/// A running server. Dropping it kills it and everything that it started, so no way out of the supervisor leaves one.
#[derive(Debug)]
pub(crate) struct RunningServer {
    process: Process,
    terminal: Option<Terminal>,
    ended: bool,
}

/// The state of a server's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    /// Stopped by this signal since the state was last asked for.
    Stopped(Signal),
    Ended(Ended),
}

impl RunningServer {
    /// Starts the process. When its input is our terminal, the terminal is lent to it.
    pub(crate) fn start(mut plan: Plan<'_>, input: BorrowedFd<'_>, adoption: Option<Adoption>) -> io::Result<Self> {
        let stdin = input.try_clone_to_owned()?;
        #[expect(clippy::disallowed_methods, reason = "the one place that starts a package's code, with a clearance")]
        let mut command = Command::new(&plan.program);
        command.args(&plan.args).env_clear().envs(plan.environment.variables()).stdin(stdin).process_group(0);
        #[cfg(not(target_os = "linux"))]
        command.current_dir(&plan.directory);
        let preparation = Preparation::of(&mut command, &mut plan, adoption)?;
        command.stdout(plan.output);
        let child = command.spawn()?;
        // The command holds the server's end of the pipe that we read.
        drop(command);
        let process = preparation.started(child)?;
        let server = Self { process, terminal: Terminal::of(input), ended: false };
        server.resume();
        Ok(server)
    }

    /// A descriptor that is readable when the state has changed; `None` on systems where only a signal tells.
    pub(crate) fn changes(&self) -> Option<BorrowedFd<'_>> {
        self.process.changes()
    }

    /// Returns the server's present state. When the server has ended, so has everything that it started.
    pub(crate) fn state(&mut self) -> io::Result<State> {
        let state = self.process.state()?;
        if matches!(state, State::Ended(_)) {
            self.finish();
        }
        Ok(state)
    }

    /// Ends the server and everything that it started: also a server that has left its group, which no signal to the
    /// group finds.
    pub(crate) fn end(&self) {
        self.process.end();
    }

    /// Sends a signal to the whole group. It fails only when the group is empty.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = killpg(self.process.group(), signal);
        // A stopped process acts on the signal only when it is resumed.
        let _ = killpg(self.process.group(), Signal::SIGCONT);
    }

    /// Stops our own job when the terminal has stopped the server's (Ctrl-Z, or reading from the background), so that
    /// the shell takes over. A SIGSTOP was meant for the server alone and stops nothing else.
    pub(crate) fn stop_with_job(&self, signal: Signal) {
        let Some(terminal) = &self.terminal else { return };
        if !matches!(signal, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU) {
            return;
        }
        let is_in_front = [self.process.group(), getpgrp()].iter().any(|group| terminal.is_with(*group));
        if signal != Signal::SIGTSTP && is_in_front {
            // The server read just before the terminal was lent to it, or the shell has given it back since then.
            self.resume();
        } else if has_job_control() {
            terminal.take_back(self.process.group());
            // The whole job, as the terminal would have: a pager after us in a pipeline belongs to it.
            let _ = killpg(getpgrp(), signal);
        } else if signal == Signal::SIGTSTP {
            // Without job control nothing would ever resume it.
            self.resume();
        }
    }

    /// Lends the terminal (again) if it is ours to lend, and resumes the server. A server that stopped because it read
    /// the terminal too early reads again.
    pub(crate) fn resume(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.lend(self.process.group());
            let _ = killpg(self.process.group(), Signal::SIGCONT);
        }
    }

    /// Takes the terminal back after the server's end.
    fn finish(&mut self) {
        self.ended = true;
        if let Some(terminal) = &self.terminal {
            terminal.take_back(self.process.group());
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if !self.ended {
            self.process.kill();
            self.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::BufRead as _;
    use std::io::BufReader;
    use std::io::Read as _;
    use std::os::fd::AsFd as _;

    use super::*;
    use smcp_model::manifest::Entrypoint;
    use smcp_model::manifest::Manifest;
    use smcp_model::manifest::Permissions;
    use smcp_model::manifest::Transport;

    #[test]
    fn a_server_that_is_dropped_ends_with_all_that_it_started() {
        let manifest = Manifest {
            transport: Transport::Stdio,
            entrypoint: Entrypoint::default(),
            permissions: Some(Permissions::default()),
            variables: std::collections::BTreeMap::new(),
            workdir_writable: false,
            text: String::new(),
        };
        #[expect(clippy::disallowed_methods, reason = "where the shell and its tools are")]
        let path = ("PATH".into(), std::env::var_os("PATH").unwrap());
        let (output, write) = io::pipe().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a device that no directory handle of ours reaches")]
        let input = File::open("/dev/null").unwrap();
        // Both hold the output, and neither listens.
        let script = "trap '' TERM HUP; setsid sleep 1000 & echo ready; wait";
        let plan = Plan {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            place: Dir::open_ambient_dir("/", cap_std::ambient_authority()).unwrap(),
            directory: "/".into(),
            environment: &ServerEnvironment::compute(&[path], &manifest, &[], &[]),
            output: write.into(),
            #[cfg(target_os = "linux")]
            locks: None,
        };
        let server = RunningServer::start(plan, input.as_fd(), None).unwrap();
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        drop(server);
        output.read_to_string(&mut line).unwrap();
        assert_eq!(line, "ready\n");
    }
}
