//! `smcp config schema`: the settings of the configured policies, as their components describe them.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::guest::Twin;
use smcp_bed::Schema;

/// A policy that says this of its settings.
fn describing(schema: &Value) -> Vec<u8> {
    let text = schema.to_string();
    let hex: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let forms = format!(
        "(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x1000 {} 1))
         (data $schema (i32.const 0x1000) \"{hex}\")",
        text.len()
    );
    Twin::honest().with(&forms).component()
}

/// A home with policies that describe themselves well, and others.
fn bed() -> TestBed {
    let bed = TestBed::new();
    let tree = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}, "again": {"$ref": "#"}},
        "additionalProperties": false,
        "$defs": {"node": {
            "type": "object",
            "description": "\u{202e}\u{9b}2J",
            "properties": {"next": {"$ref": "#/$defs/node"}, "size": {"type": "integer"}},
            "additionalProperties": false,
        }},
    });
    bed.write("p/no_network.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    bed.write("p/tree.wasm", describing(&tree));
    bed.write("p/calls-home.wasm", describing(&json!({"$ref": "https://evil.example/schema"})));
    bed.write("p/text.wasm", "no component");
    bed.write(
        "smcp.yaml",
        "policy:\n  custom:\n  - {name: no-network, source: p/no_network.wasm}\n  \
         - {name: tree, source: p/tree.wasm, mode: warn}\n  - {name: calls-home, source: p/calls-home.wasm}\n  \
         - {name: text, source: p/text.wasm}\n  - {name: gone, source: p/gone.wasm}\n  - {name: off, source: p/gone.wasm, mode: disabled}\n",
    );
    bed
}

fn schema(ran: &Ran) -> Schema {
    Schema::new(serde_json::from_str(&ran.stdout).unwrap())
}

/// The configuration of an entry with these settings, as an editor sees it.
fn entry(name: &str, settings: Value) -> Value {
    json!({"policy": {"custom": [{"name": name, "source": "a.wasm", "settings": settings}]}})
}

#[test]
fn settings_are_what_the_policy_of_that_name_says() {
    let bed = bed();
    let schema = schema(&bed.run("config schema --config smcp.yaml").succeeds());
    let cases = [
        ("no-network", json!({"allow": ["a.example"]}), true),
        ("no-network", json!({}), true),
        ("no-network", json!({"alow": []}), false),
        ("no-network", json!({"allow": "a.example"}), false),
        // References are followed, those to the whole and those to themselves, too.
        ("tree", json!({"root": {"size": 1, "next": {"next": {"size": 2}}}}), true),
        ("tree", json!({"root": {"next": {"next": {"size": "2"}}}}), false),
        ("tree", json!({"again": {"again": {"root": {"size": 1}}}}), true),
        ("tree", json!({"again": {"again": {"other": 1}}}), false),
        ("tree", json!({"allow": []}), false),
        // Of these nothing is known, and of others as little.
        ("calls-home", json!({"any": "thing"}), true),
        ("text", json!({"any": "thing"}), true),
        ("gone", json!({"any": "thing"}), true),
        ("off", json!({"any": "thing"}), true),
        ("another", json!({"any": "thing"}), true),
    ];
    for (name, settings, valid) in cases {
        let document = entry(name, settings);
        let problem = schema.problem(&document);
        assert_eq!(problem.is_none(), valid, "{document} {problem:?}");
    }
    assert!(schema.problem(&json!({"policy": {"custom": [{"name": "tree"}]}})).is_some(), "`source` is missing");
}

/// A file in `policies.d` is an entry whose name is that of the file.
#[test]
fn a_file_in_policies_d_has_a_schema_of_its_own() {
    let bed = bed();
    let of = |name: &str| schema(&bed.run(&format!("config schema --config smcp.yaml --entry {name}")).succeeds());
    let cases = [
        ("no-network", json!({"source": "a.wasm", "settings": {"allow": ["a.example"]}, "mode": "warn"}), true),
        ("no-network", json!({"source": "a.wasm", "settings": {"alow": []}}), false),
        ("no-network", json!({"source": "a.wasm", "name": "no-network"}), false),
        ("no-network", json!({"source": "a.wasm", "mode": "strikt"}), false),
        ("no-network", json!({"mode": "warn"}), false),
        ("tree", json!({"source": "a.wasm", "settings": {"again": {"root": {"size": 1}}}}), true),
        ("tree", json!({"source": "a.wasm", "settings": {"again": {"root": {"size": "1"}}}}), false),
        ("another", json!({"source": "a.wasm", "settings": {"any": "thing"}}), true),
    ];
    for (name, document, valid) in cases {
        let problem = of(name).problem(&document);
        assert_eq!(problem.is_none(), valid, "{name}: {document} {problem:?}");
    }
    // What is valid there is what the parser takes.
    bed.write(".mcp/policies.d/no-network.yaml", "source: ~/p/no_network.wasm\nsettings: {allow: [a.example]}\n");
    bed.run("config validate").succeeds();
    bed.run("config schema --entry Not-A-Name").exits(1);
}

#[test]
fn what_can_t_be_described_is_said_and_fails_nothing() {
    let bed = bed();
    let ran = bed.run("config schema --config smcp.yaml").succeeds();
    insta::assert_snapshot!("notes", bed.redact(&ran.stderr));
    assert!(!ran.stdout.contains("evil.example"), "an editor would fetch it");
    assert!(ran.stdout.contains(r"\u202e\u009b2J") && !ran.stdout.contains('\u{202e}'), "{ran}");
    // A configuration that is wrong is the one that an editor is needed for.
    bed.write("wrong.yaml", "policy: {min_score: many}\n");
    let wrong = bed.run("config schema --config wrong.yaml").succeeds();
    let plain = bed.run("config schema --config smcp.yaml --no-policies").succeeds().silent();
    assert_eq!(wrong.stdout, plain.stdout);
    assert!(wrong.stderr.contains("min_score"), "{wrong}");
    assert!(!plain.stdout.contains("no-network"), "{plain}");
    assert_eq!(bed.run("config schema -q --config smcp.yaml").succeeds().stderr, "");
}

#[test]
fn without_policies_of_ones_own_it_is_the_plain_one() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    let [with, without] = ["", " --no-policies"].map(|option| bed.run(&format!("config schema{option}")).succeeds());
    assert_eq!(with.stdout, without.stdout);
    schema(&with).accepts(&json!({"policy": {"min_score": 80}}));
}
