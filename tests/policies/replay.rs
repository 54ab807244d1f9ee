//! `smcp policy replay`: recorded decisions, made again.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::guest::Twin;
use smcp_model::digest::Digest;

/// A policy that objects to everything.
const ALWAYS: &str = "(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))";
pub(crate) const LOG: &str = ".mcp/audit.jsonl";

pub(crate) fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 50}\n");
    bed.publish(&Package::shell("acme/good@1.0.0", "echo runs").good());
    bed.publish(&Package::shell("acme/fair@1.0.0", "echo runs").facts("verified", 2, 70));
    bed.publish(&Package::shell("acme/poor@1.0.0", "echo runs").facts("community", 0, 35));
    bed
}

pub(crate) fn with(bed: &TestBed, policy: &str) {
    bed.write("other.yaml", format!("registry_url: ~/registry\npolicy: {policy}\n"));
}

/// Writes a log again from records that somebody changed, with a chain that holds.
pub(crate) fn rechained(bed: &TestBed, change: impl Fn(u64, &mut Value)) {
    let (mut log, mut prev) = (String::new(), Digest::ZERO.to_string());
    for (line, number) in bed.read(LOG).lines().zip(1..) {
        let mut record: Value = serde_json::from_str(line).unwrap();
        change(number, &mut record);
        record["prev"] = prev.into();
        let line = format!("{record}\n");
        prev = Digest::of(line.as_bytes()).to_string();
        log += &line;
    }
    bed.write(LOG, log);
}

#[test]
fn what_was_seen_shows_what_a_stricter_rule_would_do() {
    let bed = bed();
    for _ in 0..3 {
        bed.run("run acme/fair@1.0.0").exits(0);
    }
    bed.run("run acme/good@1.0.0").exits(0);
    bed.run("policy check acme/poor@1.0.0").exits(4);
    let same = bed.run("policy replay").exits(0).silent();
    assert_eq!(same.stdout, "✓ all decisions would come out the same (5)\n", "{same}");

    with(&bed, "{min_score: 80}");
    let ran = bed.run("policy replay --with other.yaml").exits(1);
    assert!(ran.stdout.starts_with("✗ 3 of 5 decisions would come out otherwise, for 1 package\n"), "{ran}");
    let document = bed.run("policy replay --with other.yaml --json").exits(1).document();
    let summary = json!({"packages": 3, "newly_blocked": 1, "newly_asked": 0, "newly_warned": 0, "newly_allowed": 0,
        "unchanged": 2});
    assert_eq!((&document["schema"], &document["summary"]), (&json!("smcp.diff/1"), &summary));
    let change = &document["changes"][0];
    assert_eq!(
        json!([change["package"], change["from"], change["to"], change["times"], change["starts"]]),
        json!(["acme/fair@1.0.0", "pass", "block", 3, 3])
    );
    assert_eq!(change["policies"][0]["to"]["codes"], json!(["score-below-minimum"]));
    assert_eq!(document["replay"]["passed_over"]["events"], 8, "starts and ends");

    with(&bed, "{min_score: 10}");
    let document = bed.run("policy replay --with other.yaml --json").exits(1).document();
    assert_eq!(document["summary"]["newly_allowed"], 1);
    assert!(bed.read(LOG).lines().count() == 13, "nothing was recorded");
}

