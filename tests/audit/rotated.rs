//! Logs that another program rotates: only the rest is verified.

use std::fs;

use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;

const LOG: &str = ".mcp/audit.jsonl";

#[test]
fn a_chain_that_begins_again_beside_an_older_one_is_said_to() {
    type Rotate = fn(&TestBed);
    let cases: [(&str, &str, Rotate); 5] = [
        ("rename", "audit.jsonl.1", |bed| fs::rename(bed.path(LOG), bed.path(".mcp/audit.jsonl.1")).unwrap()),
        ("rename with a date", "audit.jsonl-20261129", |bed| {
            fs::rename(bed.path(LOG), bed.path(".mcp/audit.jsonl-20261129")).unwrap();
        }),
        ("a date before the extension", "audit-20261129.jsonl", |bed| {
            fs::rename(bed.path(LOG), bed.path(".mcp/audit-20261129.jsonl")).unwrap();
        }),
        ("compressed", "audit.jsonl.1.gz", |bed| {
            fs::rename(bed.path(LOG), bed.path(".mcp/audit.jsonl.1.gz")).unwrap();
            // Made by the rotating program.
            bed.write(LOG, "");
        }),
        ("copytruncate", "audit.jsonl.1", |bed| {
            fs::copy(bed.path(LOG), bed.path(".mcp/audit.jsonl.1")).unwrap();
            fs::File::options().write(true).open(bed.path(LOG)).unwrap().set_len(0).unwrap();
        }),
    ];
    for (name, left, rotate) in cases {
        let bed = TestBed::new();
        bed.configure("");
        bed.publish(&Package::shell("acme/tool@1.0.0", "").good());
        bed.run("run acme/tool@1.0.0").succeeds();
        rotate(&bed);
        bed.run("run acme/tool@1.0.0").succeeds();
        let ran = bed.run("audit verify").succeeds();
        assert!(ran.stdout.starts_with("! the chain holds, in the files that smcp has of it\n"), "{name}: {ran}");
        assert!(
            ran.stdout.contains(&format!("beside the log there is {left}, which smcp did not put")),
            "{name}: {ran}"
        );
        let document = bed.run("--json audit verify").succeeds().document();
        assert_eq!((&document["records"], &document["foreign_files"]), (&json!(3), &json!([left])), "{name}");
        let doctor = bed.run("doctor").succeeds();
        assert!(doctor.stdout.contains("! audit chain    beside the log there is "), "{name}: {doctor}");
        if name != "compressed" {
            bed.run(&format!("audit verify .mcp/{left}")).succeeds();
        }
    }
}
