//! A server outside, in a process of its own.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

const PROGRAM: &str = include_str!("../outside.py");

pub(crate) struct Outside {
    child: Child,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Outside {
    /// Listens on the loopback.
    pub(crate) fn start() -> Self {
        Self::with(None)
    }

    /// The same, with the file of a certificate for TLS.
    pub(crate) fn with(certificate: Option<&Path>) -> Self {
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM, "127.0.0.1"]).args(certificate).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        Self { child, said, port: line.trim().parse().unwrap() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it, and returns what it has said.
    pub(crate) fn end(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
