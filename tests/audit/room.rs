//! A log without room: a full disk, and a limit on the length of files.

use std::fs;
use std::process::Command;
use std::process::Stdio;

use nix::unistd::Uid;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::log::entry;
use crate::log::journal;
use crate::place::LOG;
use crate::place::bed;

/// Makes a log with a record so large that only the log exceeds the limit, not the files that the policies need.
fn large_log(bed: &TestBed) -> u64 {
    journal(&bed.path(".mcp")).unwrap().append(&entry(&"x".repeat(4_000_000))).unwrap();
    u64::try_from(bed.read(LOG).len()).unwrap()
}

/// Runs `smcp` with a limit on the length of files, in bytes. To smcp, a full disk looks the same.
fn on_a_disk_of(bytes: u64, bed: &TestBed, line: &str) -> (i32, String) {
    limited(bytes, "SIG_IGN", bed, line)
}

/// The same; `action` is the action of the signal that comes with the limit.
fn limited(bytes: u64, action: &str, bed: &TestBed, line: &str) -> (i32, String) {
    let script = &format!(
        "import os, resource, signal, sys; n = int(sys.argv[1]); signal.signal(signal.SIGXFSZ, signal.{action}); \
         resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); os.execv(sys.argv[2], sys.argv[2:])"
    );
    let mut command = Command::new("python3");
    command.args(["-c", script, &bytes.to_string(), env!("CARGO_BIN_EXE_smcp")]).args(line.split_whitespace());
    command.current_dir(bed.path("")).env("HOME", bed.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_full_disk_refuses_and_leaves_the_log_as_it_was() {
    let bed = bed();
    bed.write("facts.json", "{}");
    let size = large_log(&bed);
    let before = bed.read(LOG);
    for room in [0, 1, 1_000] {
        let (code, stderr) = on_a_disk_of(size + room, &bed, "policy eval --facts facts.json");
        assert_eq!(code, 1, "{room}: {stderr}");
        assert!(stderr.contains("can't write to the audit log at "), "{room}: {stderr}");
        assert!(stderr.contains("nothing runs unrecorded"), "{room}: {stderr}");
        assert_eq!(bed.read(LOG), before, "{room}");
    }
    bed.run("policy eval --facts facts.json").succeeds();
    bed.run("audit verify").succeeds();
    bed.configure("audit: best-effort");
    let size = bed.read(LOG).len();
    let (code, stderr) = on_a_disk_of(u64::try_from(size).unwrap() + 9, &bed, "policy eval --facts facts.json");
    assert!(code == 0 && stderr.contains("note: the audit log is not complete: can't write to"), "{code} {stderr}");
}

/// The limit's signal would end smcp without a message. A server that smcp starts gets the signal as it was.
#[test]
fn a_limit_of_files_is_an_error_and_no_death() {
    let bed = bed();
    let size = large_log(&bed);
    for action in ["SIG_DFL", "SIG_IGN"] {
        let (code, stderr) = limited(size + 100, action, &bed, "run acme/tool@1.0.0");
        assert_eq!(code, 1, "{action}: {stderr}");
        for says in
            ["it would grow beyond what a process may write to one file here", "`ulimit -f`", "nothing runs unrecorded"]
        {
            assert!(stderr.contains(says), "{action}: {stderr}");
        }
        let (code, stderr) = limited(size + 100, action, &bed, "doctor");
        assert_eq!(code, 1, "{action}: {stderr}");
    }
    // If there is no room even for one record, that is not an error of the package.
    let small = crate::place::bed();
    let (code, stderr) = limited(1024, "SIG_DFL", &small, "run acme/tool@1.0.0");
    assert!(code == 1 && stderr.contains("`ulimit -f`") && !stderr.contains("block"), "{stderr}");
    assert!(!bed.has("proof/started"));
    bed.publish(&Package::shell("acme/mask@1.0.0", "grep SigIgn /proc/self/status >&2").good());
    if cfg!(target_os = "linux") {
        for (action, ignored) in [("SIG_DFL", false), ("SIG_IGN", true)] {
            let (code, stderr) = limited(1 << 40, action, &bed, "run acme/mask@1.0.0");
            let mask = stderr.split_whitespace().last().unwrap();
            let mask = u64::from_str_radix(mask, 16).unwrap();
            assert_eq!((code, mask >> 24 & 1 == 1), (0, ignored), "{action}: {stderr}");
        }
    }
}

/// The same on a file system that is really full, where the tests may mount one.
#[test]
#[cfg(target_os = "linux")]
fn a_full_file_system_is_called_that() {
    let bed = bed();
    bed.run("pull acme/tool@1.0.0").succeeds();
    bed.configure("audit_log: ~/small/audit.jsonl");
    fs::create_dir(bed.path("small")).unwrap();
    let script = "mount -t tmpfs -o size=64k,mode=700 none small || exit 99
        \"$0\" run --dry-run acme/tool@1.0.0 || exit 98
        head -c 100000 /dev/zero > small/junk 2> /dev/null
        \"$0\" run acme/tool@1.0.0; echo \"run: $?\"
        \"$0\" doctor; echo \"doctor: $?\"; ls small
        rm small/junk; \"$0\" doctor > /dev/null || exit 97; \"$0\" run acme/tool@1.0.0 || exit 96; ls small";
    if !Uid::effective().is_root() {
        // A user namespace is not enough: there the system's folders seem to belong to another user, so rules below
        // them start nothing.
        eprintln!("not tried: mounting takes root");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_smcp")]);
    command.current_dir(bed.path("")).env("HOME", bed.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if stderr.contains("unshare:") || output.status.code() == Some(99) {
        eprintln!("not tried: no file system may be mounted here: {stderr}");
        return;
    }
    assert!(output.status.success(), "{stdout} {stderr}");
    let path = bed.path("small").display().to_string();
    for says in ["the disk is full (No space left on device", &format!("free some space on the file system of {path}")]
    {
        assert!(stderr.contains(says), "{says}: {stderr}");
    }
    for says in ["run: 1\n", "doctor: 1\naudit.jsonl\naudit.lock\njunk\n", "audit.jsonl\naudit.lock\naudit.running\n"] {
        assert!(stdout.contains(says), "{says}: {stdout}");
    }
    assert!(stdout.contains("✗ audit log      can't write to the audit log at "), "{stdout}");
}

#[test]
fn a_refusal_keeps_its_reason_when_it_can_not_be_recorded() {
    let bed = bed();
    bed.configure("policy: {min_score: 100}");
    let (code, stderr) = on_a_disk_of(large_log(&bed) + 100, &bed, "run acme/tool@1.0.0");
    assert_eq!(code, 4, "{stderr}");
    assert!(
        stderr.contains("below minimum required score 100") && stderr.contains("the audit log is not complete"),
        "{stderr}"
    );
}
