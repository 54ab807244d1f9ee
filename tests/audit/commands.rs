//! `smcp audit`: its output for people and for machines.

use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;

const LOG: &str = ".mcp/audit.jsonl";

/// A bed with a log of five records: a launch, a block, and a package that does not exist.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "exit 3").facts("official", 3, 95));
    bed.publish(&Package::shell("acme/poor@1.0.0", "").facts("community", 1, 35));
    bed.run("run acme/tool@1.0.0").exits(3);
    bed.run("run acme/poor@1.0.0").exits(4);
    bed.run("policy check acme/none@1.0.0").exits(2);
    bed
}

#[test]
fn the_newest_records_have_a_line_each() {
    let bed = bed();
    let ran = bed.run("audit tail -n 4").succeeds().silent();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{ran}");
    let words = |line: usize| lines[line].split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(0), ["RECORD", "TIME", "EVENT", "PACKAGE", "RESULT", "REASON"]);
    let but_time = |line: usize| [&words(line)[..1], &words(line)[2..]].concat();
    assert_eq!(but_time(1), ["2", "start", "acme/tool@1.0.0", "started"]);
    assert_eq!(but_time(2), ["3", "end", "acme/tool@1.0.0", "exit", "3"]);
    // The violation that blocks it, not the remark of a policy before.
    assert_eq!(but_time(3)[..5], ["4", "decision", "acme/poor@1.0.0", "block", "score:"]);
    assert!(lines[3].ends_with("(and 2 more)"), "{ran}");
    assert!(lines[4].contains("there is no package `acme/none`"), "{ran}");
    let column = |line: usize, word: &str| lines[line].find(word).unwrap();
    assert_eq!((column(1, "start"), column(3, "decision")), (column(0, "EVENT"), column(0, "EVENT")), "aligned: {ran}");
    assert!(!ran.raw.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn records_are_shown_by_number_run_and_package() {
    let bed = bed();
    let numbers = |line: &str| -> Vec<u64> {
        let document = bed.run(line).succeeds().document();
        assert_eq!(document["schema"], "smcp.audit-records/1");
        let records = document["records"].as_array().unwrap();
        records.iter().map(|found| found["record"]["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers("--json audit show 4"), [4]);
    assert_eq!(numbers("--json audit show --run 1"), [1, 2, 3]);
    assert_eq!(numbers("--json audit show --package acme/tool"), [1, 2, 3]);
    assert_eq!(numbers("--json audit show --package acme/poor@1.0.0"), [4]);
    assert_eq!(numbers("--json audit show --package acme/too"), [0; 0]);
    assert_eq!(numbers("--json audit tail"), [1, 2, 3, 4, 5]);
    let ran = bed.run("audit show 4").succeeds();
    for says in [
        "record     4\n",
        "package    acme/poor@1.0.0\n",
        "result     block\n",
        "reason     score: security score 35 is",
    ] {
        assert!(ran.stdout.contains(says), "{says}: {ran}");
    }
    let end = bed.run("audit show 3").succeeds();
    assert!(end.stdout.contains(" ms\n") && end.stdout.contains("\nended by "), "{end}");
    bed.run("audit show 99").refuses(1, &["no such record"]);
    for line in ["audit show", "audit show 1 --run 1"] {
        bed.run(line).exits(1);
    }
}

#[test]
fn what_was_decided_with_facts_from_the_cache_is_shown_as_that() {
    let bed = bed();
    std::fs::rename(bed.path("registry"), bed.path("elsewhere")).unwrap();
    bed.run("policy check acme/tool@1.0.0").succeeds();
    let ran = bed.run("audit show 6").succeeds();
    assert!(ran.stdout.contains("notice     the facts are from the cache and "), "{ran}");
}

#[test]
fn a_log_that_holds_is_said_to_with_its_head() {
    let bed = bed();
    let ran = bed.run("audit verify").succeeds().silent();
    assert!(ran.stdout.starts_with("✓ the chain of the audit log holds\n"), "{ran}");
    let document = bed.run("--json audit verify").succeeds().document();
    assert_eq!((&document["intact"], &document["records"]), (&json!(true), &json!(5)));
    let last = bed.read(LOG).lines().last().unwrap().to_owned() + "\n";
    let head = smcp_model::digest::Digest::of(last.as_bytes());
    assert_eq!(document["head"], json!({"seq": 5, "digest": head}));
    bed.run(&format!("audit verify --head {head}")).succeeds();
    bed.run("audit verify --head sha256:12").refuses(1, &["is not a digest"]);
    // The records of the noted head are missing.
    bed.write(LOG, bed.read(LOG).replace(&last, ""));
    bed.run("audit verify").succeeds();
    let ran = bed.run(&format!("audit verify --head {head}")).exits(3).silent();
    assert!(ran.stdout.contains("no record has the digest sha256:"), "{ran}");
}

#[test]
fn a_log_that_was_changed_is_an_integrity_error_with_the_line() {
    let bed = bed();
    bed.write(LOG, bed.read(LOG).replacen("\"decision\":\"block\"", "\"decision\":\"pass\"", 1));
    let ran = bed.run("audit verify").exits(3).silent();
    assert!(ran.stdout.starts_with("✗ the audit log is not what its writers left\n"), "{ran}");
    assert!(ran.stdout.contains("audit.jsonl, line 5: its `prev` is sha256:[DIGEST]"), "{ran}");
    assert!(ran.stdout.contains("line 4 was changed, or this one"), "{ran}");
    let document = bed.run("--json audit verify").exits(3).document();
    assert_eq!((&document["exit_code"], &document["breaks"][0]["line"]), (&json!(3), &json!(5)));
}

#[test]
fn files_elsewhere_are_verified_by_name() {
    let bed = bed();
    let text = bed.read(LOG);
    let (first, rest) = text.split_at(text.match_indices('\n').nth(1).unwrap().0 + 1);
    bed.write("old/a.jsonl", first);
    bed.write("old/b.jsonl", rest);
    bed.run("audit verify old/a.jsonl old/b.jsonl").succeeds();
    bed.run("audit verify old/b.jsonl").exits(3);
    let head = smcp_model::digest::Digest::of(first.split_inclusive('\n').next_back().unwrap().as_bytes());
    bed.run(&format!("audit verify old/b.jsonl --after {head}")).succeeds();
    bed.run("audit verify old/none.jsonl").refuses(1, &["while opening old/none.jsonl"]);
}
