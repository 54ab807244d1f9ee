//! `smcp registry new` and `schema`: a first manifest, and the rules for all.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;

/// A validator for the part of JSON Schema that the schema uses. It reads the schema and documents, and writes a result
/// for each.
const VALIDATOR: &str = r#"
import json, re, sys
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {"$schema", "title", "description", "examples", "type", "properties", "required", "items", "prefixItems",
         "minItems", "minimum", "enum", "pattern", "propertyNames", "additionalProperties"}
def is_of(kind, value):
    if kind in ("number", "integer"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind])
def fits(schema, value):
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_of(kind, value) for kind in kinds):
        return False
    if "enum" in schema and value not in schema["enum"] and value is not None:
        return False
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if is_of("number", value) and value < schema.get("minimum", value):
        return False
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        return (len(value) >= schema.get("minItems", 0)
                and all(fits(one, item) for one, item in zip(first, value))
                and all(fits(schema.get("items", {}), item) for item in value[len(first):]))
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return (all(name in value for name in schema.get("required", []))
                and all(fits(known.get(name, schema.get("additionalProperties", {})), item)
                        and fits(schema.get("propertyNames", {}), name) for name, item in value.items()))
    return True
schema, documents = json.load(sys.stdin)
json.dump([fits(schema, document) for document in documents], sys.stdout)
"#;

