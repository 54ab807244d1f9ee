//! A pseudo-terminal with a simulated person.

use std::fs::File;
use std::io::Read as _;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::process::Stdio;

use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::pty::Winsize;
use nix::pty::openpty;
use nix::unistd::ttyname;

/// Becomes the leader of a session whose controlling terminal is the first argument, then the program that follows.
const LEAD: &str = "import os, sys; os.setsid(); os.close(os.open(sys.argv[1], os.O_RDWR)); \
                    os.execv(sys.argv[2], sys.argv[2:])";
/// The silence after which a test fails, milliseconds: far longer than any step takes.
const PATIENCE_MS: u16 = 60_000;

/// A terminal, with a person at it.
pub(crate) struct Terminal {
    person: File,
    program: OwnedFd,
    screen: Vec<u8>,
}

impl Terminal {
    /// A terminal of unknown size.
    pub(crate) fn new() -> Self {
        Self::of_width(0)
    }

    pub(crate) fn of_width(columns: u16) -> Self {
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).unwrap();
        Self { person: pair.master.into(), program: pair.slave, screen: Vec::new() }
    }

    /// The terminal as a stream of a program.
    pub(crate) fn stream(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// Makes a command that runs `command` as the leader of a session that the terminal controls, as in a terminal
    /// window.
    pub(crate) fn controls(&self, command: &Command) -> Command {
        let mut lead = Command::new("python3");
        lead.args(["-I", "-S", "-c", LEAD]).arg(ttyname(&self.program).unwrap());
        lead.arg(command.get_program()).args(command.get_args()).env_clear();
        lead.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        lead.current_dir(command.get_current_dir().unwrap());
        lead
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.person.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.read(), "it ended before `{text}`: {}", self.text());
        }
    }

    /// Everything that the screen has shown, after every program has closed the terminal.
    pub(crate) fn end(mut self) -> String {
        // Our own end would keep it open.
        self.program = File::open("/dev/null").unwrap().into();
        while self.read() {}
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen).replace("\r\n", "\n")
    }

    /// Reads the available output. False when no program has the terminal open any more.
    fn read(&mut self) -> bool {
        let mut fds = [PollFd::new(self.person.as_fd(), PollFlags::POLLIN)];
        assert_ne!(poll(&mut fds, PollTimeout::from(PATIENCE_MS)).unwrap(), 0, "nothing happens: {}", self.text());
        let mut bytes = [0; 4096];
        // Linux says EIO when the last program is gone, others that the stream ends.
        let count = self.person.read(&mut bytes).unwrap_or(0);
        self.screen.extend(&bytes[..count]);
        count > 0
    }
}
