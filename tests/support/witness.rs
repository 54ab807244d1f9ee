//! Tells by a named pipe which processes of a server are alive.
//!
//! A server opens the pipe as descriptor 9, and everything that it starts inherits it. Each process writes a line when
//! it is ready. When no process holds the pipe any more, all have ended, even if they had left their group, parent or
//! terminal.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::sys::signal::kill;
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use nix::unistd::mkfifo;

/// The time after which a wait fails: far longer than any step takes.
const PATIENCE_MS: u16 = 60_000;

/// Our end of the pipe, and the lines so far.
pub(crate) struct Witness {
    path: PathBuf,
    read: File,
    /// Kept until a process holds the pipe, because a pipe without a writer is at its end.
    write: Option<File>,
    said: String,
}

impl Witness {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("witness");
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let read = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path).unwrap();
        let write = Some(OpenOptions::new().write(true).open(&path).unwrap());
        Self { path, read, write, said: String::new() }
    }

    /// A script whose processes hold the pipe as descriptor 9.
    pub(crate) fn script(&self, script: &str) -> String {
        format!("exec 9>{}; {script}", self.path.to_str().unwrap())
    }

    /// Waits until `count` processes are ready; returns the numbers that each wrote.
    pub(crate) fn ready(&mut self, count: usize) -> Vec<Vec<Pid>> {
        while self.said.lines().count() < count || !self.said.ends_with('\n') {
            assert_ne!(self.hear(), 0, "everybody left: {:?}", self.said);
        }
        self.write = None;
        let pid = |word: &str| Pid::from_raw(word.parse().unwrap());
        self.said.lines().map(|line| line.split_whitespace().map(pid).collect()).collect()
    }

    /// Waits until the last of them has ended.
    pub(crate) fn end(&mut self) {
        self.write = None;
        while self.hear() != 0 {}
    }

    fn hear(&mut self) -> usize {
        let mut fds = [PollFd::new(self.read.as_fd(), PollFlags::POLLIN)];
        assert_ne!(poll(&mut fds, PollTimeout::from(PATIENCE_MS)).unwrap(), 0, "still there: {:?}", self.said);
        let mut bytes = [0; 4096];
        let length = self.read.read(&mut bytes).unwrap();
        self.said.push_str(str::from_utf8(bytes.get(..length).unwrap()).unwrap());
        length
    }
}

/// Checks that no process has these numbers, not even a zombie.
#[track_caller]
pub(crate) fn gone(processes: &[Pid]) {
    for process in processes {
        assert_eq!(kill(*process, None), Err(Errno::ESRCH), "{process}");
    }
}
