//! Nothing of a server survives smcp, for every cause and kind of server.
//!
//! In each case all processes of a server hold one pipe, see `witness`. Its end proves that all have ended. Afterwards
//! no process has their numbers, so no zombie is left either.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Instant;

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::bed::Bed;
use crate::bed::NEVER;
use crate::bed::NOW;
use crate::bed::PATIENT;
use crate::bed::TIMES;
use crate::bed::clearance;
use crate::bed::null;
use crate::bed::sh;
use crate::bed::sink;
use crate::bed::stand_in_command;
use crate::bed::this_program;
use crate::witness::Witness;
use crate::witness::gone;
use smcp_launch::ending::GracePeriods;
use smcp_launch::launch;
use smcp_launch::status::Ended;

/// The cause of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The client closes the server's standard input.
    InputClosed,
    /// The client's process is killed.
    ClientKilled,
    /// smcp gets this signal.
    Signal(Signal),
    /// smcp's process group is killed, as clients do.
    GroupKilled,
}

/// A kind of server.
struct Kind {
    /// Its behaviour, as a script. Every process writes its number to descriptor 9, and the server its parent's too.
    script: &'static str,
    /// How many processes report that they are ready.
    processes: usize,
    /// How long it may take to end when it is asked to.
    grace_periods: GracePeriods,
    /// How it ends after smcp's SIGTERM: by the signal, or with this code.
    asked: Option<i32>,
    /// How it ends after its input is closed: in the same way, or with this code.
    left: Option<i32>,
}

const HASTY: GracePeriods = GracePeriods { input_closed: NOW, terminate: NEVER };

/// Adds the end of a script that waits forever.
macro_rules! and_stays {
    ($script:literal) => {
        concat!($script, "\necho $$ $PPID >&9; exec sleep 1000")
    };
}

const KINDS: [Kind; 8] = [
    Kind {
        script: "trap '' TERM; echo $$ $PPID >&9; while :; do sleep 1000; done",
        processes: 1,
        grace_periods: GracePeriods { input_closed: NOW, terminate: NOW },
        asked: Some(137),
        left: Some(137),
    },
    // The everyday case: a launcher and the server that it launches.
    Kind {
        script: "sh -c 'echo $$ >&9; exec sleep 1000' & echo $$ $PPID >&9; wait",
        processes: 2,
        grace_periods: HASTY,
        asked: None,
        left: None,
    },
    Kind {
        script: and_stays!("trap '' HUP; setsid sh -c 'trap \"\" TERM; echo $$ >&9; exec sleep 1000' &"),
        processes: 2,
        grace_periods: HASTY,
        asked: None,
        left: None,
    },
    // A daemon by the book: its parent has ended before the cause.
    Kind {
        script: and_stays!(
            r#"(setsid sh -c 'trap "" TERM HUP; sh -c "echo \$\$ >&9; exec sleep 1000" & exit' </dev/null >/dev/null 2>&1)"#
        ),
        processes: 2,
        grace_periods: HASTY,
        asked: None,
        left: None,
    },
    // The output is closed early, so its end does not show that the server has ended.
    Kind { script: and_stays!("exec >&- 2>&-"), processes: 1, grace_periods: HASTY, asked: None, left: None },
    Kind {
        script: "echo $$ $PPID >&9; cat >/dev/null; seq 20000; exit 3",
        processes: 1,
        grace_periods: GracePeriods { input_closed: NEVER, terminate: NEVER },
        asked: None,
        left: Some(3),
    },
    // It moves into smcp's own group, where no signal for its group finds it.
    Kind {
        script: r#"trap '' TERM HUP; exec python3 -c '
import os, time
keeper = os.getppid()
smcp = open(f"/proc/{keeper}/stat").read().rsplit(")", 1)[1].split()[1]
os.setpgid(0, os.getpgid(int(smcp)))
os.write(9, f"{os.getpid()} {keeper}\n".encode())
time.sleep(1000)'"#,
        processes: 1,
        grace_periods: GracePeriods { input_closed: NOW, terminate: NOW },
        asked: Some(137),
        left: Some(137),
    },
    // It ends slowly.
    Kind {
        script: "trap 'seq 20000; exit 5' TERM; sh -c 'echo $$ >&9; exec sleep 1000' & echo $$ $PPID >&9; wait",
        processes: 2,
        grace_periods: HASTY,
        asked: Some(5),
        left: Some(5),
    },
];

