//! Every start has an end: recorded at once, or later if its smcp was killed.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt as _;
use std::process::Child;
use std::process::ChildStdin;
use std::thread;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::log::Log;
use crate::log::entry;
use crate::log::typed;
use smcp_audit::About;
use smcp_audit::KnownLog;

const LOG: &str = ".mcp/audit.jsonl";

/// A bed with a server that reports when it is ready, and then waits for its client to leave.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo up; cat > /dev/null").good());
    bed
}

/// A running server, and the input that keeps it alive.
fn running(bed: &TestBed) -> (Child, ChildStdin) {
    let mut child = bed.smcp("run acme/tool@1.0.0").start();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn records(bed: &TestBed) -> Vec<Value> {
    let records: Vec<Value> = bed.read(LOG).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    records.iter().for_each(|record| drop(typed(record)));
    records
}

/// Returns the servers in a verification: the living ones, and those without an end.
fn servers(bed: &TestBed) -> (Value, Value) {
    let document = bed.run("--json audit verify").succeeds().document();
    (document["living"].clone(), document["without_end"].clone())
}

/// Without that folder, the end of a killed run would be lost without a message.
#[test]
fn a_folder_of_running_servers_that_can_not_be_used_starts_nothing() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "touch $HOME/proof/started").good());
    bed.run("policy check acme/tool@1.0.0").succeeds();
    bed.write(".mcp/audit.running", "");
    bed.run("run acme/tool@1.0.0").refuses(1, &["audit.running"]);
    bed.run("doctor").exits(1);
    assert!(!bed.has("proof/started"));
    bed.configure("audit: best-effort\n");
    bed.run("run acme/tool@1.0.0").succeeds();
    assert!(bed.has("proof/started"));
}

#[test]
fn the_end_of_a_killed_run_is_recorded_by_the_next_command_that_decides() {
    let bed = bed();
    let (child, _stdin) = running(&bed);
    kill(child);
    assert_eq!(servers(&bed), (json!([]), json!([1])));
    let ran = bed.run("audit verify").succeeds();
    assert!(ran.stdout.contains("note: of 1 start there is no end (run 1): its smcp was killed"), "{ran}");
    let doctor = bed.run("doctor").succeeds();
    assert!(doctor.stdout.contains("! servers        of 1 start there is no end (run 1)"), "{doctor}");
    assert_eq!(records(&bed).len(), 2, "whoever only looks records nothing");

    bed.run("policy check acme/tool@1.0.0").succeeds();
    let records = records(&bed);
    let [_, start, end, decision] = &records[..] else { panic!("{records:#?}") };
    assert_eq!((&end["event"], &end["outcome"], &end["run"]), (&json!("end"), &json!("abandoned"), &json!(1)));
    assert_eq!((&end["command"], &end["asked"]), (&json!("run"), &json!("acme/tool@1.0.0")));
    assert_eq!((&end["package"], &end["start"]["seq"]), (&json!("acme/tool@1.0.0"), &start["seq"]));
    assert_eq!(end["start"]["digest"], end["prev"].as_str().unwrap(), "the start is the line before it");
    assert_eq!((&decision["event"], &decision["run"]), (&json!("decision"), &json!(4)));
    assert_eq!(servers(&bed), (json!([]), json!([])));
    assert_eq!(bed.list(".mcp/audit.running"), [""; 0]);

    bed.run("policy check acme/tool@1.0.0").succeeds();
    assert_eq!(self::records(&bed).len(), 5, "once is enough");
    let shown = bed.run("audit show --run 1").succeeds();
    assert!(shown.stdout.contains("abandoned"), "{shown}");
}

#[test]
fn a_server_that_lives_gets_no_end_from_anybody_else() {
    let bed = bed();
    let (first, stdin) = running(&bed);
    let (second, _stays) = running(&bed);
    kill(second);
    bed.run("policy check acme/tool@1.0.0").succeeds();
    let ends: Vec<_> = records(&bed).into_iter().filter(|record| record["event"] == "end").collect();
    assert_eq!((ends.len(), &ends[0]["run"]), (1, &json!(3)), "{ends:#?}");
    assert_eq!(servers(&bed), (json!([1]), json!([])));
    let doctor = bed.run("doctor").succeeds();
    assert!(doctor.stdout.contains("✓ servers        1 server runs\n"), "{doctor}");
    drop(stdin);
    assert!(first.wait_with_output().unwrap().status.success());
    let end = records(&bed).pop().unwrap();
    assert_eq!((&end["event"], &end["run"], &end["outcome"]), (&json!("end"), &json!(1), &json!("exited")));
    assert_eq!(servers(&bed), (json!([]), json!([])));
    assert_eq!(bed.list(".mcp/audit.running"), [""; 0]);
}

