//! What lies in the folder after an import, and what is not imported.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::source::ImportSource;
use smcp_bed::Bed;
use smcp_bed::zip as archive;
use smcp_model::exit::ExitKind;

fn bundle(config: &Value) -> Vec<u8> {
    let manifest = json!({
        "manifest_version": "0.2", "name": "tool", "version": "1.0.0", "description": "A tool", "author": {"name": "Acme"},
        "server": {"type": "binary", "entry_point": "bin/run", "mcp_config": config},
        "user_config": {"key": {"type": "string", "title": "A key", "required": true}},
    });
    archive(&[
        ("manifest.json", &manifest.to_string(), 0o644),
        ("bin/run", "#!/bin/sh\n", 0o755),
        ("bin/data", "x", 0o644),
    ])
}

fn imported(bytes: &[u8], expected: Option<&Digest>) -> Result<(Bed, Imported), ImportError> {
    let bed = Bed::with([]);
    let source: ImportSource = "mcpb:a.mcpb".parse().unwrap();
    let request = ImportRequest {
        source: &source,
        lock: None,
        reference: None,
        bin: None,
        workdir_writable: false,
        variables: &[],
        permissions: None,
    };
    let imported = import(bytes, expected, &request, &Scratch { dir: &bed.root, path: bed.folder() })?;
    Ok((bed, imported))
}

#[test]
fn its_files_lie_below_a_folder_beside_our_manifest() {
    let config = json!({"command": "${__dirname}/bin/run", "args": ["${user_config.key}"]});
    let bytes = bundle(&config);
    let (bed, imported) = imported(&bytes, Some(&Digest::of(&bytes))).unwrap();
    let files: Vec<String> = bed.files("tree").into_iter().map(|(name, _)| name).collect();
    assert_eq!(files, ["manifest.json", "mcpb/bin/data", "mcpb/bin/run", "mcpb/manifest.json", "source.json"]);
    assert_eq!(format!("{}@{}", imported.id, imported.version), "mcpb/tool@1.0.0");
    assert_eq!(imported.variables, [("KEY".to_owned(), true)]);
    let manifest: Value = serde_json::from_str(&imported.root.read_to_string("manifest.json").unwrap()).unwrap();
    assert_eq!(manifest["entrypoint"], json!({"command": ["mcpb/bin/run", "${KEY}"], "workdir": "mcpb"}));
    assert_eq!(manifest["variables"], json!({"KEY": {"about": "A key", "required": true}}));
    assert_eq!(manifest.get("permissions"), None, "what it asks for is not known");
    let source: Value = serde_json::from_str(&imported.root.read_to_string("source.json").unwrap()).unwrap();
    assert_eq!(source["integrity"], Digest::of(&bytes).to_string());
}

#[test]
fn what_is_not_the_bundle_that_was_meant_is_refused() {
    let config = json!({"command": "${__dirname}/bin/run"});
    let bytes = bundle(&config);
    let other = Digest::of(b"other");
    let error = imported(&bytes, Some(&other)).map(|_| ()).unwrap_err();
    assert_eq!(error.exit_kind(), ExitKind::Integrity);
    assert!(error.to_string().contains(&format!("expected {other}, found {}", Digest::of(&bytes))), "{error}");
    for (bytes, reason, exit) in [
        (archive(&[("x", "", 0o644)]), "no manifest.json", ExitKind::Integrity),
        (archive(&[("manifest.json", "{", 0o644)]), "manifest.json is not valid", ExitKind::Integrity),
        (bundle(&json!({"command": "${__dirname}/bin/data"})), "does not say that it is executable", ExitKind::Usage),
    ] {
        let error = imported(&bytes, None).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.exit_kind(), exit, "{error}");
    }
}