/// smcp in a separate process group, with a client that is a separate process.
struct Scene {
    smcp: Child,
    input: Option<ChildStdin>,
    client: Option<Child>,
}

impl Scene {
    fn new(bed: &Bed, script: &str, grace_periods: GracePeriods, cause: Cause) -> Self {
        let mut command = stand_in_command(&this_program(), &[], bed, script, grace_periods);
        let command = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut smcp = command.spawn().unwrap();
        let mut input = smcp.stdin.take();
        let client = (cause == Cause::ClientKilled).then(|| {
            let end = input.take().unwrap();
            Command::new("sleep").arg("1000").stdin(null()).stdout(Stdio::from(end)).spawn().unwrap()
        });
        Self { smcp, input, client }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.smcp.id().cast_signed())
    }

    fn happens(&mut self, cause: Cause) {
        match cause {
            Cause::InputClosed => drop(self.input.take()),
            Cause::ClientKilled => self.end_client(),
            Cause::Signal(signal) => kill(self.pid(), signal).unwrap(),
            Cause::GroupKilled => killpg(self.pid(), Signal::SIGKILL).unwrap(),
        }
    }

    fn end_client(&mut self) {
        if let Some(mut client) = self.client.take() {
            client.kill().unwrap();
            client.wait().unwrap();
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.end_client();
        let _ = self.smcp.kill();
        let _ = self.smcp.wait();
    }
}

/// Returns the exit code of smcp, or the signal that ended it.
fn expected(kind: &Kind, cause: Cause) -> (Option<i32>, Option<i32>) {
    match cause {
        Cause::InputClosed | Cause::ClientKilled => (kind.left.or(Some(143)), None),
        Cause::Signal(Signal::SIGKILL) | Cause::GroupKilled => (None, Some(9)),
        Cause::Signal(signal) => (kind.asked.or(Some(128 + signal as i32)), None),
    }
}

fn ending(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    (status.code(), status.signal())
}

fn plays(kind: &Kind, cause: Cause) {
    let bed = Bed::new();
    let mut witness = Witness::new(bed.root());
    let mut scene = Scene::new(&bed, &witness.script(kind.script), kind.grace_periods, cause);
    let said = witness.ready(kind.processes);
    let reaper = said.iter().find_map(|numbers| numbers.get(1).copied()).unwrap();
    assert_ne!(reaper, scene.pid(), "there is a reaper");

    scene.happens(cause);
    let mut output = String::new();
    scene.smcp.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    let status = scene.smcp.wait().unwrap();

    let what = format!("{} × {cause:?}", kind.script);
    assert_eq!(ending(status), expected(kind, cause), "{what}");
    witness.end();
    if status.signal() == Some(9) {
        // This process adopts the reaper.
        waitpid(reaper, None).unwrap();
    }
    gone(&said.concat());
    gone(&[reaper]);
    if let Some(3 | 5) = status.code() {
        assert_eq!(output.lines().next_back(), Some("20000"), "{what}: what it said last arrives");
    }
}

/// Makes a test for each cause, so that they run in parallel.
fn every_kind(cause: Cause) {
    set_child_subreaper(true).unwrap();
    for kind in &KINDS {
        plays(kind, cause);
    }
}

#[test]
fn nothing_survives_a_client_that_leaves() {
    every_kind(Cause::InputClosed);
}

#[test]
fn nothing_survives_a_client_that_is_killed() {
    every_kind(Cause::ClientKilled);
}

#[test]
fn nothing_survives_an_interrupt() {
    every_kind(Cause::Signal(Signal::SIGINT));
}

#[test]
fn nothing_survives_a_request_to_end() {
    every_kind(Cause::Signal(Signal::SIGTERM));
}

#[test]
fn nothing_survives_a_hang_up() {
    every_kind(Cause::Signal(Signal::SIGHUP));
}

