//! Runs the programs of toolchains; the only file here that starts a process.
//!
//! `policy build` does what an author would do by hand: the programs are those on the author's PATH or in the project's
//! own folder, and get the author's environment. No package is started here.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;

/// A program failed, or is missing.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not on this machine.
    #[error("there is no `{program}` on this machine\n→ {install}")]
    Missing {
        /// Its name.
        program: String,
        /// What installs it.
        install: &'static str,
    },
    /// It can't be started.
    #[error("`{program}` can't be started: {cause}")]
    NotStarted {
        /// Its name.
        program: String,
        /// The system's error.
        cause: io::Error,
    },
    /// It failed, and has printed why.
    #[error("`{program}` failed ({status}); what it said stands above")]
    Failed {
        /// Its name.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It is there, but can't build policies.
    #[error("{0}")]
    Unfit(String),
}

/// A program of a toolchain, about to run in a project's folder.
pub(crate) struct Tool<'t> {
    command: Command,
    program: &'t str,
    install: &'static str,
}

impl<'t> Tool<'t> {
    /// A program; `install` is the advice when it is missing.
    #[expect(clippy::disallowed_methods, reason = "an author builds, and nothing of a package is started")]
    pub(crate) fn new(folder: &Path, program: &'t str, install: &'static str) -> Self {
        // A program in the project's folder gets an absolute path: systems differ in whether they look up a relative
        // one before or after they change the folder.
        let path = if program.contains('/') { folder.join(program).into_os_string() } else { program.into() };
        let mut command = Command::new(path);
        command.current_dir(folder).stdin(Stdio::null());
        Self { command, program, install }
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The line as one would type it into a shell.
    pub(crate) fn line(&self) -> String {
        let shown = |word: &OsStr| {
            let word = word.to_string_lossy();
            let is_plain = |letter: char| letter.is_alphanumeric() || "@%+=:,./-_".contains(letter);
            if !word.is_empty() && word.chars().all(is_plain) {
                word.into_owned()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        };
        let set = self
            .command
            .get_envs()
            .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), shown(value?))));
        let words = self.command.get_args().map(shown);
        set.chain([self.program.to_owned()]).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs it. What it prints goes to standard error: standard output is for the answer.
    pub(crate) fn run(mut self) -> Result<(), ToolError> {
        let show = |stream: io::Result<std::os::fd::OwnedFd>| stream.map_or_else(|_| Stdio::null(), Stdio::from);
        self.command.stdout(show(io::stderr().as_fd().try_clone_to_owned())).stderr(Stdio::inherit());
        let status = self.command.status().map_err(|cause| self.not_started(cause))?;
        self.ended(status)
    }

    /// Runs it and returns what it prints to standard output; the rest is shown.
    pub(crate) fn output(mut self) -> Result<Vec<u8>, ToolError> {
        self.command.stderr(Stdio::inherit());
        let output = self.command.output().map_err(|cause| self.not_started(cause))?;
        self.ended(output.status)?;
        Ok(output.stdout)
    }

    /// Runs it, shows nothing, and says whether it succeeds.
    pub(crate) fn succeeds(mut self) -> Result<bool, ToolError> {
        let status = self.command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        Ok(status.map_err(|cause| self.not_started(cause))?.success())
    }

    fn not_started(&self, cause: io::Error) -> ToolError {
        let program = self.program.to_owned();
        if cause.kind() == io::ErrorKind::NotFound {
            return ToolError::Missing { program, install: self.install };
        }
        ToolError::NotStarted { program, cause }
    }

    fn ended(&self, status: ExitStatus) -> Result<(), ToolError> {
        if status.success() { Ok(()) } else { Err(ToolError::Failed { program: self.program.to_owned(), status }) }
    }
}
