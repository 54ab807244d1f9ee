//! `policy eval --policy`: one component, no configuration; and `--at`, which asks what would be.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::bed;
use crate::bed::TestBed;
use crate::guest::Twin;

pub(crate) const ASKS: &str = r#"{"permissions": {"network": ["a.com"], "filesystem_read": [], "filesystem_write": [],
                       "environment": [], "subprocess": false}, "status": "published"}"#;

#[test]
fn a_component_is_tried_without_a_configuration() {
    let bed = bed();
    bed.write("facts.json", ASKS);
    bed.write("allow.yaml", "allow: [a.com]   # as a configuration has it\n");
    bed.write(".mcp/config.yaml", "no: configuration\n");
    insta::assert_snapshot!(
        "alone_refused",
        bed.run("policy eval --policy no_network.wasm --facts facts.json").exits(4)
    );
    let allowed = "policy eval --policy no_network.wasm --facts facts.json --settings allow.yaml";
    insta::assert_snapshot!("alone_allowed", bed.run(allowed).succeeds());
    insta::assert_snapshot!("alone_json", bed.run(&format!("{allowed} --json")).succeeds().document_shown(&bed));
    assert_eq!(bed.list(".mcp"), ["cache", "compiled.key", "config.yaml"], "nothing is recorded");
    let ran = bed.run("policy eval --policy no_network.wasm").exits(4);
    assert!(ran.stdout.contains("what the server asks of the network is unknown"), "{ran}");
}

#[test]
fn settings_are_yaml_or_json_and_every_problem_has_its_place() {
    let bed = bed();
    bed.write("facts.json", ASKS);
    let tried = |settings: &str| {
        bed.write("s.yaml", settings);
        bed.run("policy eval --policy no_network.wasm --facts facts.json --settings s.yaml")
    };
    for good in [
        "allow: [a.com]\n",
        "\u{feff}allow:\r\n  - a.com\r\n",
        "{\"allow\": [\"a.com\"]}",
        "{\n\t\"allow\": [\n\t\t\"a.com\"\n\t]\n}\n",
        "{\"allow\": [\"\\u0061.com\"]}",
    ] {
        assert_eq!(tried(good).code, 0, "{good}: {}", tried(good));
    }
    for (wrong, says) in [
        (
            "allow:\n- a.com\n- 7\nalow: x\n",
            &["2 problems", "s.yaml:3:3: `/allow/1`: found 7", "s.yaml:4:7: `/alow`"][..],
        ),
        ("[]", &["s.yaml:1:1: found a list, allowed is an object"]),
        ("allow: a.com", &["s.yaml:1:8: `/allow`: "]),
        (
            "{\"allow\": [\"\\ud83d\\ude00\", 7]}",
            &["2 problems", "s.yaml: `/allow/0`: found the text `😀`", "s.yaml: `/allow/1`: found 7"],
        ),
        ("", &["s.yaml: the file has no value"]),
        ("# nothing\n", &["s.yaml: the file has no value"]),
        ("allow: [", &["s.yaml:2:1: did not find"]),
        ("{\"allow\": [], \"allow\": [\"a.com\"]}", &["s.yaml:1:15: this key is given a second time"]),
        ("allow: []\nallow: [a.com]", &["s.yaml:2:1: this key is given a second time"]),
        ("allow: [.nan]", &["s.yaml:1:9: JSON can't express this value"]),
        ("1: []", &["s.yaml:1:1: a key has to be a text"]),
        ("<<: {allow: [a.com]}", &["s.yaml:1:1: merge keys are not supported"]),
        ("a: 1\n---\nb: 2\n", &["s.yaml:3:1: a second document begins here; a file of settings is one document"]),
    ] {
        tried(wrong).refuses(1, says);
    }
    bed.write("s.yaml", b"allow: [\xff]");
    bed.run("policy eval --policy no_network.wasm --settings s.yaml")
        .refuses(1, &["s.yaml:1:9: this is not UTF-8 text"]);
    bed.write("s.yaml", format!("allow: [{}]", "a.com, ".repeat(300_000)));
    bed.run("policy eval --policy no_network.wasm --settings s.yaml").refuses(1, &["more than [SIZE] bytes"]);
    bed.write("s.yaml", format!("allow: [{}]", "a.com, ".repeat(50_000)));
    bed.run("policy eval --policy no_network.wasm --settings s.yaml")
        .refuses(1, &["the settings have [SIZE] bytes as JSON"]);
    bed.write("s.yaml", "allow: [7]\n");
    let document = bed.run("policy eval --policy no_network.wasm --settings s.yaml --json").exits(1).document();
    let (line, column, path) =
        (&document["problems"][0]["line"], &document["problems"][0]["column"], &document["problems"][0]["path"]);
    assert_eq!((line.as_u64(), column.as_u64(), path.as_str()), (Some(1), Some(9), Some("/allow/0")));
}

