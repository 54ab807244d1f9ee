//! What an exception does to each command, in each mode; and what it never waives.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::bed::corrupt;

/// A day that no machine that runs this is past.
pub(crate) const NEVER: &str = "9999-12-31";

/// The bed of a package with level 1 and score 35, of the origin community.
pub(crate) fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").facts("community", 1, 35));
    bed
}

/// Configures rules under `policy` in flow style, and exceptions, each with its own keys.
pub(crate) fn configure(bed: &TestBed, rules: &str, exceptions: &[&str]) {
    let entries: String = exceptions.iter().map(|keys| format!("    - {{{keys}}}\n")).collect();
    let list = if entries.is_empty() { String::new() } else { format!("  exceptions:\n{entries}") };
    bed.configure(&format!("policy:\n  {}\n{list}", rules.replace("; ", "\n  ")));
}

/// An exception for the score of every version.
pub(crate) fn for_score() -> String {
    format!("package: acme/tool, policies: [score], reason: ticket 123, approved_by: j.doe, until: {NEVER}")
}

fn outcomes(document: &Value) -> Vec<&str> {
    document["policies"].as_array().unwrap().iter().map(|policy| policy["outcome"].as_str().unwrap()).collect()
}

fn facts(bed: &TestBed) -> String {
    let facts = json!({"org": "acme", "name": "tool", "version": "1.0.0", "status": "published", "score": 35,
        "registry": bed.path("registry").to_str().unwrap()});
    bed.write("facts.json", facts.to_string());
    "policy eval --facts facts.json".to_owned()
}

#[test]
fn every_command_decides_the_same() {
    let bed = bed();
    let eval = facts(&bed);
    let lines = ["run acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0", "policy check acme/tool@1.0.0", &eval];
    for (exceptions, code) in [(vec![], 4), (vec![for_score()], 0)] {
        let exceptions: Vec<_> = exceptions.iter().map(String::as_str).collect();
        configure(&bed, "min_score: 80", &exceptions);
        for line in lines {
            let ran = bed.run(line).exits(code);
            let text = format!("{}{}", ran.stdout, ran.stderr);
            let told =
                text.contains("exception: ticket 123 (until 9999-12-31, approved by j.doe, [HOME]/.mcp/config.yaml:5)");
            assert_eq!(told && text.contains("2 of 3 policies allow it, 1 is waived"), code == 0, "{ran}");
            bed.run(&line.replacen("acme/tool", "--trust acme/tool", 1)).exits(code);
        }
    }
    insta::assert_snapshot!("check", bed.run("policy check acme/tool@1.0.0").succeeds());
    let document = bed.run("--json policy check acme/tool@1.0.0").succeeds();
    assert_eq!(outcomes(&document.document()), ["pass", "pass", "waived"]);
    insta::assert_snapshot!("check_json", document.document_shown(&bed));
}

#[test]
fn a_waived_policy_neither_warns_nor_asks() {
    let bed = bed();
    // The score asks for consent under warn, the level only warns.
    for (rules, code, effect) in [
        ("min_score: 80; score_mode: warn", 4, "ask"),
        ("min_cert_level: 2; cert_mode: warn", 0, "warn"),
        ("min_score: 80; min_cert_level: 2; cert_mode: warn", 4, "ask"),
    ] {
        configure(&bed, rules, &[]);
        let document = bed.run("--json policy check acme/tool@1.0.0").exits(code).document();
        assert_eq!(document["decision"], effect, "{rules}");
        let both = for_score().replace("[score]", "[score, certification]");
        configure(&bed, rules, &[&both]);
        let document = bed.run("--json policy check acme/tool@1.0.0").succeeds().document();
        assert_eq!(document["decision"], "pass", "{rules}");
        bed.run("run acme/tool@1.0.0").succeeds().prints("runs\n");
    }
    // A disabled policy is skipped, not waived.
    configure(&bed, "min_score: 80; score_mode: disabled", &[&for_score()]);
    let document = bed.run("--json policy check acme/tool@1.0.0").succeeds().document();
    assert_eq!(outcomes(&document), ["pass", "pass", "skipped"]);
}