#[test]
fn a_start_counts_for_the_decision_that_it_followed() {
    let bed = bed();
    bed.run("run acme/good@1.0.0").exits(0);
    bed.run("run acme/good@1.0.0").exits(0);
    bed.configure("policy: {custom: [{name: net, source: net.wasm}]}\n");
    bed.write(".mcp/net.wasm", Twin::honest().component());
    for _ in 0..3 {
        bed.run("run acme/good@1.0.0").exits(0);
    }
    bed.run("policy check acme/good@1.0.0").exits(0);
    bed.write("never.wasm", Twin::honest().with(ALWAYS).component());
    with(&bed, "{custom: [{name: net, source: never.wasm}]}");
    let of = |document: Value| -> Vec<Value> {
        let changes = document["changes"].as_array().unwrap().iter();
        changes.map(|it| json!([it["policies"][0]["from"]["effect"], it["times"], it["starts"]])).collect()
    };
    let expected = [json!([null, 2, 2]), json!(["pass", 4, 3])];
    let mut found = of(bed.run("policy replay --with other.yaml --json").exits(1).document());
    found.sort_by_key(|row| row[1].as_u64());
    assert_eq!(found, expected);
    let ran = bed.run("policy replay --with other.yaml").exits(1);
    assert!(ran.stdout.contains("net new → block") && ran.stdout.contains("net pass → block"), "{ran}");
    // Of records from elsewhere, too.
    bed.write("lines.jsonl", bed.read(LOG));
    let mut found = of(bed.run("policy replay --record lines.jsonl --with other.yaml --json").exits(1).document());
    found.sort_by_key(|row| row[1].as_u64());
    assert_eq!(found, expected);
}

#[test]
fn where_nothing_was_decided_there_is_no_success() {
    let bed = bed();
    bed.run("policy replay").exits(2).says(&["the audit log has no decision"]);
    bed.write("catalogue.jsonl", "{\"name\": \"a\"}\n{\"name\": \"b\"}\n");
    let damaged = bed.run("policy replay --record catalogue.jsonl").exits(3);
    assert!(damaged.stdout.contains("catalogue.jsonl, line 2: it is not a record: it has no `schema`"), "{damaged}");
    for text in ["{\"a\": 1}", "[1]", "{\"records\": [{\"a\": 1}]}", "{\"schema\": 1}"] {
        bed.write("other.json", text);
        bed.run("policy replay --record other.json").exits(3);
    }
    bed.write("other.json", "{\"schema\": \"smcp.audit/9\"}\n{\"schema\": \"smcp.audit/9\"}\n");
    let ran = bed.run("policy replay --record other.json").exits(2);
    ran.says(&["other.json has no decision", "documents of other schemas: 2"]);
    bed.write("other.json", "{\"records\": []}");
    bed.run("policy replay --record other.json").exits(2);
    bed.run("run acme/good@1.0.0").exits(0);
    bed.run("policy replay --record 2").refuses(1, &["record 2 is no decision"]);
    let many: String = (0..150).map(|_| "{}\n").collect();
    bed.write("many.jsonl", many);
    let replay = bed.run("policy replay --record many.jsonl --json").exits(3).document()["replay"].clone();
    assert_eq!((replay["breaks"].as_array().unwrap().len(), &replay["more_breaks"]), (100, &json!(50)));
}

#[test]
fn a_component_that_is_missing_is_named_with_the_reason() {
    let bed = bed();
    bed.run("policy check acme/good@1.0.0").exits(0);
    with(&bed, "{custom: [{name: gone, source: gone.wasm}]}");
    let ran = bed.run("policy replay --with other.yaml").exits(1);
    assert!(ran.stderr.contains("policy `gone` of CONFIG fails: "), "{ran}");
    assert_eq!(ran.stderr.matches("gone.wasm").count(), 1, "{ran}");
}

#[test]
fn a_policy_that_was_replaced_is_asked_as_it_was() {
    let bed = bed();
    bed.configure("policy: {custom: [{name: mine, source: mine.wasm}]}\n");
    bed.write(".mcp/mine.wasm", Twin::honest().component());
    bed.run("policy check acme/good@1.0.0").exits(0);
    bed.write(".mcp/mine.wasm", Twin::honest().with(ALWAYS).component());
    bed.run("policy check acme/good@1.0.0").exits(4);
    // The first is compiled code in the cache by now, and nothing else.
    bed.run("policy replay").exits(0);
    let document = bed.run("policy replay --with .mcp/config.yaml --json").exits(1).document();
    assert_eq!(document["summary"]["newly_blocked"], 1, "{document}");

    bed.run("cache rm --all").exits(0);
    let ran = bed.run("policy replay").exits(1);
    assert!(
        ran.stdout.starts_with("! 1 record could not be decided again; 1 decision would come out the same"),
        "{ran}"
    );
    assert!(ran.stdout.contains("the component of policy `mine` (user layer,"), "{ran}");
    assert!(ran.stdout.contains("is not known any more"), "{ran}");
    bed.run("policy explain --record 1").refuses(1, &["record 1 can't be explained", "is not known any more"]);
}