fn valid(bed: &TestBed, schema: &Value, documents: &[Value]) -> Vec<bool> {
    bed.write("input.json", json!([schema, documents]).to_string());
    let input = std::fs::File::open(bed.path("input.json")).unwrap();
    let output = Command::new("python3").args(["-c", VALIDATOR]).stdin(input).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn manifest() -> Value {
    json!({
        "schema_version": 1,
        "package": {"id": "acme/tool", "version": "1.0.0", "git_sha": null, "keywords": []},
        "runtime": {"type": "python", "version": null},
        "entrypoint": {"command": ["python3", "server.py"], "args": ["-x"], "env": {"A": ""}, "workdir": "app"},
        "permissions": {"network": {"outbound": ["*"]}, "filesystem": {"read": []}, "env_vars": ["A"]},
        "resources": {"memory_mb": 1},
        "certification": null,
        "something_new": 1,
    })
}

/// Returns the manifest with another value at a JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = manifest();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[test]
fn the_schema_and_publishing_agree_on_what_a_manifest_is() {
    let bed = TestBed::new();
    let printed = bed.run("registry schema").succeeds().silent();
    let schema: Value = serde_json::from_str(&printed.raw).unwrap();
    let mut cases: Vec<(Value, bool)> = vec![(manifest(), true)];
    for (pointer, good, bad) in [
        ("/schema_version", vec![json!("1.0"), json!(2)], vec![json!(null), json!("one"), json!(true), json!("")]),
        ("/package", vec![], vec![json!(null), json!([]), json!({})]),
        ("/package/id", vec![], vec![json!(null), json!(1), json!("tool"), json!("a/b/c"), json!("../x"), json!("a/")]),
        ("/package/version", vec![], vec![json!(null), json!("latest"), json!("../1"), json!(""), json!(1)]),
        ("/package/git_sha", vec![json!("abc")], vec![json!(1), json!([])]),
        ("/package/keywords", vec![json!(["x"]), json!(null)], vec![json!("x"), json!([1])]),
        ("/runtime", vec![json!({"type": "node"})], vec![json!(null), json!({}), json!("node")]),
        ("/runtime/type", vec![], vec![json!(null), json!("ruby"), json!("Python"), json!(["python"])]),
        ("/entrypoint", vec![], vec![json!(null), json!({}), json!("x")]),
        (
            "/entrypoint/command",
            vec![json!(["./x"]), json!(["..x"]), json!(["a", "../b"]), json!(["a", "/b"])],
            vec![
                json!(null),
                json!([]),
                json!("x"),
                json!([1]),
                json!(["a", 1]),
                json!([""]),
                json!([" "]),
                json!(["/x"]),
                json!(["../x"]),
                json!(["a/../b"]),
                json!(["a/.."]),
                json!(["a\u{0}"]),
                json!(["a", "b\u{0}"]),
            ],
        ),
        ("/entrypoint/args", vec![json!(null), json!([])], vec![json!("x"), json!([1]), json!(["\u{0}"])]),
        (
            "/entrypoint/env",
            vec![json!(null), json!({})],
            vec![
                json!([]),
                json!({"": "x"}),
                json!({"A=B": "x"}),
                json!({"A": 1}),
                json!({"A": null}),
                json!({"A": "\u{0}"}),
            ],
        ),
        (
            "/entrypoint/workdir",
            vec![json!(null), json!(""), json!("a/b")],
            vec![json!("/x"), json!(".."), json!("a/../b"), json!(1)],
        ),
        ("/permissions", vec![json!(null), json!({})], vec![json!([]), json!(true)]),
        ("/permissions/network/outbound", vec![json!(null)], vec![json!("x"), json!([1])]),
        ("/permissions/env_vars", vec![json!([])], vec![json!("A"), json!({})]),
        ("/resources/memory_mb", vec![json!(0)], vec![json!(-1), json!(1.5), json!("1")]),
        ("/certification", vec![], vec![json!({"level": 3})]),
    ] {
        cases.extend(good.into_iter().map(|value| (with(pointer, value), true)));
        cases.extend(bad.into_iter().map(|value| (with(pointer, value), false)));
    }
    let (documents, expected): (Vec<Value>, Vec<bool>) = cases.into_iter().unzip();
    for ((document, expected), valid) in documents.iter().zip(expected).zip(valid(&bed, &schema, &documents)) {
        assert_eq!(valid, expected, "by the schema: {document}");
        bed.write("tool/manifest.json", document.to_string());
        let registry = bed.path("r");
        drop(std::fs::remove_dir_all(&registry));
        let ran = bed.run("registry publish --registry r acme/tool@1.0.0 tool");
        assert_eq!(ran.code == 0, expected, "by `publish`: {document}\n{ran}");
    }
}

#[test]
fn what_new_writes_is_published_by_the_line_that_it_prints() {
    let bed = TestBed::new();
    bed.write("my tool/package.json", r#"{"name": "@acme/files", "version": "1.2.3", "bin": "cli.js"}"#);
    bed.write("py/server.py", "");
    let cases = [
        ("fresh", "registry new fresh", "fresh"),
        ("named", "registry new named --name acme/tool@2.0.0 --runtime binary", "named"),
        ("python", "--registry other registry new py", "py"),
    ];
    for (name, line, folder) in cases {
        let ran = bed.run(line).succeeds();
        publish_as_printed(&bed, &ran.stderr);
        insta::assert_snapshot!(
            format!("new_{name}"),
            format!("{ran}\n{}", bed.read(&format!("{folder}/manifest.json")))
        );
        bed.run(line).refuses(1, &["there is a `manifest.json` in it already"]);
    }
    let ran = bed.smcp("registry new").args(&["my tool"]).run().succeeds().says(&["acme/files@1.2.3", "node cli.js"]);
    publish_as_printed(&bed, &ran.stderr);
    bed.run("registry new x --name acme/tool@latest").refuses(1, &["needs a version that can be published"]);
    assert!(!bed.has("x"));
}

/// Runs the printed line after `next` in a shell.
fn publish_as_printed(bed: &TestBed, printed: &str) {
    let line = printed.lines().find_map(|line| line.trim().strip_prefix("next ")).unwrap().trim();
    let line = line.strip_prefix("smcp ").unwrap();
    let script = format!("\"$SMCP\" {line}");
    let shell = Command::new("sh")
        .args(["-c", &script])
        .current_dir(bed.path("."))
        .env("HOME", bed.path("."))
        .env("SMCP", env!("CARGO_BIN_EXE_smcp"))
        .output()
        .unwrap();
    assert!(shell.status.success(), "{line}: {}", String::from_utf8_lossy(&shell.stderr));
}