#[test]
fn what_is_not_named_stands() {
    let bed = bed();
    let rules = "min_score: 80; min_cert_level: 2; cert_score_check: enforce";
    let keys = |package: &str, rest: &str| format!("package: {package}, reason: x, until: {NEVER}, {rest}");
    let all = "policies: [score, certification]";
    for (package, rest, outcomes_of) in [
        ("acme/tool", all, ["pass", "waived", "waived"]),
        ("acme/tool@1.0.0", all, ["pass", "waived", "waived"]),
        ("acme/tool", "policies: [score]", ["pass", "violation", "waived"]),
        (
            "acme/tool",
            "policies: [score, certification], codes: [score-below-minimum]",
            ["pass", "violation", "waived"],
        ),
        (
            "acme/tool",
            "policies: [score, certification], codes: [cert-score-mismatch]",
            ["pass", "violation", "violation"],
        ),
        ("acme/tool", "policies: [origin]", ["pass", "violation", "violation"]),
        ("acme/tool@1.0.1", all, ["pass", "violation", "violation"]),
        ("acme/tools", all, ["pass", "violation", "violation"]),
        ("ACME/tool", all, ["pass", "violation", "violation"]),
    ] {
        configure(&bed, rules, &[&keys(package, rest)]);
        let ran = bed.run("--json policy check acme/tool@1.0.0");
        assert_eq!(outcomes(&ran.document()), outcomes_of, "{package} {rest}");
        assert_eq!(ran.code, if outcomes_of.contains(&"violation") { 4 } else { 0 });
    }
    // Of one policy, a part is waived and a part stands: each finding says which.
    configure(&bed, rules, &[&keys("acme/tool", "policies: [certification], codes: [cert-score-mismatch]")]);
    let document = bed.run("--json policy check acme/tool@1.0.0").exits(4).document();
    let kinds: Vec<_> = document["policies"][1]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| (&found["kind"], &found["code"]))
        .collect();
    let expected = [("violation", "cert-level-below-minimum"), ("waived", "cert-score-mismatch")];
    assert_eq!(
        kinds,
        expected.map(|(kind, code)| (json!(kind), json!(code))).each_ref().map(|(kind, code)| (kind, code))
    );
    // Two exceptions share the work, and the first that fits is the one that is named.
    let first = keys("acme/tool", "policies: [certification], codes: [cert-score-mismatch]")
        .replace("reason: x", "reason: first");
    let second = keys("acme/tool", all).replace("reason: x", "reason: second");
    configure(&bed, rules, &[&first, &second]);
    let document = bed.run("--json policy check acme/tool@1.0.0").succeeds().document();
    let reasons: Vec<_> =
        document["policies"][1]["waivers"].as_array().unwrap().iter().map(|waiver| &waiver["reason"]).collect();
    assert_eq!(reasons, ["second", "first"]);
}

#[track_caller]
fn never_waived(ran: Ran, code: i32, says: &str) {
    let ran = ran.exits(code);
    let text = format!("{}{}", ran.stdout, ran.stderr);
    assert!(text.contains(says) && !text.contains("exception") && !text.contains("waive"), "{ran}");
}

#[test]
fn faults_and_refusals_before_policies_are_never_waived_nor_offered_to_be() {
    let every = |names: &str| format!("package: acme/tool, policies: [{names}], reason: x, until: {NEVER}");
    let lines = ["run acme/tool@1.0.0", "policy check acme/tool@1.0.0", "run --dry-run --trust acme/tool@1.0.0"];
    // A policy that can't be loaded, beside one whose violation is waived.
    let bed = bed();
    bed.configure(&format!(
        "policy:\n  custom: [{{name: gone, source: gone.wasm}}]\n  exceptions:\n    - {{{}}}\n",
        every("gone, origin, certification, score")
    ));
    for line in lines {
        never_waived(bed.run(line), 4, "fault: load → block");
    }
    // A component that is not the pinned one.
    let pin = format!("sha256:{}", "0".repeat(64));
    bed.write(".mcp/guest.wasm", std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    bed.configure(&format!(
        "policy:\n  custom: [{{name: guest, source: guest.wasm, digest: '{pin}'}}]\n  exceptions:\n    - {{{}}}\n",
        every("guest, origin, certification, score")
    ));
    for line in lines {
        never_waived(bed.run(line), 3, "but the configuration pins");
    }
    // The status, the bytes and the identity.
    for status in ["revoked", "quarantined", "draft"] {
        let bed = TestBed::new();
        bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").good().option("--status", status));
        configure(&bed, "min_score: 80", &[&every("origin, certification, score")]);
        for line in lines {
            never_waived(bed.run(line), 4, status);
        }
    }
    let bed = self::bed();
    configure(&bed, "min_score: 80", &[&every("origin, certification, score")]);
    let digest = bed.run("--json policy check acme/tool@1.0.0").succeeds().document();
    let digest = digest["facts"]["bundle_digest"].as_str().unwrap().replace(':', "-");
    corrupt(&bed.path(&format!("registry/blobs/{digest}")));
    corrupt(&bed.path(&format!(".mcp/cache/blobs/{digest}")));
    for line in lines {
        never_waived(bed.run(line), 3, "sha256:");
    }
    never_waived(bed.run("run acme/tool@2.0.0"), 2, "there is no version `2.0.0`");
}
