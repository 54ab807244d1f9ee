//! `--format`: every command that decides answers in every form, whatever comes of it.

use std::process::Command;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use smcp_bed::Schema;

/// Reads a document as a CI system does, and holds it to the elements and attributes of the schema of Jenkins
/// (junit-10.xsd): prints for each case its suite, name and result.
const READER: &str = "
import sys, xml.etree.ElementTree as tree
allowed = {
    'testsuites': {'name', 'time', 'tests', 'failures', 'errors'},
    'testsuite': {'name', 'tests', 'failures', 'errors', 'time', 'skipped'},
    'testcase': {'name', 'time', 'classname'},
    'failure': {'type', 'message'},
    'error': {'type', 'message'},
    'skipped': set(),
    'system-out': set(),
}
inside = {'testsuites': {'testsuite'}, 'testsuite': {'testcase', 'system-out'}, 'testcase': {'failure', 'error', 'skipped', 'system-out'}}
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == 'testsuites', root.tag
for element in root.iter():
    assert set(element.attrib) <= allowed[element.tag], element.attrib
    assert {child.tag for child in element} <= inside.get(element.tag, set())
    if element.tag in ('testsuites', 'testsuite'):
        count = lambda tag: str(len(list(element.iter(tag))))
        assert (element.get('tests'), element.get('failures'), element.get('errors')) == (count('testcase'), count('failure'), count('error'))
for suite in root:
    for case in suite.iter('testcase'):
        print(suite.get('name'), case.get('name'), *[child.tag + ': ' + (child.text or '') for child in case], sep=' | ')
";

fn read_junit(xml: &str) -> String {
    let mut reader = Command::new("python3");
    reader.args(["-c", READER]).stdin(std::process::Stdio::piped());
    reader.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    std::io::Write::write_all(&mut reader.stdin.take().unwrap(), xml.as_bytes()).unwrap();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{xml}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A bed with packages of every kind, and rules of every mode.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure(
        "policy: {allowed_origins: [official, verified], min_cert_level: 2, min_score: 80, score_mode: warn, \
         custom: [{name: gone, source: gone.wasm, mode: warn}, {name: off, source: off.wasm, mode: disabled}]}",
    );
    bed.publish(&Package::greeter("acme/good@1.0.0").facts("verified", 2, 85));
    bed.publish(&Package::greeter("acme/poor@1.0.0").facts("community", 0, 35));
    bed.publish(&Package::greeter("acme/asks@1.0.0").facts("verified", 2, 60));
    bed.publish(&Package::greeter("acme/revoked@1.0.0").facts("verified", 2, 85).option("--status", "revoked"));
    bed.write("facts.json", r#"{"org": "a", "name": "b", "version": "1.0.0", "origin": "community", "score": 3}"#);
    bed.write("wrong.json", r#"{"origin": 5}"#);
    bed.write("broken.yaml", "policy: {min_score: 200, \"\\u009b\\e[2J<x>\": 1}\n");
    bed
}

/// Command lines, and the exit codes that they end in.
const LINES: [(&str, i32); 12] = [
    ("policy check acme/good@1.0.0", 0),
    ("policy check acme/poor@1.0.0", 4),
    ("policy check acme/asks@1.0.0", 4),
    ("policy check --trust acme/asks@1.0.0", 0),
    ("policy check acme/revoked@1.0.0", 4),
    ("policy check acme/none@1.0.0", 2),
    ("policy check acme/good@1.0.0 --config broken.yaml", 1),
    ("policy check good", 1),
    ("policy eval --facts facts.json", 4),
    ("policy eval --facts wrong.json", 1),
    ("policy eval --facts facts.json --config /nowhere.yaml", 1),
    ("run --dry-run acme/poor@1.0.0", 4),
];

/// The part of SARIF 2.1.0 that smcp writes, closed: what the standard's schema allows beside it, smcp doesn't write.
fn sarif() -> Schema {
    Schema::new(serde_json::from_str(include_str!("sarif.json")).unwrap())
}

#[test]
fn every_answer_is_one_valid_sarif_log() {
    let (bed, schema) = (bed(), sarif());
    for (line, code) in LINES {
        let ran = bed.run(&format!("{line} --format sarif")).exits(code);
        let log = ran.document();
        schema.accepts(&log);
        let run = &log["runs"][0];
        assert_eq!(run["invocations"][0]["exitCode"], code, "{ran}");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"], "{ran}");
        }
    }
}

#[test]
fn every_answer_is_one_junit_document_that_a_reader_takes() {
    let bed = bed();
    let mut shown = String::new();
    for (line, code) in LINES {
        let ran = bed.run(&format!("{line} --format=junit")).exits(code);
        let is_red = ran.stdout.contains("<failure") || ran.stdout.contains("<error");
        assert_eq!(is_red, code != 0, "{ran}");
        shown += &format!("$ smcp {line}\n{}\n", bed.redact(&read_junit(&ran.stdout)));
    }
    insta::assert_snapshot!("junit", shown);
}

#[test]
fn json_is_what_json_is_without_it() {
    let bed = bed();
    let without_times = |mut document: Value| {
        for policy in document["policies"].as_array_mut().into_iter().flatten() {
            policy["duration_us"] = 0.into();
        }
        document
    };
    for (line, code) in LINES {
        let [short, long] = ["--json", "--format json"].map(|option| bed.run(&format!("{line} {option}")).exits(code));
        assert_eq!(without_times(short.document()), without_times(long.document()), "{line}");
        let [plain, human] = ["", "--format human"].map(|option| bed.run(&format!("{line} {option}")).exits(code));
        assert_eq!((plain.stdout, plain.stderr), (human.stdout, human.stderr), "{line}");
    }
}

#[test]
fn a_form_is_for_what_only_decides_and_named_once() {
    let bed = bed();
    bed.run("run --format sarif acme/good@1.0.0").exits(1).says(&["--dry-run"]);
    let unknown = bed.run("policy list --format sarif").exits(1);
    assert!(unknown.stdout.contains("unexpected argument '--format' found"), "{unknown}");
    bed.run("policy check --format xml acme/good@1.0.0").exits(1).says(&["human, json, sarif, junit"]);
    let both = bed.run("policy check --json --format sarif acme/good@1.0.0").exits(1).document();
    assert_eq!(both["message"], "--json is --format json: leave one of the two out");
}

#[test]
fn a_result_stands_at_the_configuration_that_the_command_line_names() {
    let bed = bed();
    bed.write("rules/smcp.yaml", bed.read(".mcp/config.yaml"));
    let located = |line: &str| bed.run(line).exits(4).document()["runs"][0]["results"][0]["locations"][0].clone();
    let named = located("policy check acme/poor@1.0.0 --format sarif --config rules/smcp.yaml");
    assert_eq!(named["physicalLocation"]["artifactLocation"]["uri"], "rules/smcp.yaml");
    assert_eq!(located("policy check acme/poor@1.0.0 --format sarif")["physicalLocation"], Value::Null);
}
