//! How the program begins: it has a `main` of its own (docs/decisions/0070).

use std::process::Command;
use std::process::Output;

use crate::bed::Package;
use crate::bed::TestBed;

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    // It can write to each stream that it has, and to nothing else.
    bed.publish(&Package::shell("acme/good@1.0.0", "echo server || :; echo server >&2 || :").good());
    bed.publish(&Package::shell("acme/poor@1.0.0", "exit 9").facts("official", 3, 35));
    bed
}

/// Runs a command line of smcp as a shell does, with redirections or a pipe behind it.
fn in_a_shell(bed: &TestBed, line: &str, behind: &str) -> Output {
    let smcp = bed.smcp(line).command;
    let variables = smcp.get_envs().map(|(name, value)| (name, value.unwrap()));
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("set -o pipefail; \"$0\" \"$@\" {behind}")]);
    shell.arg(smcp.get_program()).args(smcp.get_args()).env_clear().envs(variables).current_dir(bed.path("."));
    shell.output().unwrap()
}

/// A file that smcp opens would get the number of the stream, and whatever is written to the stream would go there.
#[test]
fn a_stream_that_is_closed_is_no_place_for_another_file() {
    let bed = bed();
    let lines = [
        ("run acme/good@1.0.0", 0),
        ("run acme/poor@1.0.0", 4),
        ("policy check acme/good@1.0.0", 0),
        ("frobnicate", 1),
    ];
    for closed in ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        for (line, code) in lines {
            let ran = in_a_shell(&bed, line, closed);
            assert_eq!(ran.status.code(), Some(code), "{line} {closed}: {ran:?}");
        }
    }
    bed.run("audit verify").succeeds();
    let log = bed.read(".mcp/audit.jsonl");
    assert!(log.lines().count() >= lines.len() && log.lines().all(|line| line.starts_with("{\"schema\":")), "{log}");
    assert_eq!(bed.read(".mcp/audit.lock"), "", "the first file that smcp opens to write");
}

/// The end of a reader is an error of writing, and not the end of smcp: what it was asked for is done and recorded.
#[test]
fn a_reader_that_is_gone_does_not_end_it() {
    let bed = bed();
    for (line, code) in [("policy check acme/good@1.0.0", 0), ("run acme/poor@1.0.0", 4), ("run --help", 0)] {
        let ran = in_a_shell(&bed, line, "2>&1 < /dev/null | exec true");
        assert_eq!(ran.status.code(), Some(code), "{line}: {ran:?}");
    }
    let tail = bed.run("audit tail --json").succeeds();
    for package in ["acme/good", "acme/poor"] {
        assert!(tail.raw.contains(package), "{package}: {tail}");
    }
}

/// A server finds the signal as it would without smcp: a writer to a pipe that nobody reads ends.
#[test]
fn a_server_begins_with_the_signals_of_everybody() {
    let bed = bed();
    bed.publish(&Package::shell("acme/signals@1.0.0", "grep SigIgn /proc/self/status").good());
    let ran = bed.run("run acme/signals@1.0.0").succeeds();
    let ignored = u64::from_str_radix(ran.raw.trim().trim_start_matches("SigIgn:").trim(), 16).unwrap();
    assert_eq!(ignored & (1 << 12), 0, "SIGPIPE is ignored: {ran}");
}
