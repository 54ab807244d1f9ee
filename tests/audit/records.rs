//! The contents of a command's records, from which a decision can be repeated.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::log::typed;

fn records(bed: &TestBed) -> Vec<Value> {
    let records: Vec<Value> =
        bed.read(".mcp/audit.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    records.iter().for_each(|record| drop(typed(record)));
    records
}

fn events(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["event"].as_str().unwrap()).collect()
}

#[test]
fn a_launch_is_decision_start_and_end() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, score_mode: warn, allowed_origins: [official, community]}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "exit 7").facts("community", 1, 35));
    bed.write("server.env", "FROM_FILE=1\n");
    let line = "run --trust --env-file server.env --env B=2 acme/tool@latest -- one two";
    // The client stays, so the server itself ends the session.
    let mut child = bed.smcp(line).start();
    let stdin = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    drop(stdin);
    let records = records(&bed);
    assert_eq!(events(&records), ["decision", "start", "end"]);
    for (record, seq) in records.iter().zip(1..) {
        assert_eq!(
            (&record["schema"], &record["seq"], &record["run"]),
            (&json!("smcp.audit/1"), &json!(seq), &json!(1))
        );
        assert_eq!((&record["command"], &record["asked"]), (&json!("run"), &json!("acme/tool@latest")));
        assert_eq!(record["package"], "acme/tool@1.0.0");
        assert_eq!(record["uid"], nix::unistd::getuid().as_raw());
        assert!(record["time"].as_str().unwrap().ends_with('Z') && record["pid"].as_u64().unwrap() > 0, "{record}");
    }
    let [decision, start, end] = &records[..] else { panic!("three of them") };
    assert_eq!(decision["consent"], "trusted");
    assert_eq!(
        (&decision["decision"]["schema"], &decision["decision"]["decision"]),
        (&json!("smcp.decision/1"), &json!("ask"))
    );
    assert_eq!(decision["decision"]["policies"][2]["outcome"], "violation");
    assert_eq!(decision["request"]["context"]["trust"], true);
    assert_eq!((&start["arguments"], &start["variables"]), (&json!(2), &json!(["FROM_FILE", "B"])));
    assert_eq!(
        (&start["program"], &start["bundle_digest"]),
        (&json!("sh"), &decision["decision"]["facts"]["bundle_digest"])
    );
    assert_eq!(
        (&end["outcome"], &end["exit_code"], &end["server_exit_code"]),
        (&json!("exited"), &json!(7), &json!(7))
    );
    assert_eq!(end["ended_by"], "server");
    assert!(end["duration_ms"].is_u64(), "{end}");
}

#[test]
fn the_document_is_the_one_that_was_said() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "").facts("community", 1, 35));
    for (line, code, command) in [
        ("--json policy check acme/tool@1.0.0", 4, "policy check"),
        ("--json run --dry-run acme/tool@1.0.0", 4, "run --dry-run"),
        ("--json policy check acme/none@1.0.0", 2, "policy check"),
    ] {
        let said = bed.run(line).exits(code).document();
        let record = records(&bed).pop().unwrap();
        assert_eq!((&record["decision"], &record["command"]), (&said, &json!(command)), "{line}");
    }
}

#[test]
fn the_request_and_the_policies_make_the_decision_again() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, min_cert_level: 2, allowed_origins: [official], origin_mode: warn}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "").facts("community", 2, 70).option("--findings", "0,1,2,3"));
    bed.run("policy check acme/tool@1.0.0").exits(4);
    let first = records(&bed).pop().unwrap();
    let settings = |name: &str| -> Value {
        let policies = first["policies"].as_array().unwrap();
        policies.iter().find(|policy| policy["name"] == name).unwrap()["settings"].clone()
    };
    assert_eq!(settings("score")["min_score"], 80);
    assert_eq!(settings("origin")["allowed_origins"], json!(["official"]));
    assert!(first["policies"][0]["digest"].as_str().unwrap().starts_with("sha256:"));
    let manifest: Value = serde_json::from_str(first["request"]["subject"]["manifest"].as_str().unwrap()).unwrap();
    assert_eq!(manifest["package"]["id"], "acme/tool", "the whole manifest is there");

    bed.write("facts.json", first["request"]["subject"].to_string());
    bed.run("policy eval --facts facts.json").exits(4);
    let again = records(&bed).pop().unwrap();
    assert_eq!((&again["command"], &again["asked"]), (&json!("policy eval"), &Value::Null));
    assert_eq!((&again["request"]["subject"], &again["policies"]), (&first["request"]["subject"], &first["policies"]));
    let findings = |record: &Value| -> Vec<Value> {
        record["decision"]["policies"].as_array().unwrap().iter().map(|policy| policy["findings"].clone()).collect()
    };
    assert_eq!(findings(&again), findings(&first));
}

