//! A reader of standard output that leaves early changes nothing else.

use std::process::Stdio;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;

/// Returns the exit code and standard error of a command whose standard output is not read.
fn unread(bed: &TestBed, line: &str) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut invocation = bed.smcp(line);
    let output = invocation.command.stdin(Stdio::null()).stdout(writer).output().unwrap();
    (output.status.code(), bed.redact(&String::from_utf8(output.stderr).unwrap()))
}

#[test]
fn a_reader_that_left_changes_neither_the_exit_code_nor_what_is_wrong() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}");
    bed.publish(&Package::greeter("acme/greeter@1.0.0").good());
    bed.publish(&Package::greeter("acme/poor@1.0.0").facts("community", 0, 35));
    bed.run("run acme/greeter@1.0.0").succeeds();
    let lines = [
        ("info acme/greeter@1.0.0", 0),
        ("policy list", 0),
        ("policy check acme/greeter@1.0.0", 0),
        ("policy check acme/poor@1.0.0", 4),
        ("run --dry-run acme/poor@1.0.0", 4),
        ("config show", 0),
        ("config schema", 0),
        ("config validate", 0),
        ("cache ls", 0),
        ("audit tail", 0),
        ("audit show 1", 0),
        ("audit verify", 0),
        ("doctor", 0),
        ("registry list --registry registry", 0),
        ("mcp-config acme/greeter@1.0.0 --client cursor", 0),
    ];
    for (line, code) in lines {
        for form in ["", " --json"] {
            // `config schema` and `mcp-config` have no other form; the flag is accepted everywhere.
            let (found, said) = unread(&bed, &format!("{line}{form}"));
            assert_eq!(found, Some(code), "{line}{form}: {said}");
            assert!(!said.contains("error:"), "{line}{form}: {said}");
        }
    }
    corrupt(&bed.path(".mcp/audit.jsonl"));
    assert_eq!(unread(&bed, "audit verify").0, Some(3), "a broken chain is one, read or unread");
}
