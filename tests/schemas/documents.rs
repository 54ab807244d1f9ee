//! Decisions, records and case files, held against `smcp policy schema`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::changed::changed;
use smcp_bed::Schema;
use smcp_model::audit::Event;
use smcp_model::audit::Head;
use smcp_model::digest::Digest;
use smcp_model::record::DeniedCalls;
use smcp_model::record::DeniedHost;
use smcp_model::record::EndRecord;
use smcp_model::record::EndedBy;
use smcp_model::record::HowEnded;
use smcp_model::record::ServerEnd;
use smcp_model::text::SafeText;
use smcp_model::warning::Delivery;

fn schema(bed: &TestBed, line: &str) -> Schema {
    Schema::new(serde_json::from_str(&bed.run(line).succeeds().stdout).unwrap())
}

/// A bed in which every outcome can be had.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure(
        "admin_contact: somebody\npolicy:\n  min_cert_level: 2\n  min_score: 80\n  score_mode: warn\n  custom:\n  \
         - {name: gone, source: gone.wasm, mode: warn, settings: {any: [thing]}}\n  \
         - {name: off, source: off.wasm, mode: disabled}\n  exceptions:\n  \
         - {package: acme/waived, policies: [certification], reason: a ticket, until: 2099-12-31}\n",
    );
    bed.publish(&Package::shell("acme/good@1.0.0", "exit 7").facts("verified", 2, 85).option("--findings", "0,1,4,2"));
    bed.publish(&Package::greeter("acme/poor@1.0.0").facts("community", 0, 35));
    bed.publish(&Package::greeter("acme/waived@1.0.0").facts("verified", 0, 85));
    bed.publish(&Package::greeter("acme/revoked@1.0.0").facts("verified", 2, 85).option("--status", "revoked"));
    bed.publish(&Package::greeter("acme/bare@1.0.0"));
    bed.write("facts.json", r#"{"org": "a", "name": "b", "version": "1.0.0", "git_sha": "c", "maturity_score": 3}"#);
    bed
}

const DECISIONS: [(&str, i32); 8] = [
    ("policy check acme/good@1.0.0", 0),
    ("policy check acme/poor@1.0.0", 4),
    ("policy check acme/waived@1.0.0", 0),
    ("policy check acme/revoked@1.0.0", 4),
    ("policy check acme/bare@1.0.0", 4),
    ("policy check acme/none@1.0.0", 2),
    ("policy eval --facts facts.json", 4),
    ("run --dry-run --trust acme/waived@1.0.0", 0),
];

/// Keys that a document may leave out, by the documents of both.
const MAY_BE_ABSENT: [&str; 17] = [
    "confinement",
    "refusal",
    "believed_by",
    "more",
    "waivers",
    "admin_contact",
    "extensions",
    "context",
    "policies",
    "exceptions",
    "recovered_bytes",
    "duration_ms",
    "left_behind",
    "denied_hosts",
    "denied_calls",
    "subject",
    "manifest",
];

/// Checks that a document is valid, and none that differs from it in one thing. `is_free` as in [`changed`];
/// `may_lack` says of a pointer that what it names may be absent.
#[track_caller]
fn holds(schema: &Schema, document: &Value, is_free: fn(&str) -> bool, may_lack: impl Fn(&str, &str) -> bool) {
    schema.accepts(document);
    for (change, other) in changed(document, is_free) {
        let is_absent = change.removed().is_some_and(|key| {
            let crate::changed::Change::Removed(pointer) = &change else { return false };
            may_lack(pointer, key)
        });
        let problem = schema.problem(&other);
        assert_eq!(problem.is_none(), is_absent, "{change:?} {problem:?}\n{other:#}");
    }
}

fn decision_may_lack(pointer: &str, key: &str) -> bool {
    // The list of all policies is always there; only in a record can that of the configured ones be absent.
    let of_a_record = pointer == "/policies";
    MAY_BE_ABSENT.contains(&key) && (key != "policies" || of_a_record)
}

