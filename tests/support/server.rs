//! A server of a bed's registry, ended when dropped.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Stdio;

use crate::bed::TestBed;

/// `smcp registry serve`, as a process of the test.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// Its host and port.
    pub(crate) address: String,
    /// What it says after that.
    pub(crate) errors: BufReader<ChildStderr>,
}

impl Served {
    /// Serves the bed's registry, and waits until it is ready.
    pub(crate) fn start(bed: &TestBed) -> Self {
        let mut invocation = bed.smcp("registry serve --registry registry --listen 127.0.0.1:0");
        let mut child = invocation.command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address, errors }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
