//! The client's ends of the server's input and output.

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
    /// The client's requests. Without a warning this becomes the server's standard input: a terminal is lent to the
    /// server, and no byte is read here. It is watched for the client's leaving.
    pub input: OwnedFd,
    /// The server's output to the client.
    pub output: Output,
}

impl Streams {
    /// `input`, a duplicate of our standard input, and our own standard output.
    pub fn inherited(input: impl Into<OwnedFd>) -> Self {
        Self { input: input.into(), output: Output::Inherited(io::stdout()) }
    }
}

/// The destination of the server's output.
#[derive(Debug)]
pub enum Output {
    /// Our own standard output.
    Inherited(Stdout),
    /// Another descriptor.
    Given(OwnedFd),
}

/// Closes our own standard input and output once a server has them, so that the client sees what the server closes.
/// With a relay, the relay closes the output. A terminal stays open, so that it can be taken back at the end.
pub(crate) fn let_go(relayed: bool) -> io::Result<()> {
    if !isatty(io::stdin()).unwrap_or(false) {
        // Descriptor 0 has to stay taken, as descriptor 1 below. A read from it finds the end of a file.
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

    /// Closes it, so that the client sees the end while smcp still runs.
    pub(crate) fn close(self) -> io::Result<()> {
        match self {
            Self::Given(fd) => drop(fd),
            // Descriptor 1 has to stay taken, or the next opened file becomes standard output. It becomes a pipe
            // without a reader, so that anything printed by mistake is lost.
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
