//! A run that is ended from outside leaves nothing after the next run.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::bed::Package;
use crate::bed::TestBed;

const RUNS: &str = ".mcp/cache/runs";

/// A length that takes far longer to unpack than a signal takes to arrive; zeros, so that its bundle is small.
const LONG: u64 = 768 * 1024 * 1024;

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
}

/// Waits until `happened`, or until smcp has ended.
fn wait_until(child: &mut Child, happened: impl Fn() -> bool) {
    while !happened() {
        assert_eq!(child.try_wait().unwrap(), None, "smcp ended early");
        std::thread::yield_now();
    }
}

#[test]
fn a_signal_ends_the_unpacking_and_leaves_nothing() {
    let bed = TestBed::new();
    bed.configure("");
    let package = Package::shell("acme/large@1.0.0", "echo started >&2").good();
    bed.write("bundles/acme-large-1.0.0/zeros", "");
    File::options().write(true).open(bed.path("bundles/acme-large-1.0.0/zeros")).unwrap().set_len(LONG).unwrap();
    bed.publish(&package);
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let mut smcp = bed.smcp("run acme/large@1.0.0");
        let mut child = smcp.start();
        wait_until(&mut child, || !bed.list(RUNS).is_empty());
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{signal}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{signal}: the server never starts");
        assert_eq!(bed.list(RUNS), [""; 0], "{signal}");
    }
}

#[test]
fn the_next_run_removes_what_a_killed_one_left_and_nothing_of_a_live_one() {
    let bed = TestBed::new();
    bed.configure("");
    let script = "echo ready; while read -r line; do :; done; test -e manifest.json && echo whole";
    bed.publish(&Package::shell("acme/tool@1.0.0", script).writable().good());
    let start = || {
        let mut child = bed.smcp("run acme/tool@1.0.0").start();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        (child, output)
    };
    let (mut live, mut live_output) = start();
    let live_names = bed.list(RUNS);
    let (mut killed, _output) = start();
    assert_eq!(bed.list(RUNS).len(), 2 * live_names.len());
    send(&killed, Signal::SIGKILL);
    killed.wait().unwrap();
    assert_eq!(bed.list(RUNS).len(), 2 * live_names.len(), "nobody was left to clean up");

    bed.run("run acme/tool@1.0.0").succeeds().prints("ready\nwhole\n").silent();
    assert_eq!(bed.list(RUNS), live_names);

    drop(live.stdin.take());
    let mut rest = String::new();
    live_output.read_line(&mut rest).unwrap();
    assert_eq!((rest.as_str(), live.wait().unwrap().code()), ("whole\n", Some(0)));
    assert_eq!(bed.list(RUNS), [""; 0]);
}

#[test]
fn a_hang_up_that_smcp_was_started_to_ignore_ends_nobody() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo ready; read -r line; echo \"heard $line\"").good());
    let smcp = bed.smcp("run acme/tool@1.0.0").command;
    for (ignored, signals) in [("HUP", &[Signal::SIGHUP][..]), ("INT QUIT", &[Signal::SIGINT, Signal::SIGQUIT])] {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")]);
        shell.arg(smcp.get_program()).args(smcp.get_args()).env_clear();
        shell.envs(smcp.get_envs().map(|(name, value)| (name, value.unwrap()))).current_dir(bed.path("."));
        let (input, output) = (std::process::Stdio::piped(), std::process::Stdio::piped());
        let mut child = shell.stdin(input).stdout(output).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        for signal in signals {
            send(&child, *signal);
        }
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"more\n").unwrap();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\nheard more\n", "{ignored}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{ignored}");
    }
}