#[test]
fn facts_and_settings_come_from_pipes_too() {
    let bed = bed();
    bed.write("facts.json", ASKS);
    let run = |script: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-c", script]).current_dir(bed.path("")).env_clear().env("HOME", bed.path(""));
        bash.env("PATH", std::env::var_os("PATH").unwrap()).env("SMCP", env!("CARGO_BIN_EXE_smcp"));
        bash.output().unwrap()
    };
    let both =
        "$SMCP policy eval --policy no_network.wasm --facts <(cat facts.json) --settings <(echo 'allow: [a.com]')";
    assert_eq!(run(both).status.code(), Some(0));
    let stdin = "echo 'allow: [a.com]' | $SMCP policy eval --policy no_network.wasm --facts facts.json --settings -";
    assert_eq!(run(stdin).status.code(), Some(0));
    let endless = run("$SMCP policy eval --policy no_network.wasm --facts <(cat /dev/zero)");
    assert_eq!(endless.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&endless.stderr).contains("more than 16777216 bytes"));
    let twice = run("$SMCP policy eval --policy no_network.wasm --facts - --settings - < facts.json");
    assert!(String::from_utf8_lossy(&twice.stderr).contains("standard input can't be both"));
}

#[test]
fn what_makes_no_sense_together_is_a_usage_error() {
    let bed = bed();
    bed.write("facts.json", ASKS);
    bed.write("s.yaml", "{}");
    for (line, says) in [
        ("policy eval", "--facts"),
        ("policy eval --facts facts.json --settings s.yaml", "--policy"),
        ("policy eval --policy no_network.wasm --warning-threshold 90", "cannot be used with"),
        ("--config c.yaml policy eval --policy no_network.wasm", "--config c.yaml has no effect here"),
        ("policy eval --policy no_network.wasm --config c.yaml", "--config c.yaml has no effect here"),
        ("policy eval --policy no_network.wasm --at tomorrow", "expected a time such as"),
        ("policy eval --policy no_network.wasm --at 1969-12-31", "expected a time such as"),
        ("policy eval --policy gone.wasm", "while reading gone.wasm"),
        ("policy eval --policy no_network.wasm --facts gone.json", "while reading gone.json"),
        ("policy eval --policy no_network.wasm --settings gone.yaml", "while reading gone.yaml"),
        ("policy check acme/tool@1.0.0 --at 2026-01-01", "--at"),
        ("run --at 2026-01-01 acme/tool@1.0.0", "--at"),
    ] {
        bed.run(line).refuses(1, &[says]);
    }
}