#[test]
fn every_decision_is_valid_and_nothing_near_it() {
    let bed = bed();
    let schema = schema(&bed, "policy schema decision");
    let mut outcomes = std::collections::BTreeSet::new();
    for (line, code) in DECISIONS {
        let document = bed.run(&format!("{line} --json")).exits(code).document();
        for policy in document["policies"].as_array().unwrap() {
            outcomes.insert(policy["outcome"].as_str().unwrap().to_owned());
        }
        let may_lack = |pointer: &str, key: &str| pointer != "/policies" && decision_may_lack(pointer, key);
        holds(&schema, &document, |_| false, may_lack);
    }
    assert_eq!(Vec::from_iter(outcomes), ["fault", "pass", "skipped", "violation", "waived"]);
}

#[test]
fn every_record_is_valid_and_nothing_near_it() {
    let bed = bed();
    let schema = schema(&bed, "policy schema record");
    for (line, code) in DECISIONS {
        bed.run(line).exits(code);
    }
    let mut child = bed.smcp("run --trust --env A=b acme/good@1.0.0 -- one").start();
    let stdin = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    drop(stdin);
    bed.publish(
        &Package::shell("acme/stuck@1.0.0", "")
            .facts("verified", 2, 85)
            .entrypoint(serde_json::json!({"command": ["not-there-at-all"]})),
    );
    bed.run("run --trust acme/stuck@1.0.0").exits(6);
    let mut kinds = std::collections::BTreeSet::new();
    for line in bed.read(".mcp/audit.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        kinds.insert(format!("{} {}", record["event"], record["outcome"]));
        // Settings are whatever the configuration says; facts that are not known are absent.
        let is_free = |pointer: &str| pointer.contains("/settings");
        let may_lack = |pointer: &str, key: &str| {
            let is_fact = pointer.strip_prefix("/request/subject/").is_some_and(|fact| !fact.contains('/'));
            is_fact || decision_may_lack(pointer, key) && key != "subject" && pointer != "/decision/policies"
        };
        holds(&schema, &record, is_free, may_lack);
    }
    let expected = [r#""decision" null"#, r#""end" "exited""#, r#""end" "failed""#, r#""start" null"#];
    assert_eq!(Vec::from_iter(kinds), expected);
}

#[test]
fn every_way_to_end_has_its_record() {
    let bed = bed();
    let schema = schema(&bed, "policy schema record");
    bed.run("policy check acme/bare@1.0.0").exits(4);
    let mut common: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().next().unwrap()).unwrap();
    for key in ["consent", "decision", "request", "policies", "exceptions"] {
        common.as_object_mut().unwrap().shift_remove(key);
    }
    let end = ServerEnd {
        server_exit_code: None,
        signal: Some(9),
        ended_by: EndedBy::Client,
        exit_code: 137,
        warning: Some(Delivery::Undelivered),
    };
    let start = Head { seq: 3, digest: Digest::of(b"start") };
    let (code, message) = ("timeout".to_owned(), SafeText::new("it took too long"));
    let cases = [
        (Event::End, HowEnded::Exited(end)),
        (Event::End, HowEnded::Signalled(end)),
        (Event::End, HowEnded::ReaperKilled(end)),
        (Event::End, HowEnded::Abandoned { start, message: message.clone() }),
        (Event::End, HowEnded::Failed { code: code.clone(), message: message.clone() }),
        (Event::Failure, HowEnded::Failed { code, message }),
    ];
    for (event, how) in cases {
        let denied_hosts = vec![DeniedHost { host: "evil.example:443".into(), count: 2 }];
        let denied_calls = vec![DeniedCalls { kind: "sockets".into(), count: 1 }];
        let package = "acme/tool@1.0.0".into();
        let (duration_ms, left_behind) = (Some(4), Some(0));
        let body = EndRecord { package, how, duration_ms, left_behind, denied_hosts, denied_calls };
        let mut record = common.clone();
        let members = record.as_object_mut().unwrap();
        members.insert("event".to_owned(), event.as_str().into());
        members.extend(serde_json::to_value(&body).unwrap().as_object().unwrap().clone());
        holds(&schema, &record, |_| false, decision_may_lack);
    }
}

