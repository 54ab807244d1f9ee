//! Servers that many people start with `npx` or `uvx`, and that need no account.

use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;
use crate::has;
use crate::say;
use crate::session::Told;
use crate::session::session;

/// A server, and what is asked of it.
struct Imported {
    source: &'static str,
    /// Options of the import.
    options: &'static str,
    /// Arguments of the server; `BED` is the folder of the test.
    arguments: &'static str,
    tool: &'static str,
    call: fn() -> Value,
    /// What the answer has in it; nothing where the tool would need the network, and only has to answer.
    answer: &'static str,
}

const fn server(
    source: &'static str,
    arguments: &'static str,
    tool: &'static str,
    call: fn() -> Value,
    answer: &'static str,
) -> Imported {
    Imported { source, options: "", arguments, tool, call, answer }
}

const NPM: [Imported; 9] = [
    server(
        "npm:@modelcontextprotocol/server-everything@2026.8.31",
        "",
        "echo",
        || json!({"message": "an echo"}),
        "an echo",
    ),
    server(
        "npm:@modelcontextprotocol/server-filesystem@2026.8.31",
        "BED/notes",
        "read_text_file",
        || json!({"path": "BED/notes/a.txt"}),
        "a note",
    ),
    // It keeps what it remembers beside its program.
    Imported {
        options: "--workdir-writable",
        ..server(
            "npm:@modelcontextprotocol/server-memory@2026.8.31",
            "",
            "create_entities",
            || json!({"entities": [{"name": "smcp", "entityType": "gate", "observations": ["it was here"]}]}),
            "it was here",
        )
    },
    server(
        "npm:@modelcontextprotocol/server-sequential-thinking@2026.8.31",
        "",
        "sequentialthinking",
        || json!({"thought": "hm", "thoughtNumber": 1, "totalThoughts": 2, "nextThoughtNeeded": true}),
        "thoughtHistoryLength",
    ),
    server(
        "npm:@upstash/context7-mcp@4.1.1",
        "",
        "resolve-library-id",
        || json!({"query": "x", "libraryName": "x"}),
        "",
    ),
    server("npm:@playwright/mcp@0.0.83", "", "browser_close", || json!({}), ""),
    server("npm:chrome-devtools-mcp@1.11.0", "", "list_pages", || json!({}), ""),
    // A program of the machine, in a package for each platform.
    server(
        "npm:@negokaz/excel-mcp-server@0.12.0",
        "",
        "excel_describe_sheets",
        || json!({"fileAbsolutePath": "BED/none.xlsx"}),
        "none.xlsx",
    ),
    server(
        "npm:mcp-server-code-runner@0.1.8",
        "",
        "run-code",
        || json!({"code": "console.log(6 * 7)", "languageId": "javascript"}),
        "42",
    ),
];

