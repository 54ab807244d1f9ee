//! `smcp policy replay` of a log: its files, its parts, its damage.

use serde_json::json;

use crate::replay::LOG;
use crate::replay::bed;
use crate::replay::rechained;
use smcp_model::digest::Digest;

#[test]
fn a_log_of_which_the_oldest_file_is_elsewhere_begins_after_it_everywhere() {
    let bed = bed();
    for package in ["good", "fair", "good"] {
        bed.run(&format!("policy check acme/{package}@1.0.0")).exits(0);
    }
    let whole = bed.read(LOG);
    let (first, rest) = whole.split_at(whole.find('\n').unwrap() + 1);
    bed.write(LOG, rest);
    let after = Digest::of(first.as_bytes());
    bed.write("new.yaml", "policy: {min_score: 80}\n");
    let diff = "policy diff --from new.yaml --to new.yaml --catalog audit";
    for (line, code) in [
        ("audit verify", 3),
        ("policy replay", 3),
        ("policy replay --since 2d", 3),
        ("policy replay --record 2", 3),
        ("policy explain --record 2", 3),
        (diff, 2),
    ] {
        let ran = bed.run(line).exits(code);
        assert!(ran.stdout.contains("with --after") || ran.stderr.contains("with --after"), "{ran}");
        bed.run(&format!("{line} --after {after}")).exits(0);
        bed.run(&format!("{line} --after {}", Digest::ZERO)).exits(code);
    }
    for (line, says) in [
        ("policy replay --record lines.jsonl", "--after is about the audit log"),
        ("policy diff --from new.yaml --to new.yaml --catalog registry", "--after is about the audit log"),
        ("policy explain acme/good@1.0.0", "cannot be used with"),
    ] {
        bed.run(&format!("{line} --after {after}")).refuses(1, &[says]);
    }
}

#[test]
fn files_that_were_put_aside_are_read_too() {
    let bed = bed();
    bed.run("policy check acme/good@1.0.0").exits(0);
    let first = bed.read(LOG);
    bed.run("policy check acme/fair@1.0.0").exits(0);
    bed.write(LOG, bed.read(LOG).strip_prefix(&first).unwrap());
    bed.write(".mcp/audit-000001.jsonl", first);
    let document = bed.run("policy replay --json").exits(0).document();
    assert_eq!((&document["replay"]["decisions"], &document["replay"]["breaks"]), (&json!(2), &json!([])));
}

#[test]
fn damage_is_told_and_never_taken_for_a_result() {
    let bed = bed();
    bed.run("policy check acme/good@1.0.0").exits(0);
    bed.run("policy check acme/fair@1.0.0").exits(0);
    let whole = bed.read(LOG);
    // The writer was killed within its line: the next one replaces it.
    bed.write(LOG, format!("{whole}{{\"schema\":\"smcp.audit/1\",\"seq\":3,\"pr"));
    let torn = bed.run("policy replay").exits(0);
    assert!(torn.stdout.contains("note:") && torn.stdout.contains("was never finished"), "{torn}");
    // Somebody has changed a line, or put another between.
    bed.write(LOG, whole.replacen("\"pass\"", "\"warn\"", 1));
    let changed = bed.run("policy replay").exits(1);
    assert!(changed.stdout.contains("damaged:") && changed.stdout.contains("was changed, or this one"), "{changed}");
    bed.write(LOG, whole.replacen('\n', "\nno record\n", 1));
    let inserted = bed.run("policy replay").exits(3);
    assert!(inserted.stdout.contains("line 2: it is not a record"), "{inserted}");
    assert!(inserted.stdout.starts_with("✗ the records are damaged; of those that could be read: all"), "{inserted}");
    assert!(changed.stdout.starts_with("✗ the records are damaged"), "{changed}");
    let document = bed.run("policy replay --json").exits(3).document();
    assert_eq!(document["replay"]["breaks"][0]["line"], 2, "{document}");
    // Another version's document is no damage.
    bed.write(LOG, format!("{whole}{{\"schema\":\"smcp.audit/9\",\"of\":\"the future\"}}\n"));
    let future = bed.run("policy replay").exits(0);
    assert!(future.stdout.contains("1 record is of other schemas, and passed over"), "{future}");
    bed.write("lines.jsonl", format!("{whole}{{\"torn"));
    bed.run("policy replay --record lines.jsonl").exits(3);
}

#[test]
fn one_record_is_believed_only_where_the_chain_holds() {
    let bed = bed();
    for _ in 0..3 {
        bed.run("policy check acme/good@1.0.0").exits(0);
    }
    let whole = bed.read(LOG);
    bed.run("policy replay --record 2").exits(0);
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    let forged = lines[1].replace("\"score\":", "\"score\": ");
    bed.write(LOG, [lines[0], &forged, lines[2]].concat());
    for number in [1, 2, 3] {
        let ran = bed.run(&format!("policy replay --record {number}")).exits(3);
        assert!(ran.stdout.contains("audit.jsonl, line 3: its `prev` is"), "{ran}");
        bed.run(&format!("policy explain --record {number}")).exits(3).says(&["is damaged", "line 3"]);
    }
    bed.write(LOG, [lines[0], lines[2]].concat());
    bed.run("policy replay --record 2").exits(3);
    bed.write("empty.jsonl", "\n");
    bed.run("policy replay --record empty.jsonl").exits(2).says(&["empty.jsonl has no record"]);
}

#[test]
fn a_part_of_the_log_is_chosen_by_time_or_number() {
    let bed = bed();
    bed.run("policy check acme/good@1.0.0").exits(0);
    bed.run("policy check acme/fair@1.0.0").exits(0);
    rechained(&bed, |number, record| {
        record["time"] = format!("2026-0{number}-01T00:00:00.000Z").into();
    });
    let decisions =
        |line: &str| bed.run(&format!("policy replay --json {line}")).document()["replay"]["decisions"].clone();
    for (line, expected) in [
        ("", 2),
        ("--since 2026-01-01", 2),
        ("--since 2026-01-15", 1),
        ("--since 2026-02-01T00:00:00Z", 1),
        ("--since 2026-02-01T00:00:01Z", 0),
        ("--since 99y", 2),
        ("--record 2", 1),
        ("--since 2026-02-01T00:00:00.001Z", 0),
        ("--since 2026-01-31T23:59:59.9Z", 1),
    ] {
        assert_eq!(decisions(line), expected, "{line}");
    }
    // Nothing was asked for, and nothing is wrong.
    bed.run("policy replay --since 1s").exits(0);
    bed.run("policy replay --since yesterday").refuses(1, &["expected a time such as", "so long ago, such as 30d"]);
    bed.run("policy replay --since 3d --record 1").refuses(1, &["cannot be used with"]);
    bed.run("policy replay --record 3").refuses(1, &["has no record 3"]);
}
