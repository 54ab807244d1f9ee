//! A server on a terminal: typing, job control, and returning the terminal.

use std::fs::File;
use std::io::BufReader;
use std::io::Write as _;
use std::process::Child;
use std::process::Stdio;

use nix::fcntl::FcntlArg;
use nix::fcntl::FdFlag;
use nix::fcntl::fcntl;
use nix::pty::openpty;

use crate::bed::Bed;
use crate::bed::PATIENT;
use crate::bed::line_with;
use crate::bed::stand_in_command;
use crate::bed::this_program;
use crate::bed::warned;

/// Repeats one typed line.
const READER: &str = "read line && echo \"server: got $line\"";
/// Repeats one line, which proves that the server has the terminal, and one more.
const TWICE: &str = "read line && echo \"server: got $line\"; read line && echo \"server: got $line\"";

/// Whether the server gets the terminal, or smcp reads it in order to put a warning into the stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Streams {
    Direct,
    Relayed,
}

/// A person's terminal with a shell in it, whose only job is smcp.
struct Session {
    keyboard: File,
    screen: BufReader<File>,
    shell: Child,
    _bed: Bed,
}

impl Session {
    fn start(place: &str, script: &str) -> Self {
        Self::with(Streams::Direct, place, script)
    }

    fn with(streams: Streams, place: &str, script: &str) -> Self {
        let bed = Bed::new();
        let terminal = openpty(None, None).unwrap();
        // A process that inherits the person's end would keep the terminal from hanging up.
        for end in [&terminal.master, &terminal.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let shell_script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/launch/shell.py");
        let mut command = stand_in_command("python3", &[shell_script, place, &this_program()], &bed, script, PATIENT);
        if streams == Streams::Relayed {
            warned(&mut command);
        }
        let end = || Stdio::from(terminal.slave.try_clone().unwrap());
        let shell = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let screen = File::from(terminal.master);
        Self { keyboard: screen.try_clone().unwrap(), screen: BufReader::new(screen), shell, _bed: bed }
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    #[track_caller]
    fn shows(&mut self, expected: &str) {
        let (word, rest) = expected.rsplit_once(' ').unwrap();
        assert_eq!(line_with(&mut self.screen, word), rest, "{expected}");
    }

    /// Checks that the job has ended with `code`, and that the shell has its terminal again.
    fn ends_with(mut self, code: &str) {
        self.shows("shell: terminal is with job");
        self.shows(&format!("shell: ended with {code}"));
        self.types("next\n");
        self.shows("shell: reads next");
        assert!(self.shell.wait().unwrap().success());
    }
}

impl Drop for Session {
    /// Closes the window: the terminal hangs up, which also ends the job of a failed test.
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
fn a_server_reads_what_a_person_types() {
    let mut session = Session::start("foreground", READER);
    session.types("hello\n");
    session.shows("server: got hello");
    session.ends_with("0");
}

#[test]
fn ctrl_c_reaches_the_server() {
    let mut session = Session::start("foreground", TWICE);
    session.types("hello\n");
    session.shows("server: got hello");
    session.types("\u{3}");
    session.ends_with("130");
}

#[test]
fn ctrl_z_stops_the_job_and_fg_resumes_it() {
    let mut session = Session::start("foreground", TWICE);
    session.types("hello\n");
    session.shows("server: got hello");
    session.types("\u{1a}");
    session.shows("shell: terminal is with job");
    session.shows("shell: stopped by SIGTSTP");
    session.types("fg\n");
    session.shows("shell: resumed fg");
    session.types("again\n");
    session.shows("server: got again");
    session.ends_with("0");
}

#[test]
fn a_job_in_the_background_takes_nobodys_terminal() {
    let mut session = Session::start("background", READER);
    for _ in 0..2 {
        session.shows("shell: terminal is with shell");
        session.shows("shell: stopped by SIGTTIN");
        session.types("bg\n");
        session.shows("shell: resumed bg");
    }
    session.shows("shell: terminal is with shell");
    session.shows("shell: stopped by SIGTTIN");
    session.types("fg\n");
    session.shows("shell: resumed fg");
    session.types("hello\n");
    session.shows("server: got hello");
    session.ends_with("0");
}

#[test]
fn a_relayed_server_reads_what_a_person_types_though_the_terminal_stays_with_smcp() {
    let mut session = Session::with(Streams::Relayed, "foreground", TWICE);
    for word in ["hello", "again"] {
        session.types(&format!("{word}\n"));
        session.shows(&format!("server: got {word}"));
    }
    session.ends_with("0");
}

#[test]
fn ctrl_c_ends_a_relayed_server() {
    let script = "trap 'exit 3' TERM; read line && echo \"server: got $line\"; while :; do sleep 1000 & wait; done";
    let mut session = Session::with(Streams::Relayed, "foreground", script);
    session.types("hello\n");
    session.shows("server: got hello");
    session.types("\u{3}");
    session.ends_with("3");
}

#[test]
fn ctrl_d_ends_the_input_of_a_relayed_server() {
    let mut session = Session::with(Streams::Relayed, "foreground", "while read line; do :; done; exit 6");
    session.types("hello\n\u{4}");
    session.ends_with("6");
}

#[test]
fn ctrl_z_stops_the_job_of_a_relayed_server() {
    let mut session = Session::with(Streams::Relayed, "foreground", TWICE);
    session.types("hello\n");
    session.shows("server: got hello");
    session.types("\u{1a}");
    session.shows("shell: terminal is with job");
    session.shows("shell: stopped by SIGTSTP");
    session.types("fg\n");
    session.shows("shell: resumed fg");
    session.types("again\n");
    session.shows("server: got again");
    session.ends_with("0");
}
