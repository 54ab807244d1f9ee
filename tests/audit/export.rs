//! `audit export`: every record once, whatever ends the exporter.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::fs::symlink;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use smcp_model::digest::Digest;

const LOG: &str = ".mcp/audit.jsonl";

/// A bed with a log of every kind of record: a start with its end, a check, refusals of two kinds, a failure.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}\n");
    bed.publish(&Package::shell("acme/tool@1.0.0", "exit 3").good());
    bed.publish(&Package::shell("acme/low@1.0.0", "").facts("community", 0, 50));
    bed.run("run acme/tool@1.0.0").exits(3);
    bed.run("policy check acme/tool@1.0.0").succeeds();
    bed.run("run acme/low@1.0.0").exits(4);
    bed.run("run acme/missing@1.0.0").exits(2);
    bed
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_record_is_an_event_with_the_digest_of_its_line() {
    let bed = bed();
    let log = bed.read(LOG);
    let events = events(&bed.run("audit export --format ocsf").succeeds().raw);
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let of = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
            let policies = event["authorizations"].as_array().map_or(0, Vec::len);
            (of("activity_name"), of("status"), of("action"), policies, event["app"]["name"].clone())
        })
        .collect();
    let row = |activity: &str, status: &str, action: &str, policies: usize, name: &str| {
        (activity.to_owned(), status.to_owned(), action.to_owned(), policies, json!(name))
    };
    let expected = [
        row("Start", "Success", "Allowed", 3, "acme/tool"),
        row("Start", "Success", "Allowed", 0, "acme/tool"),
        row("Stop", "Failure", "-", 0, "acme/tool"),
        row("Check", "Success", "Allowed", 3, "acme/tool"),
        row("Start", "Failure", "Denied", 3, "acme/low"),
        row("Start", "Failure", "Denied", 0, "acme/missing"),
    ];
    assert_eq!(told, expected);
    for (line, event) in log.split_inclusive('\n').zip(&events) {
        let (record, digest): (Value, _) = (serde_json::from_str(line).unwrap(), Digest::of(line.as_bytes()));
        assert_eq!(event["metadata"]["uid"], json!(digest));
        assert_eq!(event["raw_data_hash"]["value"], json!(digest.hex()));
        assert_eq!((&event["category_uid"], &event["category_name"]), (&json!(6), &json!("Application Activity")));
        assert_eq!((&event["metadata"]["sequence"], &event["unmapped"]["prev"]), (&record["seq"], &record["prev"]));
    }
    assert_eq!(events[4]["status_code"], "score/score-below-minimum");
    assert_eq!(bed.run("audit export --format jsonl").succeeds().raw, log, "the records as they are");
}

#[test]
fn what_refuses_is_the_reason_and_not_what_only_warns() {
    let bed = bed();
    bed.configure("policy: {allowed_origins: [official], origin_mode: warn, min_score: 80}\n");
    bed.run("policy check acme/low@1.0.0").exits(4);
    let events = events(&bed.run("audit export --format ocsf --since 1d").succeeds().raw);
    let event = events.last().unwrap();
    assert_eq!(event["authorizations"][0]["decision"], "warn", "it comes first");
    assert_eq!(event["status_code"], "score/score-below-minimum");
    assert!(event["status_detail"].as_str().unwrap().contains("50"), "{event}");
    let message = event["message"].as_str().unwrap();
    assert!(message.ends_with("is refused: score/score-below-minimum, origin/origin-not-allowed"), "{message}");
    let shown = bed.run("audit tail -n 1").succeeds();
    assert!(shown.stdout.contains("score: ") && !shown.stdout.contains("origin: "), "{shown}");
}

#[test]
fn a_time_counts_to_the_millisecond() {
    let bed = bed();
    let log = bed.read(LOG);
    let lines: Vec<_> = log.split_inclusive('\n').collect();
    let record: Value = serde_json::from_str(lines[3]).unwrap();
    let time = record["time"].as_str().unwrap();
    let exported = bed.run(&format!("audit export --format jsonl --since {time}")).succeeds().raw;
    let expected: String = lines
        .iter()
        .filter(|line| serde_json::from_str::<Value>(line).unwrap()["time"].as_str().unwrap() >= time)
        .copied()
        .collect();
    assert_eq!(exported, expected);
    assert!(exported.len() < log.len(), "the first is older");
}

#[test]
fn an_exporter_that_is_started_again_neither_loses_nor_repeats() {
    let bed = bed();
    let export = || bed.run("audit export --format jsonl --cursor cursor").succeeds().raw;
    let mut exported = export();
    assert_eq!((exported.as_str(), export().as_str()), (bed.read(LOG).as_str(), ""));
    bed.run("policy check acme/tool@1.0.0").succeeds();
    fs::rename(bed.path(LOG), bed.path(".mcp/audit-000001.jsonl")).unwrap();
    bed.run("policy check acme/tool@1.0.0").succeeds();
    exported += &export();
    // Files that were read to their end may be moved away.
    fs::rename(bed.path(".mcp/audit-000001.jsonl"), bed.path("archived.jsonl")).unwrap();
    assert_eq!(export(), "");
    bed.run("policy check acme/tool@1.0.0").succeeds();
    // What is no record is handed on, too, once.
    bed.write(LOG, bed.read(LOG) + "damaged\n");
    exported += &export();
    assert_eq!(export(), "");
    assert_eq!(exported, bed.read("archived.jsonl") + &bed.read(LOG));
    let events = events(&bed.run("audit export --format ocsf").succeeds().raw);
    let (damaged, before) = (&events[events.len() - 1], &events[events.len() - 2]);
    assert_eq!(
        (&damaged["activity_name"], damaged["message"].as_str()),
        (&json!("Unknown"), Some("a line of the audit log can't be read: it is not JSON: expected value at column 1"))
    );
    assert!(damaged["time"].as_u64().unwrap() >= before["time"].as_u64().unwrap() / 1000 * 1000, "it was found now");
    let since = |time: &str| bed.run(&format!("audit export --format jsonl --since {time}")).succeeds().raw;
    assert_eq!((since("9999-01-01").as_str(), since("1d").as_str()), ("damaged\n", bed.read(LOG).as_str()));
}

