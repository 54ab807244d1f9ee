//! If nothing starts, the client gets the reason and the usual exit code.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::process::Stdio;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;

/// The input of a client with two requests, and other messages that need no answer between them.
const ASKED: &str = r#"{"jsonrpc":"2.0","id":"d","method":"server/discover","params":{}}
no JSON
{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"d"}}
{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}
"#;

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    bed.publish(&Package::shell("acme/good@1.0.0", "touch \"$HOME/proof/started\"").good());
    bed.publish(&Package::shell("acme/poor@1.0.0", "touch \"$HOME/proof/started\"").facts("official", 3, 35));
    bed
}

/// Runs `smcp` for a client with two requests. Returns the error that is in both answers.
#[track_caller]
fn refusal(bed: &TestBed, line: &str, code: i32) -> Value {
    let ran = bed.smcp(line).input(ASKED).run().exits(code);
    assert_ne!(ran.stderr, "", "{ran}: a person may read it too");
    let answers: Vec<Value> = ran.raw.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(ids, [json!("d"), json!(0)], "{ran}");
    let error = answers[0]["error"].clone();
    assert_eq!(answers[1]["error"], error);
    assert_eq!(error["code"], -31_000 - code, "{ran}");
    let message = error["message"].as_str().unwrap();
    assert!(message.len() <= 500 && !message.contains('\n'), "{message}");
    assert_eq!(error["data"]["exit_code"], code, "{ran}");
    // A client without requests gets no answer.
    assert_eq!(bed.run(line).exits(code).raw, "");
    error
}

#[track_caller]
fn decision(bed: &TestBed, line: &str, code: i32, words: &[&str]) -> Value {
    let error = refusal(bed, line, code);
    assert_eq!(error["data"]["schema"], "smcp.decision/1", "{error}");
    says(&error, words);
    error["data"].clone()
}

#[track_caller]
fn failure(bed: &TestBed, line: &str, code: i32, words: &[&str]) {
    let error = refusal(bed, line, code);
    assert_eq!(error["data"]["schema"], "smcp.failure/1", "{error}");
    assert_eq!(error["data"]["message"], error["message"]);
    says(&error, words);
}

#[track_caller]
fn says(error: &Value, words: &[&str]) {
    for word in words {
        assert!(error["message"].as_str().unwrap().contains(word), "`{word}` is not in {error}");
    }
}

#[test]
fn a_decision_that_refuses_is_told_with_its_document() {
    let bed = bed();
    let words = [
        "smcp did not start \"acme/poor@1.0.0\": score: \"security score 35 is below minimum required score 80\"",
        ". What helps: \"use a version with",
    ];
    let document = decision(&bed, "run acme/poor@1.0.0", 4, &words);
    assert_eq!(document["policies"][2]["findings"][0]["code"], "score-below-minimum");
    decision(&bed, "run acme/none@1.0.0", 2, &["there is no package `acme/none`"]);
    decision(&bed, "run acme/good@2.0.0", 2, &["What helps: \"it has: 1.0.0\""]);

    bed.publish(
        &Package::shell("acme/revoked@1.0.0", "touch \"$HOME/proof/started\"").good().option("--status", "revoked"),
    );
    let document = decision(&bed, "run acme/revoked@1.0.0", 4, &["`revoked`"]);
    assert_eq!(document["refusal"]["code"], "status");

    bed.configure("policy: {min_score: 80, score_mode: warn}");
    decision(&bed, "run acme/poor@1.0.0", 4, &["it needs consent and nobody can be asked here (--trust gives it"]);

    let entry: Value = serde_json::from_str(&bed.read("registry/packages/acme/good/1.0.0.json")).unwrap();
    let digest = entry["resolved"]["bundle"]["digest"].as_str().unwrap().replace(':', "-");
    corrupt(&bed.path(&format!("registry/blobs/{digest}")));
    std::fs::remove_dir_all(bed.path(".mcp/cache")).unwrap();
    decision(&bed, "run acme/good@1.0.0", 3, &["is not what its digest promises"]);
    assert!(!bed.has("proof/started"));
}

#[test]
fn a_failure_is_told_with_a_short_document() {
    let bed = bed();
    failure(&bed, "run --nonsense", 1, &["unexpected argument '--nonsense'"]);
    failure(&bed, "run acme", 1, &["smcp started nothing: "]);
    failure(&bed, "run acme/good@1.0.0 --env-file none", 1, &["smcp did not start \"acme/good@1.0.0\"", "none"]);
    failure(&bed, "--registry ftp://x run acme/good@1.0.0", 1, &["ftp"]);
    failure(&bed, "run acme/good@1.0.0 --timeout 1ns", 5, &["took longer than 1ns"]);
    bed.publish(&Package::greeter("acme/lost@1.0.0").entrypoint(json!({"command": ["no-such-program"]})).good());
    failure(&bed, "run acme/lost@1.0.0", 6, &["`no-such-program`"]);

    bed.configure("policy: {min_scor: 80}");
    failure(&bed, "run acme/good@1.0.0", 1, &["min_scor"]);
    bed.configure("policy: {min_scor: 80, min_score: 800}");
    failure(&bed, "run acme/good@1.0.0", 1, &["2 problems", "What helps: "]);
}

#[test]
fn nothing_but_a_launch_answers_a_client() {
    let bed = bed();
    for line in ["run --dry-run acme/poor@1.0.0", "policy check acme/poor@1.0.0", "run --help", "--nonsense"] {
        let ran = bed.smcp(line).input(ASKED).run();
        assert!(!ran.raw.contains("jsonrpc"), "{ran}");
    }
    let ran = bed.smcp("run acme/good@1.0.0").input(ASKED).run().succeeds();
    assert_eq!(ran.raw, "", "a server that was started has the stream for itself");
}

#[test]
fn a_signal_ends_the_wait_for_a_client_that_asks_nothing() {
    let bed = bed();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut child = bed.smcp("run acme/poor@1.0.0").start();
        let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        writeln!(input, r#"{{"id":1,"method":"initialize"}}"#).unwrap();
        let mut output = BufReader::new(output);
        output.read_line(&mut String::new()).unwrap();
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(4), "{signal}");
        output.read_to_end(&mut Vec::new()).unwrap();
    }
}

#[test]
fn a_closed_standard_output_changes_nothing() {
    let bed = bed();
    let mut smcp = bed.smcp("run acme/poor@1.0.0").command;
    let mut child = smcp.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // It leaves without waiting for the end of the input.
    drop(input.write_all(ASKED.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("pipe"));
}