/// Returns every file below a folder that ends in `.yaml` and lies in a folder `cases`.
fn case_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            case_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "yaml") && path.parent().unwrap().ends_with("cases") {
            found.push(path);
        }
    }
}

#[test]
fn every_case_file_of_the_tree_is_valid_and_nothing_near_it() {
    let bed = TestBed::new();
    let schema = schema(&bed, "policy schema");
    let mut files = Vec::new();
    for folder in ["builtin-policies", "examples"] {
        case_files(&Path::new(ROOT).join(folder), &mut files);
    }
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let document: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        schema.accepts(&document);
        // Settings are whatever the policy reads; names of `defaults` are free.
        for (change, other) in changed(&document, |pointer| pointer.contains("/settings")) {
            let near = match &change {
                crate::changed::Change::Added(pointer) => pointer != "/defaults",
                crate::changed::Change::Replaced(_) => true,
                crate::changed::Change::Removed(pointer) => ["name", "expect"].iter().any(|key| {
                    pointer
                        .strip_prefix("/cases/")
                        .and_then(|rest| rest.split_once('/'))
                        .is_some_and(|(_, last)| last == *key)
                }),
            };
            assert!(!near || schema.problem(&other).is_some(), "{} {change:?}", file.display());
        }
    }
}

#[test]
fn the_schema_of_cases_judges_as_the_reader_does() {
    let schema = Schema::new(smcp_policy_cases::schema());
    let case = |rest: &str| format!("cases: [{{name: a, {rest}}}]");
    let texts = [
        String::new(),
        "cases: []".to_owned(),
        "cases: [{name: a}]".to_owned(),
        "cases: [{expect: allow}]".to_owned(),
        "{cases: [{name: a, expect: allow}], defaults: {x: {score: 1}}}".to_owned(),
        "{cases: [{name: a, expect: allow}], defaults: {x: {score: 101}}}".to_owned(),
        "{cases: [{name: a, expect: allow}], defaults: []}".to_owned(),
        case("expect: allow"),
        case("expect: alow"),
        case("expect: {}"),
        case("expect: {violations: []}"),
        case("expect: {violations: [a-b, {code: c}], notices: [{code: d, message: e, fact: f}]}"),
        case("expect: {violations: [A]}"),
        case("expect: {violations: [{message: a}]}"),
        case("expect: {notices: a}"),
        case("expect: {fault: trap}"),
        case("expect: {fault: slow}"),
        case("expect: {fault: trap, violations: []}"),
        case("expect: {problems: ['']}"),
        case("expect: {problems: [{path: /a, message: b}]}"),
        case("expect: {problems: [a]}"),
        case("expect: {problems: []}"),
        case("expect: allow, settings: 5"),
        case("expect: allow, facts: {score: ~, permissions: {network: [a]}}"),
        case("expect: allow, facts: {permissions: {network: ~}}"),
        case("expect: allow, facts: {permissions: {hosts: []}}"),
        case("expect: allow, facts: {cert_level: 4}"),
        case("expect: allow, facts: {transport: http, status: published}"),
        case("expect: allow, facts: {transport: tcp}"),
        case("expect: allow, facts: {bundle_digest: sha256:1}"),
        case("expect: allow, facts: ~"),
        case("expect: allow, context: {at: 2026-01-05, trust: true}"),
        case("expect: allow, context: {trust: 1}"),
        case("expect: allow, context: {when: 2026-01-05}"),
        case("expect: allow, other: 1"),
    ];
    for text in texts {
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let read = smcp_policy_cases::read(text.as_bytes(), &smcp_policy_cases::Limits::DEFAULT);
        assert_eq!(schema.problem(&document).is_none(), read.is_ok(), "{text} {read:?}");
    }
}