#[test]
fn what_is_no_policy_is_a_fault_as_in_every_decision() {
    let bed = bed();
    bed.write("broken.wasm", "(no component)");
    let document = bed.run("policy eval --policy broken.wasm --json").exits(4).document();
    assert_eq!(document["policies"][0]["outcome"], "fault");
    assert_eq!(document["decision"], "block");
    bed.write("revoked.json", r#"{"status": "revoked"}"#);
    bed.run("policy eval --policy no_network.wasm --facts revoked.json").exits(4);
}

/// A configuration with an exception that is in force to the end of a day.
fn with_exception() -> TestBed {
    let bed = TestBed::new();
    bed.write("facts.json", r#"{"org": "acme", "name": "tool", "version": "1.0.0", "score": 10, "status": "published", "registry": "/registry"}"#);
    fs::create_dir(bed.path("registry")).unwrap();
    let until = "2031-05-01";
    bed.configure(&format!(
        "policy:\n  min_score: 50\n  exceptions:\n    - {{package: acme/tool, policies: [score], reason: ticket, until: {until}}}\n"
    ));
    let registry = bed.path("registry");
    let facts = bed.read("facts.json").replace("/registry", registry.to_str().unwrap());
    bed.write("facts.json", facts);
    bed
}

#[test]
fn what_would_be_at_another_time_is_asked_of_the_configuration() {
    let bed = with_exception();
    bed.run("policy eval --facts facts.json --at 2031-05-01T23:59:59Z").succeeds();
    let late = bed.run("policy eval --facts facts.json --at 2031-05-02").exits(4);
    insta::assert_snapshot!("as_of", late);
    let document = bed.run("policy eval --facts facts.json --at 2031-05-02 --json").exits(4).document();
    let has_notice =
        |document: &Value| document["notices"].as_array().unwrap().iter().any(|notice| notice["code"] == "as-of");
    assert!(has_notice(&document));
    assert!(!has_notice(&bed.run("policy eval --facts facts.json --json").succeeds().document()));
}

#[test]
fn a_what_if_leaves_no_trace_and_moves_no_clock() {
    let bed = with_exception();
    let audit = |bed: &TestBed| if bed.has(".mcp/audit.jsonl") { bed.read(".mcp/audit.jsonl") } else { String::new() };
    for at in ["2031-05-01", "9999-12-31", "1970-01-01"] {
        bed.run(&format!("policy eval --facts facts.json --at {at}"));
        assert_eq!(audit(&bed), "", "{at}");
    }
    // What is decided afterwards has the time of the clock, and is recorded as ever.
    bed.run("policy eval --facts facts.json").succeeds();
    let recorded = audit(&bed);
    assert_eq!(recorded.lines().count(), 1, "{recorded}");
    assert!(!recorded.contains("9999-"), "{recorded}");
    bed.run("policy eval --facts facts.json --at 9999-12-31").exits(4);
    bed.run("policy eval --facts facts.json").succeeds();
    assert_eq!(audit(&bed).lines().count(), 2);
    bed.run("audit verify").succeeds();
}

/// A policy that refuses everything at nine o'clock on 2026-01-05, UTC, when `--trust` was passed and nobody can be asked:
/// it looks for the time in what it is told, behind which the other two stand.
const AT_NINE: &str = "
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
(func $evaluate (param $arguments i32) (result i32)
  (local $at i32)
  (local.set $at (local.get $arguments))
  (loop $next
    (if (i64.eq (i64.load (local.get $at)) (i64.const 1767603600))
      (then (return (select (i32.const 0x60) (i32.const 0x70)
        (i32.and (i32.load8_u offset=8 (local.get $at)) (i32.eqz (i32.load8_u offset=9 (local.get $at))))))))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $next (i32.lt_u (local.get $at) (i32.add (local.get $arguments) (i32.const 2048)))))
  (i32.const 0x70))";

#[test]
fn a_policy_is_told_the_circumstances_that_are_asked_for() {
    let bed = TestBed::new();
    bed.write("a.wasm", Twin::honest().with(AT_NINE).component());
    for (options, code) in [
        ("--trust --at 2026-01-05T09:00:00Z", 4),
        ("--trust --at 2026-01-05T10:00:00+01:00", 4),
        ("--trust --at 2026-01-05T09:00:01Z", 0),
        ("--trust --at 2026-01-05", 0),
        ("--at 2026-01-05T09:00:00Z", 0),
        ("--trust", 0),
    ] {
        bed.run(&format!("policy eval --policy a.wasm {options}")).exits(code);
    }
    let cases = "\
cases:
- {name: at nine, context: {at: 2026-01-05T09:00:00Z, trust: true}, expect: {violations: [planted]}}
- {name: in Berlin, context: {at: \"2026-01-05T10:00:00+01:00\", trust: true}, expect: {violations: [planted]}}
- {name: a second later, context: {at: 2026-01-05T09:00:01Z, trust: true}, expect: allow}
- {name: without consent, context: {at: 2026-01-05T09:00:00Z}, expect: allow}
- {name: with a person, context: {at: 2026-01-05T09:00:00Z, trust: true, interactive: true}, expect: allow}
- {name: at no time, context: {trust: true}, expect: allow}
";
    bed.write("cases/a.yaml", cases);
    bed.run("policy test").succeeds();
}
