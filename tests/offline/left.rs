//! Files that a server writes beside its program are removed, with a warning.

use std::fs;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";

/// Runs a server with this script. Returns what its client saw, and the last record of the audit log.
fn after(script: &str, line: &str) -> (TestBed, Ran, Value) {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell(TOOL, script).unknown().file("data.db", "shipped", 0o644).good());
    let ran = bed.run(&format!("run {line} {TOOL}"));
    let record = bed.read(".mcp/audit.jsonl").lines().last().map(|line| serde_json::from_str(line).unwrap()).unwrap();
    (bed, ran, record)
}

#[test]
fn what_is_lost_is_named_and_counted() {
    let cases = [
        ("true", 0, ""),
        ("echo x > memory.json", 1, "the server wrote `memory.json` beside its program; it was removed with it: "),
        ("mkdir d; echo x > d/b; echo x > a", 2, "the server wrote `a`, `d/b` beside its program; they were removed"),
        ("rm -f data.db; echo mine > data.db", 1, "`data.db`"),
        ("mkdir -p __pycache__ empty/folder; echo x > __pycache__/a.pyc", 0, ""),
        ("for i in 1 2 3 4 5 6 7 8; do echo x > $i; done", 8, " and 3 more beside its program"),
        ("echo x > \"$(printf 'a\\033[31mb')\"", 1, "`a\\u{1b}[31mb`"),
        ("ln -s /etc/hostname link", 1, "`link`"),
        ("echo x > \"$HOME/kept\"", 0, ""),
        ("echo x > a; exit 3", 1, "`a`"),
        ("echo x > a; kill -9 $$", 1, "`a`"),
    ];
    for (script, count, says) in cases {
        let (bed, ran, record) = after(script, "");
        assert_eq!((&record["event"], &record["left_behind"]), (&"end".into(), &count.into()), "{script}: {record}");
        assert!(ran.stderr.contains(says), "{script}: {ran}");
        assert_eq!(ran.stderr.contains("beside its program"), count > 0, "{script}: {ran}");
        assert!(count == 0 || ran.stderr.contains("a server keeps its data below HOME"), "{script}: {ran}");
        assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{script}");
    }
    let (_, ran, record) = after("echo x > a", "-q");
    assert_eq!(
        (ran.stderr.as_str(), &record["left_behind"]),
        ("", &1.into()),
        "asked for no more than is wrong: {ran}"
    );
}

#[test]
fn a_server_that_locks_its_folders_is_still_told_of() {
    let (bed, ran, record) = after("echo x > a; mkdir locked; echo x > locked/b; chmod 0 locked", "");
    // Root can read every folder; for other users the locked folder looks the same as an empty one.
    let expected = if nix::unistd::Uid::effective().is_root() { 2 } else { 1 };
    assert_eq!(record["left_behind"], expected, "{ran}");
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0]);
    assert!(fs::metadata(bed.path(".mcp/cache/blobs")).is_ok());
}
