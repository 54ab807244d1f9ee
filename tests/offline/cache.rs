//! `smcp cache`: what it shows to people, and what they can remove from it.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";
const OTHER: &str = "acme/other@1.0.0";

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    for reference in [TOOL, OTHER] {
        bed.publish(&Package::shell(reference, "echo ready; cat").good());
        bed.run(&format!("pull {reference}")).succeeds();
    }
    bed
}

/// Returns the files in the cache, from `cache ls --json`.
fn entries(bed: &TestBed) -> Vec<Value> {
    bed.run("cache ls --json").succeeds().silent().document()["entries"].as_array().unwrap().clone()
}

#[test]
fn files_are_listed_with_their_packages() {
    let bed = bed();
    let ran = bed.run("cache ls").succeeds().silent();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("DIGEST ") && lines[0].ends_with("KIND      SIZE     LAST USED  PACKAGE"), "{ran}");
    assert_eq!(lines.iter().filter(|line| line.ends_with(TOOL)).count(), 2, "{ran}");
    assert!(lines[6].starts_with("4 files, ") && lines[6].ends_with(" in [HOME]/.mcp/cache"), "{ran}");
    let document = bed.run("cache ls --json").succeeds().document();
    assert_eq!((&document["schema"], document["entries"].as_array().unwrap().len()), (&"smcp.cache/1".into(), 4));
    let sum: u64 = entries(&bed).iter().map(|entry| entry["size"].as_u64().unwrap()).sum();
    assert_eq!(document["size"], sum);
    for entry in entries(&bed) {
        assert!(matches!(entry["kind"].as_str(), Some("manifest" | "bundle")), "{entry}");
        let name = entry["digest"].as_str().unwrap().replace(':', "-");
        assert_eq!(entry["size"], fs::metadata(bed.path(".mcp/cache/blobs").join(name)).unwrap().len());
        assert_eq!(entry["packages"][0]["registry"].as_str().unwrap(), bed.path("registry").to_str().unwrap());
        assert!(entry["last_used"].as_str().unwrap().ends_with('Z'), "{entry}");
    }
}

#[test]
fn an_empty_cache_is_an_answer() {
    let bed = TestBed::new();
    bed.configure("");
    assert!(bed.run("cache ls").succeeds().stdout.contains("0 files, 0 B in "));
    bed.run("cache gc").succeeds().says(&["there is nothing to remove"]);
    bed.run("cache rm --all").succeeds().says(&["there is nothing to remove"]);
}

#[test]
fn packages_and_digests_can_be_removed() {
    let bed = bed();
    bed.run(&format!("cache rm {TOOL}")).succeeds().says(&["removed 2 files", "freed"]);
    assert!(entries(&bed).iter().all(|entry| entry["packages"][0]["package"] == OTHER));
    bed.run(&format!("cache rm {TOOL}")).refuses(1, &["has nothing of `acme/tool@1.0.0`", "smcp cache ls"]);
    let digest = entries(&bed)[0]["digest"].as_str().unwrap()[..19].to_owned();
    let ran = bed.run(&format!("cache rm --json {digest}")).succeeds().document();
    assert_eq!((ran["removed"].as_array().unwrap().len(), &ran["answers"]), (1, &1.into()));
    bed.run("cache rm --all").succeeds().says(&["removed 1 file;"]);
    assert_eq!(entries(&bed).len(), 0);
    assert_eq!(bed.list(".mcp/cache/resolutions"), [""; 0]);
    bed.run(&format!("run --dry-run {TOOL}")).succeeds();
    for (line, words) in [
        ("cache rm", "required"),
        ("cache rm --all acme/tool", "cannot be used with"),
        ("cache rm ../../x", "expected sha256:"),
        ("cache rm sha256:0123", "at least 12 hex digits"),
        ("cache rm acme/tool@latest", "expected sha256:"),
        ("cache gc --max-size 5", "such as 500MiB"),
        ("cache gc --older-than x", "invalid value"),
    ] {
        bed.run(line).refuses(1, &[words]);
    }
}

#[test]
fn housekeeping_takes_what_nobody_knows() {
    let bed = bed();
    bed.write(&format!(".mcp/cache/blobs/sha256-{}", "0".repeat(64)), "left by an earlier version");
    bed.run("cache gc --dry-run").succeeds().says(&["would remove 1 file, and free 26 B"]);
    assert_eq!(entries(&bed).len(), 5);
    bed.run("cache gc").succeeds().says(&["removed 1 file; 26 B freed"]);
    bed.run("cache gc --older-than 1d").succeeds().says(&["there is nothing to remove"]);
    assert_eq!(entries(&bed).len(), 4);
    bed.run("cache gc --max-size 0B").succeeds().says(&["removed 4 files, 2 answers of registries"]);
    assert_eq!(entries(&bed).len(), 0);
}

#[test]
fn what_runs_keeps_its_files() {
    let bed = bed();
    let mut invocation = bed.smcp(&format!("run {TOOL}"));
    let mut child = invocation.start();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    bed.run("cache gc --max-size 0B").succeeds().says(&["removed 2 files", "stays: a server that runs"]);
    bed.run(&format!("cache rm {TOOL}")).exits(1).says(&["stays: a server that runs"]);
    bed.run("cache rm --all").exits(1).says(&["stays: a server that runs"]);
    assert_eq!(entries(&bed).len(), 3, "manifest, bundle, and the tree that it runs in");
    stdin.write_all(b"still here\n").unwrap();
    line.clear();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "still here\n");
    drop(stdin);
    assert!(child.wait().unwrap().success());
    fs::rename(bed.path("registry"), bed.path("elsewhere")).unwrap();
    bed.run(&format!("run --dry-run {TOOL}")).succeeds();
    bed.run("cache rm --all").succeeds().says(&["removed 3 files"]);
}