#[test]
fn a_log_that_does_not_have_the_record_of_the_cursor_is_an_error() {
    let bed = bed();
    let export = || bed.run("audit export --format jsonl --cursor cursor");
    export().succeeds();
    let (log, cursor) = (bed.read(LOG), bed.read("cursor"));
    // Written anew, with other records in the same places.
    fs::remove_file(bed.path(LOG)).unwrap();
    for _ in 0..7 {
        bed.run("policy check acme/tool@1.0.0").succeeds();
    }
    export().exits(3).says(&["the log has no record 6", "another cursor"]).prints("");
    fs::remove_file(bed.path(LOG)).unwrap();
    export().exits(3).prints("");
    assert_eq!(bed.read("cursor"), cursor, "the cursor stays");
    bed.write(LOG, log);
    export().succeeds();
    bed.write("cursor", "{}");
    export().exits(1).says(&["the cursor", "can't be used"]).prints("");
}

#[test]
fn who_follows_gets_what_is_added_and_goes_on_after_a_signal() {
    let bed = bed();
    let mut seen = String::new();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut child = bed.smcp("audit export --format jsonl --follow --cursor cursor").start();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        bed.run("policy check acme/tool@1.0.0").succeeds();
        let whole = bed.read(LOG);
        while seen.len() < whole.len() {
            assert!(output.read_line(&mut seen).unwrap() > 0, "it ended early");
        }
        assert_eq!(seen, whole);
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        child.wait().unwrap();
    }
    assert_eq!(bed.run("audit export --format jsonl --cursor cursor").succeeds().raw, "");
}

#[test]
fn a_cursor_that_can_not_be_kept_is_told_before_the_first_record() {
    let bed = bed();
    fs::create_dir(bed.path("folder")).unwrap();
    for cursor in ["nowhere/cursor", "folder", "/proc/cursor", "/dev/null"] {
        let ran = bed.run(&format!("audit export --format jsonl --cursor {cursor}")).exits(1).prints("");
        ran.says(&["the cursor", cursor, "can't be used"]);
    }
    bed.write("cursor", "");
    symlink(bed.path("cursor"), bed.path("link")).unwrap();
    bed.run("audit export --format jsonl --cursor link").succeeds();
    assert!(fs::symlink_metadata(bed.path("link")).unwrap().is_symlink(), "a link stays one");
    assert_eq!(bed.run("audit export --format jsonl --cursor cursor").succeeds().raw, "");
}

#[test]
fn a_cursor_has_one_exporter_at_a_time() {
    let bed = bed();
    let mut first = bed.smcp("audit export --format jsonl --follow --cursor cursor").start();
    let mut output = BufReader::new(first.stdout.take().unwrap());
    let mut seen = String::new();
    // As often as it has put a new file in the place of the old one.
    for _ in 0..3 {
        bed.run("policy check acme/tool@1.0.0").succeeds();
        let whole = bed.read(LOG);
        while seen.len() < whole.len() {
            assert!(output.read_line(&mut seen).unwrap() > 0, "it ended early");
        }
        for follow in ["", "--follow"] {
            let second = bed.run(&format!("audit export --format jsonl --cursor cursor {follow}")).exits(1).prints("");
            second.says(&["the cursor", "another export goes by it"]);
        }
        bed.smcp("audit export --format jsonl --cursor other").run().succeeds();
    }
    kill(Pid::from_raw(first.id().cast_signed()), Signal::SIGKILL).unwrap();
    first.wait().unwrap();
    bed.run("audit export --format jsonl --cursor cursor").succeeds();
}

/// What its reader has not taken comes again: nothing in a pipe that is closed is lost, and not much is repeated.
#[test]
fn who_leaves_in_the_middle_gets_the_rest_later() {
    let bed = bed();
    let line = |number: usize| format!("no record {number:06} {}\n", "x".repeat(1000));
    let more: String = (0..4000).map(line).collect();
    bed.write(LOG, bed.read(LOG) + &more);
    let whole = bed.read(LOG);
    let mut seen = String::new();
    for lines in [300, 300, 2000] {
        let mut child = bed.smcp("audit export --format jsonl --cursor cursor").start();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut part = String::new();
        for _ in 0..lines {
            output.read_line(&mut part).unwrap();
        }
        // What its buffer has is out of the pipe, too.
        part += str::from_utf8(output.buffer()).unwrap();
        drop(output);
        child.wait().unwrap();
        // It goes on where this one had come to, or before that, by no more than the pipe has room for.
        let begins = whole.find(part.lines().next().unwrap()).unwrap();
        assert!(begins <= seen.len(), "lost: {begins} of {}", seen.len());
        assert!(seen.len() - begins < 200_000, "repeated: {begins} of {}", seen.len());
        assert!(whole[begins..].starts_with(&part));
        seen.truncate(begins);
        seen += &part;
    }
    let rest = bed.run("audit export --format jsonl --cursor cursor").succeeds().raw;
    assert!(whole.ends_with(&rest) && seen.len() + rest.len() >= whole.len());
}
