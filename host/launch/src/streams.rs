//! What connects client and server: the two ends that the client gave us.

use std::io;
use std::io::Stdout;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use nix::unistd::dup2_stdin;
use nix::unistd::dup2_stdout;
use nix::unistd::isatty;

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

/// Lets go of our own standard input and output, once a server has them: what it closes, the client has to see closed.
/// With a relay the output is the relay's to close. A terminal stays ours, to be taken back at the end.
pub(crate) fn let_go(relayed: bool) -> io::Result<()> {
    if !isatty(io::stdin()).unwrap_or(false) {
        // Number 0 has to stay taken, as number 1 below. Whoever reads it finds the end of a file.
        dup2_stdin(io::pipe()?.0)?;
    }
    if relayed { Ok(()) } else { Output::Inherited(io::stdout()).close() }
}

impl Output {
    /// Whether it is our own standard output.
    pub(crate) const fn is_inherited(&self) -> bool {
        match self {
            Self::Inherited(_) => true,
            Self::Given(_) => false,
        }
    }

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