#[test]
fn what_ends_early_is_recorded_too() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, score_mode: warn}");
    bed.publish(&Package::shell("acme/poor@1.0.0", "").facts("community", 1, 35));
    bed.publish(&Package::shell("acme/revoked@1.0.0", "").good().option("--status", "revoked"));
    bed.publish(
        &Package::greeter("acme/gone@1.0.0").entrypoint(json!({"command": ["no-such-program-anywhere"]})).good(),
    );
    // The events of each command, with a place in the record and its value.
    type Expected = &'static [(&'static str, &'static str, &'static str)];
    let cases: [(&str, i32, Expected); 6] = [
        ("run acme/poor@1.0.0", 4, &[("decision", "/consent", "nobody-to-ask")]),
        ("run acme/revoked@1.0.0", 4, &[("decision", "/decision/refusal/code", "status")]),
        ("run acme/none@1.0.0", 2, &[("decision", "/decision/refusal/code", "package-not-found")]),
        ("run --timeout 1ns acme/poor@1.0.0", 5, &[("failure", "/code", "timeout")]),
        (
            "run acme/gone@1.0.0",
            6,
            &[
                ("decision", "/decision/decision", "pass"),
                ("start", "/program", "no-such-program-anywhere"),
                ("end", "/code", "command-not-on-path"),
            ],
        ),
        (
            "--registry nowhere run acme/poor@1.0.0",
            2,
            &[("decision", "/decision/refusal/code", "registry-unavailable")],
        ),
    ];
    let mut seen = 0;
    for (line, code, expected) in cases {
        bed.run(line).exits(code);
        let all = records(&bed);
        let new = &all[seen..];
        seen = all.len();
        let found: Vec<_> = new
            .iter()
            .zip(expected)
            .map(|(record, (_, path, _))| {
                (record["event"].as_str().unwrap(), *path, record.pointer(path).unwrap().as_str().unwrap())
            })
            .collect();
        assert_eq!((found.as_slice(), new.len()), (expected, expected.len()), "{line}: {new:#?}");
    }
}

#[test]
fn whether_the_warning_was_delivered_is_recorded() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::greeter("acme/poor@1.0.0").facts("community", 1, 35));
    bed.publish(&Package::greeter("acme/good@1.0.0").good());
    let session = std::fs::read(format!("{ROOT}/examples/quickstart/session.jsonl")).unwrap();
    for (reference, input, warned, delivery) in [
        ("acme/poor@1.0.0", session.clone(), true, json!("delivered")),
        ("acme/poor@1.0.0", Vec::new(), true, json!("undelivered")),
        ("acme/good@1.0.0", session, false, Value::Null),
    ] {
        bed.smcp(&format!("run --trust {reference}")).input(input).run().succeeds();
        let records = records(&bed);
        let [.., start, end] = &records[..] else { panic!("a start and an end") };
        assert_eq!((&start["warning"], &end["warning"]), (&json!(warned), &delivery), "{reference}");
    }
}

#[test]
fn a_server_that_is_killed_ends_with_its_signal() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "kill -KILL $$").good());
    bed.run("run acme/tool@1.0.0").exits(137);
    let end = records(&bed).pop().unwrap();
    assert_eq!((&end["outcome"], &end["signal"], &end["exit_code"]), (&json!("signalled"), &json!(9), &json!(137)));
}

#[test]
fn commands_that_decide_nothing_record_nothing() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "").good());
    for line in
        ["policy list", "config show", "config validate", "info acme/tool@1.0.0", "pull acme/tool@1.0.0", "audit tail"]
    {
        bed.run(line).succeeds();
    }
    assert!(!bed.has(".mcp/audit.jsonl"));
}
