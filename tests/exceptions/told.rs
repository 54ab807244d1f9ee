//! What is printed for whoever may approve, and what is recorded.

use serde_json::Value;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::commands::NEVER;
use crate::commands::bed;
use crate::commands::configure;
use crate::commands::for_score;
use smcp_model::decision::FindingKind;
use smcp_model::policy::LayerName;
use smcp_model::record::Body;
use smcp_model::record::Record;
use smcp_model::verdict::OutcomeKind;

/// Returns the printed entry as a person copies it, with reason and last day filled in.
fn copied(text: &str) -> String {
    let lines =
        text.lines().skip_while(|line| !line.starts_with("  exceptions:") && !line.starts_with("    - package"));
    let filled = lines.map(|line| line.replace("reason:  # why", "reason: ticket 7"));
    filled.map(|line| line.replace("until:  # YYYY-MM-DD", &format!("until: {NEVER}")) + "\n").collect()
}

#[test]
fn the_printed_entry_pasted_into_the_file_waives_exactly_that_refusal() {
    let bed = bed();
    let component = std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    bed.write(".mcp/policies/no_network.wasm", component);
    let ask = |manifest: &mut Value| manifest["permissions"]["network"]["outbound"] = serde_json::json!(["*"]);
    bed.publish(&Package::shell("acme/tool@2.0.0", "echo runs").manifest(ask).facts("community", 0, 20));
    bed.publish(&Package::shell("acme/tool@3.0.0", "echo runs, too").facts("community", 0, 20));
    bed.publish(&Package::shell("acme/other@1.0.0", "echo runs").facts("community", 0, 20));
    let rules = "registry_url: ~/registry\npolicy:\n  allowed_origins: [official]\n  min_cert_level: 2\n  min_score: 80\n  \
                 custom:\n    - {name: no-network, source: policies/no_network.wasm}\n";
    for line in ["run acme/tool@2.0.0", "policy check acme/tool@2.0.0", "run --dry-run acme/tool@2.0.0"] {
        bed.write(".mcp/config.yaml", rules);
        let refused = bed.smcp(line).run().exits(4);
        let text = if refused.stderr.is_empty() { refused.raw.clone() } else { unredacted(&bed, line) };
        assert!(
            text.contains(&format!("under `policy` in {}/.mcp/config.yaml", bed.path("").display()).replace("//", "/")),
            "{text}"
        );
        // As it is printed it is an error: nobody can apply it by accident.
        let bare: String = text
            .lines()
            .skip_while(|line| !line.starts_with("  exceptions:"))
            .map(|line| format!("{line}\n"))
            .collect();
        bed.write(".mcp/config.yaml", format!("{rules}{bare}"));
        bed.run(line).exits(1);
        bed.write(".mcp/config.yaml", format!("{rules}{}", copied(&text)));
        bed.run(line).succeeds();
        // Another version, another package: refused as before, by all four.
        for other in ["acme/tool@1.0.0", "acme/tool@3.0.0", "acme/other@1.0.0"] {
            let document = bed.run(&format!("--json policy check {other}")).exits(4).document();
            let waived = document["policies"].as_array().unwrap().iter().filter(|policy| policy["outcome"] == "waived");
            assert_eq!(waived.count(), 0, "{document}");
        }
        // With exceptions there already, it is one more item of their list.
        let second = bed.run("policy check acme/other@1.0.0").exits(4);
        assert!(second.stdout.contains("adds this to `policy.exceptions` in [HOME]/.mcp/config.yaml"), "{second}");
        let list = bed.read(".mcp/config.yaml");
        bed.write(".mcp/config.yaml", format!("{list}{}", copied(&second.raw)));
        bed.run("policy check acme/other@1.0.0").succeeds();
        bed.run(line).succeeds();
    }
}

/// Standard error as it was, with digests.
fn unredacted(bed: &TestBed, line: &str) -> String {
    let output = bed.smcp(line).command.output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn nothing_is_printed_where_nothing_is_refused_or_no_exception_helps() {
    let bed = bed();
    let says = |line: &str| {
        let ran = bed.run(line);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    configure(&bed, "min_score: 80; score_mode: warn", &[]);
    assert!(
        says("policy check acme/tool@1.0.0").contains("  exceptions:"),
        "a question without an answer is a refusal"
    );
    assert!(!says("policy check --trust acme/tool@1.0.0").contains("  exceptions:"));
    configure(&bed, "min_cert_level: 2; cert_mode: warn", &[]);
    assert!(!says("policy check acme/tool@1.0.0").contains("  exceptions:"), "a warning refuses nothing");
    // One of two refuses by a fault: no exception would let the package run.
    configure(&bed, "min_score: 80; custom: [{name: gone, source: gone.wasm}]", &[]);
    assert!(!says("policy check acme/tool@1.0.0").contains("  exceptions:"));
    // A document without a digest, from a registry that the layer does not trust.
    bed.write("facts.json", r#"{"org":"acme","name":"tool","version":"1.0.0","score":10,"registry":"/elsewhere"}"#);
    configure(&bed, "min_score: 80", &[]);
    assert!(!says("policy eval --facts facts.json").contains("  exceptions:"));
    bed.write("facts.json", r#"{"org":"acme","name":"tool","version":"1.0.0","score":10}"#);
    assert!(says("policy eval --facts facts.json").contains("    - package: acme/tool@1.0.0\n"));
}

#[test]
fn what_is_waived_is_recorded_and_read_back() {
    let bed = bed();
    configure(&bed, "min_score: 80", &[&for_score()]);
    let said = bed.run("--json policy check acme/tool@1.0.0").succeeds().document();
    let line = bed.read(".mcp/audit.jsonl");
    let value: Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
    assert_eq!(value["decision"], said);
    let Body::Decision(record) = Record::read(&value).unwrap().body else { panic!("{value}") };
    let score = &record.decision.policies[2];
    assert_eq!(score.outcome, OutcomeKind::Waived);
    let kinds: Vec<_> = score.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::Waived, FindingKind::Notice]);
    let [waiver] = score.waivers.as_slice() else { panic!("{score:?}") };
    assert_eq!(waiver.package, "acme/tool".parse().unwrap());
    assert_eq!((waiver.reason.as_str(), waiver.until.to_string().as_str()), ("ticket 123", NEVER));
    assert_eq!(waiver.approved_by.as_ref().map(|name| name.as_str()), Some("j.doe"));
    assert_eq!(waiver.at.as_str(), format!("{}:5", bed.path(".mcp/config.yaml").display()));
    assert_eq!(serde_json::to_value(&record.decision).unwrap(), said);
    // The exception itself is recorded whole, so that the decision can be made again.
    let [written] = record.exceptions.as_slice() else { panic!("{value}") };
    assert_eq!(written.at, waiver.at);
    assert_eq!((written.exception.layer, written.exception.codes.as_ref()), (LayerName::User, None));
    assert_eq!(written.exception.policies, ["score".parse().unwrap()]);
    assert_eq!(serde_json::to_value(written).unwrap(), value["exceptions"][0]);
    let shown = bed.run("audit show 1").succeeds();
    let expected =
        "exception  score: acme/tool: ticket 123 (until 9999-12-31, approved by j.doe, [HOME]/.mcp/config.yaml:5)";
    assert!(shown.stdout.contains(expected), "{shown}");
    assert!(shown.stdout.contains("score: waived: security score 35 is below minimum required score 80"), "{shown}");
}
