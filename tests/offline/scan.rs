//! `smcp scan` asks nobody: what it says of packages is from this machine.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::server::Served;

const CURSOR: &str = ".cursor/mcp.json";

/// What is said of the policies, for the only server of the only client.
fn today(bed: &TestBed) -> (Value, String) {
    let document: Value = serde_json::from_str(&bed.run("--json scan").raw).unwrap();
    let today = &document["servers"][0]["policies_today"];
    (today["state"].clone(), today["message"].as_str().unwrap_or_default().to_owned())
}

fn client_starts(bed: &TestBed, reference: &str) {
    let smcp = env!("CARGO_BIN_EXE_smcp");
    bed.write(CURSOR, format!(r#"{{"mcpServers": {{"x": {{"command": "{smcp}", "args": ["run", "{reference}"]}}}}}}"#));
}

#[test]
fn nothing_is_sent() {
    let bed = TestBed::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let elsewhere =
        format!("{{name: elsewhere, source: 'http://{address}/x.wasm', digest: 'sha256:{}'}}", "0".repeat(64));
    bed.write(".mcp/config.yaml", format!("registry_url: http://{address}\npolicy: {{custom: [{elsewhere}]}}\n"));
    for reference in ["acme/tool@1.0.0", "acme/tool@latest"] {
        client_starts(&bed, reference);
        let (state, message) = today(&bed);
        assert_eq!(state, "unknown", "{message}");
        assert!(message.contains("is not asked, because this command sends nothing"), "{message}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody connected");
    // The same rules do ask when a server is started.
    bed.run("run --dry-run --timeout 100ms acme/tool@1.0.0").exits(5);
    listener.accept().unwrap();
}

#[test]
fn what_was_answered_before_counts() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "true").facts("official", 3, 90));
    let served = Served::start(&bed);
    let registry = format!("registry_url: http://{}\n", served.address);
    bed.write(".mcp/config.yaml", format!("{registry}policy: {{min_score: 80}}\n"));
    bed.run("run --dry-run acme/tool@1.0.0").succeeds();
    client_starts(&bed, "acme/tool@1.0.0");
    assert_eq!(today(&bed).0, "allowed");
    bed.write(".mcp/config.yaml", format!("{registry}policy: {{min_score: 95}}\n"));
    assert_eq!(today(&bed), (Value::from("refused"), "by score".to_owned()));
    client_starts(&bed, "acme/tool@latest");
    let (state, message) = today(&bed);
    assert!(state == "unknown" && message.contains("is the latest"), "{state} {message}");
}
