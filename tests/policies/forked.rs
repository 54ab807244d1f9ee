//! Without `/proc`, where smcp can't start its own program: compilers are forked from a process that has one thread.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::bombs;
use crate::kept::COMPILED;
use crate::kept::NO_NETWORK;
use crate::kept::bed;
use crate::kept::in_mounts;
use crate::kept::mounted;

/// What hides it from smcp and its children.
const WITHOUT_PROC: &str = "mount -t tmpfs none /proc";
/// The time after which a wait fails: far longer than an end takes.
const PATIENCE_MS: u16 = 60_000;

/// The processes that see the same mounts as a process with this number.
fn with_mounts_of(pid: u32) -> Vec<u32> {
    let mounts = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let wanted = mounts(pid).unwrap();
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    all.filter(|pid| mounts(*pid).as_ref() == Some(&wanted)).collect()
}

/// A descriptor that tells when a process has ended; `None` when it has.
fn process(pid: u32) -> Option<std::os::fd::OwnedFd> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

fn wait_for_end(process: &std::os::fd::OwnedFd) {
    let mut waited = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut waited, PollTimeout::from(PATIENCE_MS)).unwrap(), 1, "a process is left");
}

#[test]
fn what_is_compiled_is_confined_kept_and_bounded_as_with_it() {
    let bed = bed();
    let expected = bed.run("policy eval --json --facts facts.json --cache-dir other").exits(4).document();
    let Some(output) = mounted(&bed, WITHOUT_PROC, &["-v"]) else { return };
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("it is compiled now") && !log.contains("not confined in full"), "{log}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcomes = |document: &serde_json::Value| -> Vec<String> {
        document["policies"].as_array().unwrap().iter().map(|policy| policy["findings"].to_string()).collect()
    };
    assert_eq!(outcomes(&document), outcomes(&expected));
    assert_eq!(bed.list(COMPILED).len(), 1);
    let warm = mounted(&bed, WITHOUT_PROC, &["-v"]).unwrap();
    assert!(!String::from_utf8_lossy(&warm.stderr).contains("it is compiled now"));

    // A compiler that reaches a limit ends alone, and says which; the next one works.
    bed.write("bomb.wasm", bombs::policy(&fs::read(NO_NETWORK).unwrap(), &bombs::slow_to_compile()));
    let arguments = ["policy", "compile", "--json", "--cache-dir", "third", "bomb.wasm", "rules.wasm"];
    let limited = format!("{WITHOUT_PROC} && ulimit -St 2");
    let output = in_mounts(&bed, &limited, &arguments).unwrap().output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("of CPU time to compile") && text.contains("\"compiled\""), "{text}");
    let output = in_mounts(&bed, WITHOUT_PROC, &["doctor"]).unwrap().output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let compiler = text.lines().find(|line| line.contains("compil")).unwrap_or_else(|| panic!("{text}"));
    assert!(compiler.starts_with('✓') || compiler.contains("ok"), "{text}");
}

/// Killed in the middle, it leaves no server, no keeper and no compiler.
#[test]
fn a_start_that_is_killed_leaves_no_process() {
    let bed: TestBed = bed();
    bed.write("rules.wasm", bombs::policy(&fs::read(NO_NETWORK).unwrap(), &bombs::slow_to_compile()));
    let arguments = ["policy", "eval", "--facts", "facts.json"];
    let Some(mut command) = in_mounts(&bed, WITHOUT_PROC, &arguments) else { return };
    let mut smcp = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let exe = |pid: u32| -> Option<PathBuf> { fs::read_link(format!("/proc/{pid}/exe")).ok() };
    let program = Path::new(env!("CARGO_BIN_EXE_smcp"));
    // smcp itself, the server, the keeper and the compiler.
    let all = loop {
        assert_eq!(smcp.try_wait().unwrap(), None, "it has ended before it compiled");
        if exe(smcp.id()).is_some_and(|exe| exe == program) {
            let all = with_mounts_of(smcp.id());
            if all.len() == 4 {
                break all;
            }
        }
        std::thread::yield_now();
    };
    let processes: Vec<_> = all.into_iter().filter_map(process).collect();
    assert_eq!(processes.len(), 4);
    smcp.kill().unwrap();
    smcp.wait().unwrap();
    processes.iter().for_each(wait_for_end);
    assert_eq!(bed.list(COMPILED), [""; 0]);
}

/// Runs the rest of its arguments as the first process of a namespace does that waits for its own children alone, and says
/// whether others were left to it.
const FIRST_PROCESS: &str = "
import os, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
try: print('left:', os.waitpid(-1, 0))
except ChildProcessError: print('nobody is left')
sys.exit(code)";

#[test]
fn a_start_leaves_nobody_to_the_first_process() {
    let bed = bed();
    bed.publish(&Package::shell("acme/tool@1.0.0", "cat").good());
    bed.write("slow.wasm", bombs::policy(&fs::read(NO_NETWORK).unwrap(), &bombs::slow_to_compile()));
    bed.write("slow.yaml", "registry_url: ~/registry\npolicy: {custom: [{name: slow, source: ~/slow.wasm}]}\n");
    for (line, code) in [
        ("--version", 0),
        ("policy eval --facts facts.json", 4),
        // A compiler is still at work when its time is over.
        ("--config slow.yaml run --dry-run --timeout 1s acme/tool@1.0.0", 5),
    ] {
        if in_mounts(&bed, "true", &[]).is_none() {
            return;
        }
        let inner = format!("{WITHOUT_PROC} && exec python3 -c \"$0\" \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["-m", "--pid", "--fork", "--kill-child", "sh", "-c", &inner, FIRST_PROCESS]);
        command.arg(env!("CARGO_BIN_EXE_smcp")).args(line.split(' ')).current_dir(bed.path("")).env_clear();
        command.env("HOME", bed.path("")).env("PATH", std::env::var_os("PATH").unwrap());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.ends_with("nobody is left\n"), "{line}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{line}");
    }
}

/// Whoever starts smcp may have told the system that children are not waited for.
#[test]
fn children_are_heeded_whatever_the_starter_ignores() {
    let ignoring = "import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    for before in ["true", WITHOUT_PROC] {
        let bed = bed();
        let line = format!("{before} && exec python3 -c '{ignoring}' \"$0\" \"$@\"");
        let arguments = ["policy", "eval", "--json", "--facts", "facts.json"];
        let Some(mut command) = in_mounts(&bed, &line, &arguments) else { return };
        let output = command.output().unwrap();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["policies"][3]["outcome"], "violation", "{before}: {document}");
    }
}
