//! What the audit log has of a start that fails because of its set.

use serde_json::Value;
use serde_json::json;

use crate::bed;
use crate::server::Habits;
use crate::server::Registry;
use crate::sets::RUN;
use crate::sets::archive;
use crate::sets::by_tag;
use crate::sets::key;
use crate::sets::name;
use crate::sets::push;

/// A start that fails because of its set is recorded, as any other failure of what it was to start.
#[test]
fn what_is_wrong_with_a_set_is_in_the_audit_log() {
    let (ours, theirs) = (key(), key());
    let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
    for (line, command) in [
        (RUN, "run"),
        ("run --dry-run acme/quiet@1.0.0", "run --dry-run"),
        ("policy check acme/quiet@1.0.0", "policy check"),
    ] {
        let bed = bed();
        name(&bed, "oci://127.0.0.1:1/company/rules:1", &format!(", signed_by: [{{minisign: '{}'}}]", ours.public()));
        bed.run(line).exits(2);
        push(&bed, &registry, Some(&theirs), &archive(7), "1");
        by_tag(&bed, &registry, &ours, "");
        bed.run(line).exits(3);
        by_tag(&bed, &registry, &theirs, "");
        bed.run(line).succeeds();
        let log = bed.read(".mcp/audit.jsonl");
        let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let refusals: Vec<_> = records.iter().filter(|it| it["decision"]["refusal"].is_object()).collect();
        let of = |it: &Value| (it["decision"]["refusal"]["code"].clone(), it["decision"]["exit_code"].clone());
        let found: Vec<_> = refusals.iter().map(|it| of(it)).collect();
        let expected = [(json!("set-unavailable"), json!(2)), (json!("set-signature-invalid"), json!(3))];
        assert_eq!(found, expected, "{log}");
        for record in refusals {
            assert_eq!((&record["command"], &record["asked"]), (&json!(command), &json!("acme/quiet@1.0.0")), "{log}");
            assert_eq!(record["package"], "acme/quiet@1.0.0");
            assert!(
                record["decision"]["refusal"]["message"].as_str().unwrap().contains("policy set of the user layer")
            );
        }
        bed.run("audit verify").succeeds();
    }
    // Where the log can't be written, the set is what ends it, and the user is told of both.
    let bed = bed();
    name(&bed, "oci://127.0.0.1:1/company/rules:1", &format!(", signed_by: [{{minisign: '{}'}}]", ours.public()));
    std::fs::create_dir(bed.path(".mcp/audit.jsonl")).unwrap();
    bed.run(RUN).exits(2).says(&["the audit log is not complete", "nothing starts without a good set"]);
}