#[test]
fn time_trust_and_facts_are_those_of_the_record() {
    let bed = bed();
    let rules = "{min_score: 50, exceptions: [{package: acme/poor, policies: [score], reason: r, until: 2026-12-31}]}";
    bed.configure(&format!("policy: {rules}\n"));
    bed.run("policy check acme/poor@1.0.0").exits(if today_is_before_2027() { 0 } else { 4 });
    rechained(&bed, |_, record| {
        record["request"]["context"]["evaluated_at"] = json!(1_780_000_000);
    });
    with(&bed, rules);
    // It is over by the clock of a later time, and in force at that of the record.
    bed.run("policy replay --with other.yaml").exits(if today_is_before_2027() { 0 } else { 1 });

    bed.configure("policy: {min_score: 50, score_mode: warn}\n");
    bed.run("policy check --trust acme/poor@1.0.0").exits(0);
    bed.run("policy check acme/poor@1.0.0").exits(4);
    std::fs::remove_dir_all(bed.path("registry")).unwrap();
    with(&bed, "{min_score: 50, score_mode: warn}");
    let document = bed.run("policy replay --with other.yaml --json").document();
    assert_eq!(document["replay"]["undecided"], json!([]));
    assert_eq!(document["replay"]["decisions"], 3);
}

fn today_is_before_2027() -> bool {
    std::time::SystemTime::now() < std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_798_761_600)
}

#[test]
fn a_record_from_elsewhere_is_decided_like_one_of_ours() {
    let (theirs, ours) = (bed(), bed());
    theirs.run("policy check acme/fair@1.0.0").exits(0);
    theirs.run("policy check acme/good@1.0.0").exits(0);
    ours.write("lines.jsonl", theirs.read(LOG));
    ours.write("shown.json", &theirs.run("--json audit show --package acme/fair").exits(0).raw);
    with(&ours, "{min_score: 80}");
    for (file, decisions) in [("lines.jsonl", 2), ("shown.json", 1)] {
        let document = ours.run(&format!("policy replay --record {file} --with other.yaml --json")).exits(1).document();
        assert_eq!((&document["replay"]["decisions"], &document["replay"]["changed"]), (&json!(decisions), &json!(1)));
    }
}

#[test]
fn a_record_that_can_not_be_meant_is_said_and_the_others_are_decided() {
    let bed = bed();
    for _ in 0..4 {
        bed.run("policy check acme/good@1.0.0").exits(0);
    }
    rechained(&bed, |number, record| match number {
        // No facts that a package can have; a digest of nothing; a pin that does not fit what was loaded.
        1 => record["request"]["subject"]["score"] = json!(1000),
        2 => record["policies"][0]["digest"] = Digest::ZERO.to_string().into(),
        3 => record["policies"][0]["pin"] = Digest::ZERO.to_string().into(),
        _ => {}
    });
    let ran = bed.run("policy replay").exits(1);
    for words in [
        "! 3 records could not be decided again; 1 decision would come out the same",
        "record 1 can't be read",
        "the component of policy `origin` (user layer, built-in) with the digest sha256:",
        "but the configuration pins",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {ran}");
    }
}

/// Whoever hands over a record decides nothing about how long, or in how much memory, a policy may run here.
#[test]
fn a_record_gives_no_policy_more_than_a_configuration_could() {
    let bed = bed();
    bed.configure("policy: {custom: [{name: spins, source: spins.wasm, limits: {time: 50ms}}]}\n");
    bed.write(".mcp/spins.wasm", Twin::counting("limit-memory", 8193).component());
    bed.run("policy check acme/good@1.0.0").exits(4);
    rechained(&bed, |_, record| {
        record["policies"][3]["limits"]["memory"] = json!(u64::MAX);
        record["policies"][3]["limits"]["time_us"] = json!(u64::MAX);
        record["policies"][3]["limits"]["component_size"] = json!(u64::MAX);
    });
    // One page more than the ceiling is too much still.
    bed.run("policy replay").exits(0);
}

