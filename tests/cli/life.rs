//! A program that was killed, or ran many times, leaves no process or folder.
//!
//! `tests/launch/life.rs` tests every cause and every kind of server. Here clients start and kill the program itself.

use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::process::CommandExt as _;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::witness::Witness;
use crate::witness::gone;

const RUNS: &str = ".mcp/cache/runs";

/// The ways in which a client kills smcp.
type Kill = fn(Pid, Signal) -> nix::Result<()>;
const KILLS: [(&str, Kill); 2] = [("smcp", kill), ("its process group", killpg)];

/// Servers, and how many of their processes report that they are ready, each with its number.
const SERVERS: [(&str, usize); 3] = [
    ("trap '' TERM; echo $$ $PPID >&9; while :; do sleep 1000; done", 1),
    ("sh -c 'echo $$ >&9; exec sleep 1000' & echo $$ $PPID >&9; wait", 2),
    ("setsid sh -c 'trap \"\" TERM; echo $$ >&9; exec sleep 1000' & echo $$ $PPID >&9; wait", 2),
];

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

#[test]
fn a_killed_smcp_leaves_no_process_of_its_server() {
    set_child_subreaper(true).unwrap();
    for (script, processes) in SERVERS {
        for (what, kills) in KILLS {
            let bed = TestBed::new();
            bed.configure("");
            let mut witness = Witness::new(&bed.path("proof"));
            bed.publish(&Package::shell("acme/tool@1.0.0", &witness.script(script)).writable().good());
            let mut smcp = bed.smcp("run acme/tool@1.0.0");
            smcp.command.process_group(0);
            let mut child = smcp.start();
            let said = witness.ready(processes);
            let reaper = said.iter().find_map(|numbers| numbers.get(1).copied()).unwrap();
            kills(pid(&child), Signal::SIGKILL).unwrap();
            child.wait().unwrap();
            witness.end();
            // This process adopts the reaper of a dead smcp.
            waitpid(reaper, None).unwrap();
            gone(&said.concat());

            assert_ne!(bed.list(RUNS), [""; 0], "{what}: nobody was left to remove the folder");
            bed.publish(&Package::shell("acme/next@1.0.0", "true").good());
            bed.run("run acme/next@1.0.0").succeeds();
            assert_eq!(bed.list(RUNS), [""; 0], "{what}");
        }
    }
}

#[test]
fn a_killed_reaper_leaves_no_process_of_its_server() {
    for (script, processes) in SERVERS {
        let bed = TestBed::new();
        bed.configure("");
        let mut witness = Witness::new(&bed.path("proof"));
        bed.publish(&Package::shell("acme/tool@1.0.0", &witness.script(script)).good());
        let child = bed.smcp("run acme/tool@1.0.0").start();
        let said = witness.ready(processes);
        let reaper = said.iter().find_map(|numbers| numbers.get(1).copied()).unwrap();
        kill(reaper, Signal::SIGKILL).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(137), "{stderr}");
        assert!(stderr.contains("and so did all that it had started"), "{stderr}");
        witness.end();
        gone(&said.concat());
    }
}

#[test]
fn children_that_smcp_had_before_are_not_touched() {
    let bed = TestBed::new();
    bed.configure("");
    let mut witness = Witness::new(&bed.path("proof"));
    bed.publish(&Package::shell("acme/tool@1.0.0", &witness.script("echo $$ $PPID >&9; exec sleep 1000")).good());
    let smcp = bed.smcp("run acme/tool@1.0.0").command;
    // A shell with a job replaces itself with smcp.
    let mut shell = Command::new("sh");
    shell.args(["-c", "sleep 1000 & echo $!; exec \"$0\" \"$@\""]).arg(smcp.get_program()).args(smcp.get_args());
    shell.env_clear().envs(smcp.get_envs().map(|(name, value)| (name, value.unwrap()))).current_dir(bed.path("."));
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let job = Pid::from_raw(line.trim().parse().unwrap());
    let reaper = witness.ready(1)[0][1];
    kill(reaper, Signal::SIGKILL).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert_eq!(kill(job, None), Ok(()), "the job lives");
    kill(job, Signal::SIGKILL).unwrap();
}

#[test]
fn an_smcp_that_was_started_by_a_server_goes_with_it() {
    set_child_subreaper(true).unwrap();
    let bed = TestBed::new();
    bed.configure("");
    let mut witness = Witness::new(&bed.path("proof"));
    let inner = "setsid sh -c 'trap \"\" TERM; echo $$ >&9; exec sleep 1000' & echo $$ $PPID >&9; wait";
    bed.publish(&Package::shell("acme/inner@1.0.0", &witness.script(inner)).good());
    let outer = format!("echo $$ $PPID $PPID >&9; {} run acme/inner@1.0.0", env!("CARGO_BIN_EXE_smcp"));
    bed.publish(&Package::shell("acme/outer@1.0.0", &witness.script(&outer)).unknown().good());
    let mut child = bed.smcp("run acme/outer@1.0.0").start();
    let said = witness.ready(3);
    let reaper = said.iter().find_map(|numbers| numbers.get(2).copied()).unwrap();
    kill(pid(&child), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    witness.end();
    waitpid(reaper, None).unwrap();
    gone(&said.concat());
}

#[test]
fn many_runs_leave_no_process_and_no_folder() {
    const RUNS_IN_A_ROW: usize = 20;
    let bed = TestBed::new();
    bed.configure("");
    let mut witness = Witness::new(&bed.path("proof"));
    bed.publish(
        &Package::shell("acme/tool@1.0.0", &witness.script("setsid sleep 1000 >/dev/null & echo $$ $PPID >&9")).good(),
    );
    for _ in 0..RUNS_IN_A_ROW {
        bed.run("run acme/tool@1.0.0").succeeds();
        assert_eq!(bed.list(RUNS), [""; 0]);
    }
    let processes = witness.ready(RUNS_IN_A_ROW).concat();
    witness.end();
    gone(&processes);
}

#[test]
fn a_run_folder_that_its_server_locked_is_removed() {
    let bed = TestBed::new();
    bed.configure("");
    let script = "mkdir -p a/b/c && touch a/b/c/file && chmod 000 a/b/c a/b a . && echo locked";
    bed.publish(&Package::shell("acme/tool@1.0.0", script).writable().good());
    let output = bed.run_unprivileged("run acme/tool@1.0.0");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "locked\n");
    assert_eq!(bed.list(RUNS), [""; 0]);
}
