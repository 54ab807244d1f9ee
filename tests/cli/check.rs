//! The commands that only report: `policy check|eval|list`, `info`, `pull`.

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;

/// A bed with a good package, a poor one, and a team's policy.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {allowed_origins: [official, verified], min_cert_level: 2, min_score: 80}");
    bed.publish(&Package::greeter("acme/good@1.0.0").facts("verified", 2, 85).option("--findings", "0,1,4,2"));
    bed.publish(&Package::greeter("acme/poor@1.0.0").facts("community", 0, 35));
    bed.publish(&Package::greeter("acme/bare@1.0.0"));
    bed
}

fn keys(value: &Value) -> String {
    value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_check_says_every_reason() {
    let bed = bed();
    insta::assert_snapshot!("good", bed.run("policy check acme/good@1.0.0").succeeds().silent());
    insta::assert_snapshot!("poor", bed.run("policy check acme/poor@1.0.0").exits(4).silent());
    insta::assert_snapshot!("bare", bed.run("policy check acme/bare@1.0.0").exits(4).silent());
    insta::assert_snapshot!(
        "good_json",
        bed.run("--json policy check acme/good@1.0.0").succeeds().document_shown(&bed)
    );
    insta::assert_snapshot!("bare_json", bed.run("policy check acme/bare@1.0.0 --json").exits(4).document_shown(&bed));
    insta::assert_snapshot!(
        "unknown_json",
        bed.run("policy check acme/none@1.0.0 --json").exits(2).document_shown(&bed)
    );
}

#[test]
fn the_document_has_the_keys_of_the_contract_in_their_order() {
    let document = bed().run("policy check --json acme/poor@1.0.0").exits(4).document();
    assert_eq!(keys(&document), "schema package decision exit_code facts policies confinement notices");
    assert_eq!(keys(&document["facts"]), "origin cert_level score status registry bundle_digest believed_by");
    for policy in document["policies"].as_array().unwrap() {
        assert_eq!(keys(policy), "name layer mode outcome effect digest version duration_us findings");
        assert_eq!(keys(&policy["findings"][0]), "kind code message fact remedy");
    }
    assert_eq!((&document["decision"], &document["exit_code"]), (&"block".into(), &4.into()));
}

#[test]
fn a_check_never_asks() {
    let bed = bed();
    bed.configure("policy: {min_score: 80, cert_mode: warn}");
    insta::assert_snapshot!("asks", bed.run("policy check acme/poor@1.0.0").exits(4));
    insta::assert_snapshot!("asks_trusted", bed.run("policy check --trust acme/poor@1.0.0").succeeds());
    let document = bed.run("policy check --json acme/poor@1.0.0").exits(4).document();
    assert_eq!((&document["decision"], &document["exit_code"]), (&"ask".into(), &4.into()));
    let document = bed.run("policy check --json --trust acme/poor@1.0.0").succeeds().document();
    assert_eq!((&document["decision"], &document["exit_code"]), (&"ask".into(), &0.into()));
}

#[test]
fn a_facts_document_is_judged_without_a_registry() {
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", "registry_url: /nowhere\npolicy: {min_cert_level: 2, min_score: 80}");
    let facts = r#"{"org": "acme", "name": "tool", "version": "2.0.0", "origin": "verified", "cert_level": 2,
        "score": 60, "status": "published", "findings": {"critical": 0, "high": 2, "medium": 0, "low": 0}}"#;
    bed.write("facts.json", facts);
    insta::assert_snapshot!("eval", bed.run("policy eval --facts facts.json").exits(4).silent());
    let ran = bed.smcp("policy eval --json --facts -").input(facts).run().exits(4).silent();
    insta::assert_snapshot!("eval_json", ran.document_shown(&bed));
    let cases = [
        (r#"{"cert_level": 2, "score": 80}"#, 0),
        (r#"{"cert_level": 1, "score": 80}"#, 4),
        ("{}", 4),
        (r#"{"cert_level": 3, "score": 100, "status": "revoked"}"#, 4),
        (r#"{"cert_level": 3, "score": 100, "status": "unheard-of"}"#, 4),
        (r#"{"cert_level": 3, "score": 100, "status": "deprecated"}"#, 0),
        (r#"{"cert_level": 7, "score": 100}"#, 1),
        (r#"{"cert_level": 3, "score": 80.5}"#, 1),
    ];
    for (facts, code) in cases {
        bed.smcp("policy eval --facts -").input(facts).run().exits(code);
    }
}

#[test]
fn a_score_below_the_threshold_is_said_once_whatever_its_mode() {
    let bed = TestBed::new();
    let cases = [
        ("score_mode: disabled", "79", 1),
        ("score_mode: disabled", "80", 0),
        ("score_mode: disabled", "null", 0),
        ("score_mode: warn", "79", 1),
        ("score_mode: strict", "79", 1),
        ("score_mode: strict", "null", 0),
        ("score_mode: disabled, warning_threshold: 60", "79", 0),
        ("min_score: 80, score_mode: disabled, warning_threshold: 79", "78", 1),
    ];
    for (policy, score, notes) in cases {
        bed.write(".mcp/config.yaml", format!("registry_url: /nowhere\npolicy: {{{policy}}}"));
        let facts = format!("{{\"status\": \"published\", \"score\": {score}}}");
        let document = bed.smcp("policy eval --json --facts -").input(facts).run().succeeds().document().to_string();
        let said = document.matches("\"score-below-warning-threshold\"").count();
        assert_eq!(said, notes, "{policy}, score {score}: {document}");
    }
}

#[test]
fn the_built_in_policies_are_listed() {
    let bed = bed();
    insta::assert_snapshot!("list", bed.run("policy list").succeeds().silent());
    insta::assert_snapshot!("list_json", bed.run("policy list --json").succeeds().document_shown(&bed));
}

#[test]
fn info_shows_what_the_registry_says() {
    let bed = bed();
    insta::assert_snapshot!("info", bed.run("info acme/good@latest").succeeds().silent());
    insta::assert_snapshot!("info_bare", bed.run("info acme/bare@1.0.0").succeeds().silent());
    insta::assert_snapshot!("info_json", bed.run("info acme/good@1.0.0 --json").succeeds().document_shown(&bed));
    insta::assert_snapshot!("info_unknown", bed.run("info acme/none@1.0.0").exits(2));
    insta::assert_snapshot!("info_unknown_json", bed.run("--json info acme/none@1.0.0").exits(2).document_shown(&bed));
}

#[test]
fn pull_fills_the_cache_and_judges_nothing() {
    let bed = bed();
    assert!(!bed.has(".mcp/cache"));
    insta::assert_snapshot!("pull", bed.run("pull acme/poor@1.0.0").succeeds());
    let pulled = bed.run("pull --json acme/poor@1.0.0").succeeds().silent();
    let (pulled, known) = (pulled.document(), bed.run("info --json acme/poor@1.0.0").document());
    let keys: Vec<_> = pulled.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["schema", "package", "registry", "manifest_digest", "manifest_size", "bundle_digest", "bundle_size"];
    assert_eq!((keys.as_slice(), &pulled["schema"]), (expected.as_slice(), &"smcp.pull/1".into()));
    assert_eq!(pulled["package"], "acme/poor@1.0.0");
    assert!(known.to_string().contains(pulled["bundle_digest"].as_str().unwrap()), "{known}");
    assert!(known.to_string().contains(pulled["manifest_digest"].as_str().unwrap()), "{known}");
    assert_eq!(bed.list(".mcp/cache/blobs").len(), 2, "a manifest and a bundle");
    std::fs::remove_dir_all(bed.path("registry/blobs")).unwrap();
    bed.run("policy check acme/poor@1.0.0").exits(4);
    bed.run("--cache-dir elsewhere pull acme/poor@1.0.0").refuses(2, &["that it does not have: sha256:"]);
}
