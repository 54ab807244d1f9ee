//! MCP bundles that the format's own tool has packed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::bed::TestBed;
use crate::has;
use crate::session::session;

/// The tool, `@anthropic-ai/mcpb` of npm.
const TOOL: &str = "@anthropic-ai/mcpb@2.1.2";

/// A server on no SDK: it answers what a client asks first, lists one tool, and says what it was started with.
const SERVER: &str = r#"import sys, json, os
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    method = asked["method"]
    if method == "initialize":
        answer = {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "told", "version": "1"}}
    elif method == "tools/list":
        answer = {"tools": [{"name": "tell", "description": "Tells", "inputSchema": {"type": "object"}}]}
    else:
        told = sys.argv[1:] + [os.environ["ACME_KEY"], open("manifest.json").readline().strip()]
        answer = {"content": [{"type": "text", "text": " ".join(told)}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": answer}), flush=True)
"#;

fn installed(folder: &Path) -> bool {
    let npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", TOOL];
    let output = Command::new("npm").args(npm).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn a_bundle_of_the_formats_own_tool_is_imported_and_started() {
    if !has("npm", &["--version"]) || !has("node", &["--version"]) {
        return;
    }
    let bed = TestBed::new();
    bed.write("tool/package.json", "{}");
    assert!(installed(&bed.path("tool")));
    for (format, server_type) in [("0.1", "python"), ("0.2", "python"), ("0.3", "python"), ("0.3", "binary")] {
        let name = format!("told-{server_type}-{format}");
        let is_binary = server_type == "binary";
        let command = if is_binary { "${__dirname}/server/run" } else { "python3" };
        let script = if is_binary { None } else { Some("${__dirname}/server/main.py") };
        let arguments: Vec<_> = script.into_iter().chain(["--in", "${user_config.folders}"]).collect();
        let version = if format == "0.1" { "dxt_version" } else { "manifest_version" };
        let manifest = json!({
            version: format, "name": name, "version": "1.0.0", "description": "Tells", "author": {"name": "Acme"},
            "server": {
                "type": server_type, "entry_point": "server/main.py",
                "mcp_config": {"command": command, "args": arguments, "env": {"ACME_KEY": "${user_config.key}"}},
            },
            "user_config": {
                "key": {"type": "string", "title": "Key", "description": "A key", "required": true, "sensitive": true},
                "folders": {"type": "directory", "title": "Folders", "description": "Which", "multiple": true, "required": true},
            },
        });
        bed.write(&format!("{name}/manifest.json"), manifest.to_string());
        bed.write(&format!("{name}/server/main.py"), SERVER);
        bed.write(&format!("{name}/server/run"), format!("#!/usr/bin/env python3\n{SERVER}"));
        fs::set_permissions(bed.path(&format!("{name}/server/run")), fs::Permissions::from_mode(0o755)).unwrap();
        let packed = Command::new(bed.path("tool/node_modules/.bin/mcpb"))
            .args(["pack", &name, &format!("{name}.mcpb")])
            .current_dir(bed.path(""))
            .output()
            .unwrap();
        assert!(packed.status.success(), "{name}: {}", String::from_utf8_lossy(&packed.stderr));
        bed.run(&format!("--registry registry import mcpb:{name}.mcpb")).succeeds();
        let reference = format!("mcpb/{name}@1.0.0");
        let variables = ["--env", "ACME_KEY=the-key", "--env", r#"FOLDERS=["/a","/b"]"#];
        let told =
            session(&bed, "registry", &variables, &reference, &[], &[("tell".to_owned(), json!({}))]).expect(&name);
        let text = told.document["calls"][0]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("--in /a /b the-key {"), "{name}: {text}");
    }
}

#[test]
fn a_bundle_that_the_formats_own_tool_has_signed_is_refused_by_name() {
    if !has("npm", &["--version"]) || !has("openssl", &["version"]) {
        return;
    }
    let bed = TestBed::new();
    bed.write("tool/package.json", "{}");
    assert!(installed(&bed.path("tool")));
    let manifest = json!({
        "manifest_version": "0.2", "name": "signed", "version": "1.0.0", "description": "x", "author": {"name": "Acme"},
        "server": {"type": "python", "entry_point": "main.py", "mcp_config": {"command": "python3", "args": ["main.py"]}},
    });
    bed.write("signed/manifest.json", manifest.to_string());
    bed.write("signed/main.py", SERVER);
    for arguments in [["pack", "signed", "signed.mcpb"], ["sign", "--self-signed", "signed.mcpb"]] {
        let tool =
            Command::new(bed.path("tool/node_modules/.bin/mcpb")).args(arguments).current_dir(bed.path("")).output();
        let tool = tool.unwrap();
        assert!(tool.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&tool.stderr));
    }
    bed.run("--registry registry import mcpb:signed.mcpb").refuses(3, &["mcpb unsign"]);
}
