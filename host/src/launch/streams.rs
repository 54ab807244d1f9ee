//! What connects client and server: the client's two ends, as we got them.

use std::io::{self, Stdout};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Stdio;

use nix::unistd::dup2_stdout;

/// The client's ends of the server's standard input and output. The server's standard error is always ours.
#[derive(Debug)]
pub struct Streams {
    /// What the client says. Without a warning it becomes the server's standard input, its terminal (when it is one)
    /// is lent to the server, and not a byte is read from it here. It is watched for the client's leaving.
    pub input: OwnedFd,
    /// What the client hears.
    pub output: Output,
}

impl Streams {
    /// A duplicate of our own standard input, and our own standard output as it is.
    pub fn inherited(input: impl Into<OwnedFd>) -> Self {
        Self { input: input.into(), output: Output::Inherited(io::stdout()) }
    }
}

/// Where the server's output goes.
#[derive(Debug)]
pub enum Output {
    /// Our own standard output.
    Inherited(Stdout),
    /// Another descriptor.
    Given(OwnedFd),
}

impl Output {
    /// Lets go of it, so that the client sees its end while we live on.
    pub(crate) fn close(self) -> io::Result<()> {
        match self {
            Self::Given(fd) => drop(fd),
            // Number 1 has to stay taken, or the next file that is opened becomes standard output. What takes it is a
            // pipe that nobody reads: what might be printed by mistake goes nowhere.
            Self::Inherited(_) => dup2_stdout(io::pipe()?.1)?,
        }
        Ok(())
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Inherited(stdout) => stdout.as_fd(),
            Self::Given(fd) => fd.as_fd(),
        }
    }
}

impl From<Output> for Stdio {
    fn from(output: Output) -> Self {
        match output {
            Output::Inherited(_) => Self::inherit(),
            Output::Given(fd) => fd.into(),
        }
    }
}