const PYPI: [Imported; 7] = [
    server(
        "pypi:mcp-server-time==2026.10.19",
        "--local-timezone=UTC",
        "convert_time",
        || json!({"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}),
        "21:00",
    ),
    server("pypi:mcp-server-fetch==2026.10.24", "", "fetch", || json!({"url": "http://127.0.0.1:9/"}), ""),
    server(
        "pypi:mcp-server-git==2026.10.19",
        "",
        "git_status",
        || json!({"repo_path": "BED/repository"}),
        "No commits yet",
    ),
    server("pypi:mcp-server-calculator==0.2.1", "", "calculate", || json!({"expression": "6*7"}), "42"),
    // Native code.
    server(
        "pypi:mcp-server-motherduck==1.1.0",
        "--db-path :memory: --read-write",
        "execute_query",
        || json!({"sql": "SELECT 6*7 AS answer"}),
        "42",
    ),
    server(
        "pypi:excel-mcp-server==2.2.2",
        "stdio",
        "create_workbook",
        || json!({"path": "BED/out/made.xlsx"}),
        "made.xlsx",
    ),
    server("pypi:wikipedia-mcp==2.0.1", "", "search_wikipedia", || json!({"query": "x"}), ""),
];

#[test]
fn servers_of_npm_start_from_their_bundles() {
    if has("npm", &["--version"]) && has("node", &["--version"]) {
        all(&NPM);
    }
}

#[test]
fn servers_of_pypi_start_from_their_bundles() {
    if has("python3", &["-m", "pip", "--version"]) {
        all(&PYPI);
    }
}

fn all(servers: &[Imported]) {
    let failed = Mutex::new(Vec::new());
    let todo = Mutex::new(servers.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(server) = todo.lock().unwrap().next() else { break };
                    match tried(server) {
                        Ok(said) => say(&said),
                        Err(error) => failed.lock().unwrap().push(format!("{}: {error}", server.source)),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// `smcp`, with the settings of whoever runs the tests for npm and pip.
fn smcp(bed: &TestBed, line: &str) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smcp"));
    command.args(line.split_whitespace()).current_dir(bed.path("")).env("SMCP_CONFIG", bed.path("config.yaml"));
    let output = command.args(["--cache-dir", "cache"]).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("smcp {line}: {said}"))
    }
}

/// How far the server is held to what it asks for.
fn confinement(bed: &TestBed, reference: &str) -> Result<String, String> {
    let said = smcp(bed, &format!("--json --registry held run --dry-run --trust {reference}"))?;
    let said: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
    let state = &said["confinement"];
    match state["state"].as_str() {
        Some("full") => Ok("full".to_owned()),
        // What this kernel lacks.
        Some("partial") => Ok(format!("partial {}", state["missing"])),
        _ => Err(format!("it is not held to anything: {said}")),
    }
}

/// Publishes what was imported in the registry `held`, with a manifest that asks for this.
fn hold(bed: &TestBed, imported: &Value, asks: Value) -> Result<(), String> {
    let digest = imported["bundle_digest"].as_str().unwrap().replace(':', "-");
    std::fs::create_dir(bed.path("unpacked")).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["-xzf", &format!("registry/blobs/{digest}"), "-C", "unpacked"]).current_dir(bed.path(""));
    assert!(tar.status().unwrap().success());
    let mut manifest: Value = serde_json::from_str(&bed.read("unpacked/manifest.json")).unwrap();
    manifest["permissions"] = asks;
    bed.write("unpacked/manifest.json", manifest.to_string());
    let reference = imported["package"].as_str().unwrap();
    smcp(bed, &format!("--registry held registry publish {reference} unpacked --include-secrets")).map(drop)
}

/// Returns the block of permissions that smcp has shown at the end.
fn draft(said: &str) -> Result<Value, String> {
    let block = || {
        let from = said.find("as the `permissions` of its manifest:\n")?;
        let block = said.get(from..)?.split_once('\n')?.1;
        serde_json::Deserializer::from_str(block).into_iter().next()?.ok()
    };
    block().ok_or_else(|| format!("no block of permissions: {said}"))
}

/// Imports a server twice, the second time from what the first one says that it is made of, and calls it: observed, and
/// held to the permissions that were written of it.
fn tried(server: &Imported) -> Result<String, String> {
    let bed = TestBed::new();
    bed.write("config.yaml", "{}");
    bed.write("notes/a.txt", "a note");
    // Nothing new is made in the home itself by a server that is held to something.
    bed.write("out/.keep", "");
    let here = |text: &str| text.replace("BED", bed.path("").to_str().unwrap().trim_end_matches('/'));
    let git = Command::new("git").args(["init", "--quiet"]).arg(bed.path("repository")).status();
    git.map_err(|error| error.to_string())?;
    let Imported { source, options, arguments, tool, call, answer } = server;
    let imported = smcp(&bed, &format!("--json --registry registry import {options} {source}"))?;
    let imported: Value = serde_json::from_str(&imported).map_err(|error| error.to_string())?;
    let reference = imported["package"].as_str().unwrap();
    let lock = smcp(&bed, &format!("--json --registry registry info --provenance {reference}"))?;
    bed.write("lock.json", lock);
    let again = smcp(&bed, &format!("--json --registry other import {options} --lock lock.json {source}"))?;
    let again: Value = serde_json::from_str(&again).map_err(|error| error.to_string())?;
    if again["bundle_digest"] != imported["bundle_digest"] {
        return Err(format!("the second import differs: {imported} {again}"));
    }
    let arguments: Vec<String> = here(arguments).split_whitespace().map(str::to_owned).collect();
    let wanted: Value = serde_json::from_str(&here(&call().to_string())).unwrap();
    let calls = [((*tool).to_owned(), wanted)];
    let try_it = |registry, options: &[&str]| -> Result<(usize, String), String> {
        let Told { document, stderr } = session(&bed, registry, options, reference, &arguments, &calls)?;
        let (tools, result) = (document["tools"].as_array().map(Vec::len).unwrap_or_default(), &document["calls"][0]);
        if tools == 0 || !result.to_string().contains(answer) || result.is_null() {
            return Err(format!("from {registry}: {tools} tools, and `{tool}` answers {result}\n{stderr}"));
        }
        Ok((tools, stderr))
    };
    let (tools, said) = try_it("registry", &["--confinement", "observe"])?;
    let asks = draft(&said)?;
    hold(&bed, &imported, asks.clone())?;
    if try_it("held", &[]).map_err(|error| format!("{error}\nheld to {asks}"))?.0 != tools {
        return Err(format!("it has other tools when it is held to {asks}"));
    }
    let state = confinement(&bed, reference)?;
    let (size, packages) = (&imported["bundle_size"], &imported["packages"]);
    Ok(format!("{reference}: {packages} packages, {size} bytes, {tools} tools, confined: {state}, by {asks}"))
}
