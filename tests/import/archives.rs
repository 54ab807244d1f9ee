//! MCP bundles, as files and behind a URL.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::clients::Machine;
use smcp_model::digest::Digest;

/// Packs a server that says what it gets, by Python's own zip.
const PACK: &str = r##"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("manifest.json", sys.argv[2])
    for name, text, mode in [("run.sh", "#!/bin/sh\ncat manifest.json | wc -l\necho \"$KEY\" \"$@\"\n", 0o755),
                             ("icon.png", "icon", 0o644)]:
        info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        info.external_attr = (0o100000 | mode) << 16
        archive.writestr(info, text, zipfile.ZIP_DEFLATED)
"##;

fn manifest() -> Value {
    json!({
        "manifest_version": "0.3", "name": "hearer", "version": "2.0.0", "description": "Hears", "author": {"name": "Acme"},
        "icon": "icon.png",
        "server": {
            "type": "binary", "entry_point": "run.sh",
            "mcp_config": {
                "command": "${__dirname}/run.sh", "args": ["--in", "${user_config.folders}", "${user_config.level}"],
                "env": {"KEY": "${user_config.key}"},
            },
        },
        "user_config": {
            "key": {"type": "string", "title": "Key", "description": "From your account", "required": true, "sensitive": true},
            "folders": {"type": "directory", "multiple": true, "default": ["${HOME}/a", "${HOME}/b"]},
            "level": {"type": "string"},
        },
    })
}

/// A machine with `tool.mcpb`.
fn machine(manifest: &Value) -> (Machine, Digest) {
    let machine = Machine::new();
    let packed = Command::new("python3")
        .args(["-c", PACK])
        .arg(machine.bed.path("tool.mcpb"))
        .arg(manifest.to_string())
        .status();
    assert!(packed.unwrap().success());
    let digest = Digest::of(&std::fs::read(machine.bed.path("tool.mcpb")).unwrap());
    (machine, digest)
}

#[test]
fn an_mcp_bundle_that_runs_what_is_not_in_it_is_said_to() {
    let mut outside = manifest();
    outside["server"] = json!({"type": "node", "entry_point": "run.sh", "mcp_config": {"command": "node"}});
    let cases = [
        (json!(["/tmp/evil.js"]), "`node /tmp/evil.js` runs code"),
        (json!(["-r", "/tmp/evil.js", "${__dirname}/run.sh"]), "`node -r /tmp/evil.js` runs code"),
        (
            json!(["--import", "data:text/javascript,x", "${__dirname}/run.sh"]),
            "`node --import data:text/javascript,x` runs",
        ),
        (json!(["-e", "1"]), "`node -e` runs code"),
        (json!(["${HOME}/evil.js"]), "`node ${HOME}/evil.js` runs code"),
        (json!(["${__dirname}/run.sh", "/data", "${HOME}"]), ""),
    ];
    for (args, says) in cases {
        outside["server"]["mcp_config"]["args"] = args;
        let (machine, _) = machine(&outside);
        let ran = machine.smcp("--json import --registry registry mcpb:tool.mcpb").run().succeeds();
        let remarks = ran.document()["remarks"].to_string();
        assert!(remarks.contains(says) && remarks.contains("runs code") != says.is_empty(), "{remarks}");
    }
}

#[test]
fn an_mcp_bundle_is_published_and_starts_with_what_the_user_sets() {
    let (machine, digest) = machine(&manifest());
    let import = format!("import --registry registry mcpb:tool.mcpb#{digest}");
    insta::assert_snapshot!(
        "imported",
        machine.smcp(&import).run().succeeds().to_string().replace(&digest.to_string(), "sha256:OF-THE-FILE")
    );
    machine.is_clean();
    let files = machine.files("mcpb/hearer@2.0.0");
    let names: Vec<String> = files.iter().map(|(name, mode, _)| format!("{name} {mode:o}")).collect();
    insta::assert_snapshot!("files", names.join("\n"));
    insta::assert_snapshot!("manifest", files.iter().find(|(name, _, _)| name == "manifest.json").unwrap().2);
    let run = "--registry registry run --trust mcpb/hearer@2.0.0";
    machine.smcp(run).run().refuses(6, &["`KEY` (From your account)", "which nobody has set", "--env KEY="]);
    let home = machine.bed.path("");
    let home = home.to_str().unwrap().trim_end_matches('/');
    let ran = machine.smcp(run).env("KEY", "k").run().succeeds();
    assert_eq!(ran.raw, format!("0\nk --in {home}/a {home}/b\n"));
    let ran = machine.smcp(run).env("KEY", "k").env("FOLDERS", r#"["/x y","/z"]"#).env("LEVEL", "3").run().succeeds();
    assert_eq!(ran.raw, "0\nk --in /x y /z 3\n");
}

#[test]
fn a_bundle_that_is_not_the_one_that_was_meant_is_refused() {
    let (machine, _) = machine(&manifest());
    let other = Digest::of(b"other");
    machine
        .smcp(&format!("import --registry registry mcpb:tool.mcpb#{other}"))
        .run()
        .refuses(3, &["is not the one that was meant"]);
    let bytes = std::fs::read(machine.bed.path("tool.mcpb")).unwrap();
    machine.bed.write("signed.mcpb", [&bytes[..], b"MCPB_SIG_V1....MCPB_SIG_END"].concat());
    machine.smcp("import --registry registry mcpb:signed.mcpb").run().refuses(3, &["mcpb unsign"]);
    machine.bed.write("page.mcpb", "<html>");
    machine.smcp("import --registry registry mcpb:page.mcpb").run().refuses(3, &["it is no zip archive"]);
    machine.smcp("import --registry registry mcpb:gone.mcpb").run().refuses(1, &["while reading gone.mcpb"]);
    let (uv, _) = super::archives::machine(&{
        let mut manifest = manifest();
        manifest["server"]["type"] = "uv".into();
        manifest
    });
    uv.smcp("import --registry registry mcpb:tool.mcpb").run().refuses(1, &["fetches at every start"]);
    assert!(!machine.bed.has("registry") && !uv.bed.has("registry"));
    let (npx, _) = super::archives::machine(&{
        let mut manifest = manifest();
        manifest["server"]["mcp_config"] = json!({"command": "npx", "args": ["-y", "evil"]});
        manifest
    });
    let import = "import --registry registry mcpb:tool.mcpb";
    npx.smcp(import).run().refuses(1, &["its command `npx` fetches at every start", "smcp import npm:NAME"]);
    let (gone, _) = super::archives::machine(&{
        let mut manifest = manifest();
        manifest["server"]["entry_point"] = "server/index.js".into();
        manifest
    });
    gone.smcp(import).run().refuses(3, &["`server.entry_point` names `server/index.js`, which is not in it"]);
    assert!(!npx.bed.has("registry") && !gone.bed.has("registry"));
    machine.is_clean();
}

#[test]
fn a_bundle_behind_a_url_is_the_same() {
    let (machine, digest) = machine(&manifest());
    let bytes = std::fs::read(machine.bed.path("tool.mcpb")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap();
        assert!(String::from_utf8_lossy(&head[..read]).starts_with("GET /releases/tool.mcpb "));
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", bytes.len()).unwrap();
        stream.write_all(&bytes).unwrap();
    });
    machine
        .smcp(&format!("import --registry registry mcpb:http://{address}/releases/tool.mcpb#{digest}"))
        .run()
        .succeeds();
    served.join().unwrap();
    machine.smcp("--registry registry info mcpb/hearer@2.0.0").run().succeeds();
}