#[test]
fn the_end_is_recorded_before_the_folder_of_the_run_is_removed() {
    let bed = TestBed::new();
    bed.configure("");
    let script = "i=0; while [ $i -lt 2000 ]; do : > f$i; i=$((i+1)); done; echo up; cat > /dev/null";
    bed.publish(&Package::shell("acme/tool@1.0.0", script).unknown().writable().good());
    let (child, stdin) = running(&bed);
    let runs = bed.path(".mcp/cache/runs");
    let folder = bed.list(".mcp/cache/runs").into_iter().find(|name| runs.join(name).is_dir()).unwrap();
    // An open file shows when its name was removed.
    let open: Vec<_> =
        (0..2000).step_by(20).map(|i| fs::File::open(runs.join(&folder).join(format!("f{i}"))).unwrap()).collect();
    drop(stdin);
    assert!(child.wait_with_output().unwrap().status.success());
    let removed = open.iter().map(|file| file.metadata().unwrap()).map(|file| (file.ctime(), file.ctime_nsec())).min();
    let log = fs::metadata(bed.path(LOG)).unwrap();
    assert!(Some((log.mtime(), log.mtime_nsec())) <= removed, "files were removed before the log was written");
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0]);
}

/// Describes a server whose start is the record `head`.
fn about(head: smcp_model::audit::Head) -> About {
    About { run: head.seq, start: head, package: "acme/tool@1.0.0".to_owned(), asked: None }
}

#[test]
fn only_what_a_dead_smcp_left_is_abandoned() {
    let log = Log::new();
    let journal = log.journal();
    let starts: Vec<_> = (0..3).map(|_| journal.append_start(&entry("start"), about).unwrap()).collect();
    assert!(journal.abandoned(9).unwrap().is_empty(), "all three live");
    assert_eq!(log.verification(KnownLog::default()).living, [1, 2, 3].into());
    let [first, second, third] = starts.try_into().unwrap();
    first.1.unwrap().ended();
    // The system releases the lock of a killed process in the same way.
    drop(second.1);
    // A process that another test starts at this moment holds the lock, too, until its program begins.
    while log.verification(KnownLog::default()).living.contains(&2) {
        thread::yield_now();
    }
    assert_eq!(log.verification(KnownLog::default()).living, [3].into());
    let found = || {
        loop {
            match journal.abandoned(9).unwrap() {
                none if none.is_empty() => thread::yield_now(),
                some => return some,
            }
        }
    };
    let abandoned = found();
    assert_eq!(abandoned.iter().map(|one| one.about.run).collect::<Vec<_>>(), [2]);
    assert!(journal.abandoned(9).unwrap().is_empty(), "somebody records it already");
    drop(abandoned);
    assert_eq!(found().len(), 1, "who was killed meanwhile, and the next one does it");
    found().into_iter().for_each(smcp_audit::Abandoned::recorded);
    assert_eq!(fs::read_dir(log.path("audit.running")).unwrap().count(), 1);
    drop(third);
}

#[test]
fn what_is_beside_the_log_and_not_whole_or_not_ours_harms_nothing() {
    let log = Log::new();
    let journal = log.journal();
    let (_, running) = journal.append_start(&entry("start"), about).unwrap();
    drop(running);
    let files = [("0123456789abcdef.json", ""), ("0123456789abcde0.json", "{\"run\": 1"), ("notes.txt", "mine")];
    for (name, text) in files {
        log.write(&format!("audit.running/{name}"), text);
    }
    fs::create_dir(log.path("audit.running/fedcba9876543210.json")).unwrap();
    std::os::unix::fs::symlink("../audit.jsonl", log.path("audit.running/1111111111111111.json")).unwrap();
    // Moving the log away also removes the starts.
    fs::remove_file(log.path("audit.jsonl")).unwrap();
    let journal = log.journal();
    assert!(journal.abandoned(9).unwrap().is_empty());
    let mut left: Vec<_> =
        fs::read_dir(log.path("audit.running")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["1111111111111111.json", "fedcba9876543210.json", "notes.txt"]);
    journal.append(&entry("the log goes on")).unwrap();
    assert_eq!(log.records("audit.jsonl").len(), 1);
}
