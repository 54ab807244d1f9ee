//! The manifest of a package that is an MCP bundle.

use super::*;
use crate::manifest;
use crate::manifest::Platform;
use smcp_bed::zip;
use smcp_model::manifest::Transport;

fn bundle(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut manifest = json!({
        "manifest_version": "0.3", "name": "tool", "version": "9.9.9", "description": "A tool", "author": {"name": "Acme"},
        "server": {
            "type": "binary", "entry_point": "run",
            "mcp_config": {"command": "${__dirname}/run", "args": ["${__dirname}/data", "${user_config.key}"]},
        },
        "user_config": {"key": {"type": "string", "title": "A key", "required": true}},
    });
    change(&mut manifest);
    zip(&[("manifest.json", &manifest.to_string(), 0o644), ("run", "#!/bin/sh\n", 0o755), ("data", "x", 0o644)])
}

#[test]
fn it_has_the_name_of_the_package_and_starts_what_lies_in_the_archive() {
    let bytes = bundle(|_| ());
    let digest = Digest::of(&bytes);
    let text = package_manifest(&bytes, "io.github.acme/tool", "1.0.0", &digest).unwrap();
    let read = manifest::read(text.as_bytes(), Platform::current()).unwrap();
    assert_eq!(format!("{}@{}", read.identity.id, read.identity.version), "io.github.acme/tool@1.0.0");
    let entrypoint = &read.manifest.entrypoint;
    assert_eq!((entrypoint.command.as_str(), entrypoint.workdir.as_deref()), ("./run", None), "and not `run` of PATH");
    assert_eq!(entrypoint.args, ["data", "${KEY}"]);
    assert!(read.manifest.variables["KEY"].required);
    assert_eq!(read.manifest.permissions, None, "what it asks for is not known");
    assert_eq!((read.manifest.transport, read.certification), (Transport::Stdio, None));
    let source = ImportedFrom::of(&text).unwrap();
    assert_eq!((source.to_string().as_str(), source.integrity), ("mcpb:tool 9.9.9", digest.to_string()));
    assert!(!source.facts_by_importer);
}

#[test]
fn nothing_of_the_bundle_becomes_a_fact_or_another_key() {
    let bytes = bundle(|manifest| {
        manifest["certification"] = json!({"level": 3, "score": 100});
        manifest["permissions"] = json!({});
        manifest["workdir_writable"] = true.into();
    });
    let text = package_manifest(&bytes, "io.github.acme/tool", "1.0.0", &Digest::of(&bytes)).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["entrypoint", "package", "runtime", "schema_version", "source", "variables"]);
}

#[test]
fn what_can_not_be_started_is_refused() {
    type Case = (&'static str, fn(&mut Value), &'static str);
    let cases: [Case; 3] = [
        ("fetches", |manifest| manifest["server"]["type"] = "uv".into(), "fetches at every start"),
        ("missing", |manifest| manifest["server"]["entry_point"] = "other".into(), "which is not in it"),
        ("unknown", |manifest| manifest["manifest_version"] = "1.0".into(), "expected one of 0.1, 0.2, 0.3, 0.4"),
    ];
    for (what, change, says) in cases {
        let bytes = bundle(change);
        let error = package_manifest(&bytes, "a/b", "1.0.0", &Digest::of(&bytes)).unwrap_err();
        assert!(error.to_string().contains(says), "{what}: {error}");
    }
    let error = package_manifest(&zip(&[("x", "", 0o644)]), "a/b", "1.0.0", &Digest::of(b"")).unwrap_err();
    assert!(error.to_string().contains("no manifest.json"), "{error}");
}