#[test]
fn hostile_text_in_a_record_stays_text() {
    let bed = bed();
    bed.run("policy check acme/fair@1.0.0").exits(0);
    let hostile = "acme/x\u{1b}[2J\u{202e}@1\n✓ all decisions would come out the same (1)";
    rechained(&bed, |_, record| {
        record["package"] = hostile.into();
        record["decision"]["package"] = hostile.into();
        record["policies"][0]["source"] = hostile.into();
        record["request"]["subject"]["name"] = hostile.into();
    });
    with(&bed, "{min_score: 80}");
    for line in ["policy replay", "policy replay --with other.yaml", "policy replay --with other.yaml --json"] {
        let ran = bed.run(line).exits(1);
        assert!(!ran.raw.contains(['\u{1b}', '\u{202e}']), "{ran}");
        assert!(!ran.stdout.lines().any(|line| line.starts_with('✓')), "{ran}");
    }
}

#[test]
fn refusals_before_any_policy_have_nothing_to_ask_about() {
    let bed = bed();
    bed.write("facts.json", r#"{"status": "revoked"}"#);
    bed.run("policy eval --facts facts.json").exits(4);
    let document = bed.run("policy replay --json").exits(0).document();
    // The status refuses it again.
    assert_eq!((&document["replay"]["decisions"], &document["replay"]["changed"]), (&json!(1), &json!(0)));
    rechained(&bed, |_, record| {
        record["request"]["subject"].as_object_mut().unwrap().remove("status");
        record["decision"]["refusal"]["code"] = "integrity".into();
    });
    let document = bed.run("policy replay --json").exits(0).document();
    assert_eq!(document["replay"]["passed_over"]["before_policies"], 1, "{document}");
}

#[test]
fn a_package_is_counted_once_however_often_it_was_decided() {
    let bed = bed();
    bed.run("policy check acme/fair@1.0.0").exits(0);
    bed.configure("policy: {min_score: 75}\n");
    bed.run("policy check acme/fair@1.0.0").exits(4);
    with(&bed, "{min_score: 80}");
    let document = bed.run("policy replay --with other.yaml --json").exits(1).document();
    assert_eq!(document["summary"]["packages"], 1, "{document}");
}

/// A policy that does not answer is nobody's rule: the record can't be decided by it.
#[test]
fn a_policy_that_does_not_come_to_an_end_decides_nothing() {
    let bed = bed();
    bed.run("policy check acme/good@1.0.0").exits(0);
    bed.write("spins.wasm", Twin::of("evaluate-spins").component());
    with(&bed, "{custom: [{name: spins, source: spins.wasm, limits: {time: 20ms}}]}");
    let ran = bed.run("policy replay --with other.yaml").exits(1);
    assert!(ran.stdout.contains("policy spins had no answer in its time"), "{ran}");
}

/// What is only compared is asked again; a policy that never answers is no rule, and nothing is said quietly.
#[test]
fn a_comparison_with_a_policy_that_does_not_come_to_an_end_is_no_success() {
    let bed = bed();
    bed.write("spins.wasm", Twin::of("evaluate-spins").component());
    bed.write("old.yaml", "policy: {min_score: 60}\n");
    with(&bed, "{custom: [{name: spins, source: spins.wasm, limits: {time: 20ms}}]}");
    let package =
        |name| json!({"name": name, "origin": "official", "cert_level": 3, "score": 90, "status": "published"});
    bed.write("catalogue.jsonl", format!("{}\n{}\n", package("a"), package("b")));
    let line = "policy diff --from old.yaml --to other.yaml --catalog catalogue.jsonl --json";
    let [first, second] = [0, 1].map(|_| bed.run(line).exits(2));
    assert!(first.raw.contains("fault-deadline"), "{first}");
    assert_eq!(first.raw, second.raw);
    first.says(&["no answer about 2 packages in their time"]);
}