#[test]
fn nothing_survives_a_killed_smcp() {
    every_kind(Cause::Signal(Signal::SIGKILL));
}

#[test]
fn nothing_survives_a_killed_process_group() {
    every_kind(Cause::GroupKilled);
}

#[test]
fn what_a_server_started_does_not_outlive_its_own_end() {
    let bed = Bed::new();
    for (end, expected) in [("exit 7", Ended::Exited(7)), ("kill -SEGV $$", Ended::Signalled(11))] {
        let folder = TempDir::new().unwrap();
        let mut witness = Witness::new(folder.path());
        let script = "setsid sh -c 'trap \"\" TERM HUP; echo $$ >&9; exec sleep 1000' >/dev/null & read -r line";
        let (read, write) = std::io::pipe().unwrap();
        let setup = bed.setup(read, sink(), PATIENT);
        let clearance = clearance(sh(&witness.script(&format!("{script}; {end}"))));
        let running = std::thread::spawn(move || launch(clearance, setup));
        let processes = witness.ready(1).concat();
        drop(write);
        assert_eq!(running.join().unwrap().unwrap().ended, expected);
        gone(&processes);
        witness.end();
    }
}

#[test]
fn a_server_whose_reaper_is_killed_ends_and_smcp_says_so() {
    let bed = Bed::new();
    let mut witness = Witness::new(bed.root());
    let script = witness.script("trap '' TERM; sh -c 'echo $$ >&9; exec sleep 1000' & echo $$ $PPID >&9; wait");
    let (read, _client) = std::io::pipe().unwrap();
    let setup = bed.setup(read, sink(), PATIENT);
    let clearance = clearance(sh(&script));
    let running = std::thread::spawn(move || launch(clearance, setup));
    let said = witness.ready(2);
    kill(said.iter().find_map(|numbers| numbers.get(1).copied()).unwrap(), Signal::SIGKILL).unwrap();
    let ended = running.join().unwrap().unwrap().ended;
    witness.end();
    assert_eq!((ended, ended.exit_code()), (Ended::ReaperKilled { whole: false }, 137));
    assert!(ended.message().unwrap().contains("`mcp-keeper`"));
}

#[test]
fn a_reaper_holds_nothing_of_smcp_open() {
    let bed = Bed::new();
    let mut witness = Witness::new(bed.root());
    let (read, client) = std::io::pipe().unwrap();
    let running = bed.start(&witness.script("echo $$ $PPID >&9; read -r line"), read, PATIENT);
    let reaper = *witness.ready(1).concat().last().unwrap();
    let open = || std::fs::read_dir(format!("/proc/{reaper}/fd")).unwrap().map(|entry| entry.unwrap().path());
    let start = Instant::now();
    // The server may be ready before its reaper is.
    while open().count() != 1 {
        assert!(start.elapsed() < NEVER, "{:?}", open().collect::<Vec<_>>());
        std::thread::yield_now();
    }
    let target = |path: PathBuf| std::fs::read_link(path).unwrap().into_os_string().into_string().unwrap();
    assert!(open().map(target).all(|target| target.starts_with("pipe:")), "its reports");
    assert_eq!(target(format!("/proc/{reaper}/cwd").into()), "/");
    assert_eq!(std::fs::read_to_string(format!("/proc/{reaper}/comm")).unwrap(), "mcp-keeper\n");
    drop(client);
    assert_eq!(running.end().0, Ended::Exited(1));
}

/// The number of launches in a row.
const LAUNCHES: usize = 200;

#[test]
fn two_hundred_launches_leave_no_process_no_zombie_and_no_descriptor() {
    let bed = Bed::new();
    let mut witness = Witness::new(bed.root());
    let script = witness.script("setsid sleep 1000 >/dev/null & echo $$ >&9");
    let mut command = stand_in_command(&this_program(), &[], &bed, &script, PATIENT);
    let many = command.env(TIMES, LAUNCHES.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert_eq!(many.code(), Some(0));
    let processes = witness.ready(LAUNCHES).concat();
    witness.end();
    gone(&processes);
}
