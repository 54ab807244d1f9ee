//! Secrets are planted in every possible place; none is ever written or shown.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;

/// A text that every planted secret contains.
const MARK: &str = "hunter2";

/// Lists the files below a folder that hold a secret.
fn leaks(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks(&path));
        } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(MARK) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_planted_secret_appears_nowhere() {
    let bed = TestBed::new();
    bed.configure("");
    let asks = |manifest: &mut serde_json::Value| manifest["permissions"]["env_vars"] = json!(["ASKED_FOR"]);
    // The server proves that the secrets reach it, without showing them.
    let script =
        "test $# -eq 2 && test -n \"$IN_FILE\" && test -n \"$GIVEN\" && test -n \"$ASKED_FOR\" && exit 9; exit 1";
    bed.publish(&Package::shell("acme/tool@1.0.0", script).manifest(asks).good());
    bed.publish(
        &Package::greeter("acme/gone@1.0.0").entrypoint(json!({"command": ["no-such-program-anywhere"]})).good(),
    );
    let inputs = tempfile::tempdir().unwrap();
    let path = |name: &str| inputs.path().join(name).into_os_string().into_string().unwrap();
    fs::write(path("server.env"), "IN_FILE=hunter2-in-file\n").unwrap();
    fs::write(path("broken.env"), "IN_FILE=hunter2-in-file\nhunter2 is no assignment\n").unwrap();
    let (server_env, broken_env) = (path("server.env"), path("broken.env"));
    for (name, text) in [
        ("registry.yaml", "registry_url: https://me:hunter2@r.example\n"),
        ("port.yaml", "registry_url: https://me:hunter2@r.example:99999/x\n"),
        ("query.yaml", "registry_url: https://r.example/?token=hunter2\n"),
        ("trusted.yaml", "trusted_registries: ['https://me:hunter2@r.example']\n"),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let launch = |line: &str, reference: &str| {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.extend(["run", "--env-file", &server_env, "--env", "GIVEN=hunter2-given", reference].map(str::to_owned));
        words
    };
    let arguments = ["--", "--token=hunter2-argument", "hunter2"].map(str::to_owned);
    let with = |mut words: Vec<String>, more: &[String]| {
        words.extend_from_slice(more);
        words
    };
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let cases: Vec<(Vec<String>, i32)> = vec![
        (with(launch("", "acme/tool@1.0.0"), &arguments), 9),
        (with(launch("-v -v", "acme/tool@1.0.0"), &arguments), 9),
        (with(launch("-v -v", "acme/gone@1.0.0"), &arguments), 6),
        (with(launch("--json -v -v", "acme/none@1.0.0"), &arguments), 2),
        (with(with(launch("--json", "acme/tool@1.0.0"), &words("--dry-run")), &arguments), 0),
        (words("--json -v -v policy check acme/tool@1.0.0"), 0),
        (words("--json config show"), 0),
        (words("--json doctor"), 0),
        (words("-v -v doctor"), 0),
        (words("audit tail"), 0),
        (words("--json audit show --run 1"), 0),
        (words("run --env hunter2 acme/tool@1.0.0"), 1),
        (words(&format!("run --env-file {broken_env} acme/tool@1.0.0")), 1),
        (words("--registry https://me:hunter2@r.example policy check acme/tool@1.0.0"), 1),
        (words("--json --registry https://r.example/?token=hunter2 policy check acme/tool@1.0.0"), 1),
        (words("--registry ftp://me:hunter2@r.example policy check acme/tool@1.0.0"), 1),
        (words(&format!("--config {} config validate", path("registry.yaml"))), 1),
        (words(&format!("--config {} --json config validate", path("port.yaml"))), 1),
        (words(&format!("--config {} config show", path("query.yaml"))), 1),
        (words(&format!("--config {} doctor", path("trusted.yaml"))), 1),
    ];
    for (arguments, code) in cases {
        let ran = bed
            .smcp("")
            .args(&arguments)
            .env("SMCP_REGISTRY_TOKEN", "hunter2-token")
            .env("INHERITED", "hunter2-inherited")
            .env("ASKED_FOR", "hunter2-inherited")
            .env("SMCP_LOG", "trace")
            .run();
        let (out, err) = (ran.raw.clone(), ran.stderr.clone());
        assert_eq!(ran.code, code, "{arguments:?}\n{err}");
        assert!(!out.contains(MARK) && !err.contains(MARK), "{arguments:?}\n{out}\n{err}");
        assert_eq!(leaks(&bed.path(".mcp")), [""; 0], "{arguments:?}");
    }
    assert!(bed.read(".mcp/audit.jsonl").contains("\"variables\":[\"IN_FILE\",\"GIVEN\"]"), "names are there");
}
