//! `policy diff`: what a catalogue of packages would come to under other rules.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::bed::corrupt;

const OLD: &str = "policy: {min_score: 60, score_mode: warn}\n";
const NEW: &str = "policy:\n  allowed_origins: [official, verified]\n  min_score: 80\n";
const LINE: &str = "policy diff --from old.yaml --to new.yaml --catalog";

/// A bed with both configurations, and four packages of which three change.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.write("old.yaml", OLD);
    bed.write("new.yaml", NEW);
    bed.write("catalogue.jsonl", catalogue());
    bed
}

fn catalogue() -> String {
    let package = |name: &str, origin: &str, score: u8| json!({"org": "acme", "name": name, "version": "1.0.0", "status": "published", "origin": origin, "score": score});
    let packages = [
        package("good", "official", 90),
        package("low", "verified", 70),
        package("other", "community", 90),
        package("bad", "community", 50),
    ];
    let revoked = json!({"name": "revoked", "status": "revoked"});
    packages.iter().chain([&revoked]).map(|package| format!("{package}\n\n")).collect()
}

#[test]
fn people_see_what_changes_and_by_which_policy() {
    let bed = bed();
    let ran = bed.run(&format!("{LINE} catalogue.jsonl")).succeeds();
    insta::assert_snapshot!("what_if", ran.stdout);
    // Nothing is kept of it.
    assert!(!bed.has(".mcp/audit.jsonl") && !bed.has(".mcp/seen.json"));
    bed.run(&format!("{LINE} catalogue.jsonl --exit-code")).exits(1);
    bed.run("policy diff --from old.yaml --to old.yaml --catalog catalogue.jsonl --exit-code").succeeds();
}

#[test]
fn programs_get_the_same_at_every_run_from_a_file_or_a_pipe() {
    let bed = bed();
    let document = bed.run(&format!("{LINE} catalogue.jsonl --json")).succeeds();
    let piped = bed.smcp(&format!("{LINE} - --json")).input(catalogue()).run().succeeds();
    assert_eq!(document.raw, piped.raw);
    let read: Value = serde_json::from_str(&document.raw).unwrap();
    let summary = json!({"packages": 5, "newly_blocked": 3, "newly_asked": 0, "newly_warned": 0, "newly_allowed": 0,
                         "unchanged": 2});
    assert_eq!((&read["schema"], &read["summary"]), (&json!("smcp.diff/1"), &summary));
    let packages: Vec<_> = read["changes"].as_array().unwrap().iter().map(|it| it["package"].clone()).collect();
    assert_eq!(packages, ["acme/low@1.0.0", "acme/other@1.0.0", "acme/bad@1.0.0"]);
    let sarif: Value = serde_json::from_str(&bed.run(&format!("{LINE} catalogue.jsonl --format sarif")).raw).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let place = |rule: &str| {
        let result = results.iter().find(|result| result["ruleId"] == rule).unwrap();
        let physical = &result["locations"][0]["physicalLocation"];
        (physical["artifactLocation"]["uri"].clone(), physical["region"]["startLine"].clone())
    };
    assert_eq!(place("origin/origin-not-allowed"), (json!("new.yaml"), json!(2)));
    assert_eq!(place("score/score-below-minimum"), (json!("new.yaml"), json!(3)));
}

#[test]
fn ci_systems_get_a_test_case_for_each_change_red_as_the_exit_code_is() {
    let bed = bed();
    let green = bed.run(&format!("{LINE} catalogue.jsonl --format junit")).succeeds();
    let red = bed.run(&format!("{LINE} catalogue.jsonl --format junit --exit-code")).exits(1);
    insta::assert_snapshot!("junit", red.raw);
    assert!(!green.raw.contains("<failure") && green.raw.contains("tests=\"4\" failures=\"0\""), "{green}");
    assert!(green.raw.contains("<system-out>newly blocked: pass to block: "), "{green}");
    let same =
        bed.run("policy diff --from old.yaml --to old.yaml --catalog catalogue.jsonl --format junit --exit-code");
    let same = same.succeeds();
    assert!(same.raw.contains("tests=\"1\" failures=\"0\""), "{same}");
    // Text of others is no markup.
    bed.write("catalogue.jsonl", json!({"name": "<x a='b'>]]>&amp;\u{1b}", "score": 1}).to_string());
    let hostile = bed.run(&format!("{LINE} catalogue.jsonl --format junit --exit-code")).exits(1);
    assert!(
        !hostile.raw.contains("<x") && !hostile.raw.contains("]]>") && !hostile.raw.contains('\u{1b}'),
        "{hostile}"
    );
}

#[test]
fn a_catalogue_that_is_not_right_says_nothing_but_where() {
    let bed = bed();
    let cases = [
        ("{\"name\": \"a\"}\n{\"scor\": 1}\n", "catalogue.jsonl, line 2: the facts document: `/scor` is no key"),
        (
            "{\"name\": \"a\"}\n\n{\"score\": 500}\n",
            "catalogue.jsonl, line 3: the facts document: `/score` is the number 500",
        ),
        (
            "{\"name\": \"a\"}\n{\"score\"",
            "catalogue.jsonl, line 2: the facts document is not JSON: EOF while parsing an object at column 8",
        ),
        (
            "{\"name\": \"a\"}\n{\"score\"\n",
            "catalogue.jsonl, line 2: the facts document is not JSON: EOF while parsing an object\n",
        ),
        ("{\"name\": \"a\"}\n{\"score\": 90}\n", "catalogue.jsonl, line 2: the facts document has no `name`"),
        ("{}\n", "catalogue.jsonl, line 1: the facts document has no `name`"),
        (
            "{\"name\": \"a\"}\n\n{\"name\": \"b\"}\n{\"name\": \"a\", \"score\": 90}\n",
            "catalogue.jsonl, line 4: the package local/a@0.0.0 is there already, in line 1",
        ),
        // What should have written it has died.
        ("", "the catalogue catalogue.jsonl has no package"),
        ("\n\n", "the catalogue catalogue.jsonl has no package"),
        ("\u{0}\n", "catalogue.jsonl, line 1: the facts document is not UTF-8 text"),
    ];
    for (text, says) in cases {
        bed.write("catalogue.jsonl", text);
        let ran = bed.run(&format!("{LINE} catalogue.jsonl --html page.html")).exits(2);
        assert!(ran.stderr.contains(says), "{says}: {ran}");
        assert_eq!((ran.stdout.as_str(), bed.has("page.html")), ("", false), "{says}");
        assert_eq!(ran.stderr.matches("line ").count(), says.matches("line ").count(), "{ran}");
        bed.run(&format!("{LINE} catalogue.jsonl --exit-code")).exits(2);
    }
    // Of two registries, or in two versions, they are two.
    let registry = |url: &str| json!({"name": "a", "registry": url}).to_string();
    let text = [
        "{\"name\": \"a\"}",
        "{\"name\": \"a\", \"version\": \"2.0.0\"}",
        &registry("https://a.example.com"),
        &registry("https://b.example.com"),
    ]
    .join("\n");
    bed.write("catalogue.jsonl", text);
    let four = bed.run(&format!("{LINE} catalogue.jsonl --json")).succeeds().document();
    assert_eq!(four["summary"]["packages"], 4);
    fs::create_dir(bed.path("no-packages")).unwrap();
    bed.run(&format!("{LINE} no-packages")).exits(2).says(&["has no package"]);
    bed.run(&format!("{LINE} missing.jsonl")).exits(2).says(&["missing.jsonl"]);
    bed.write("catalogue.jsonl", "{}\n");
    let failed = bed.run(&format!("{LINE} catalogue.jsonl --format junit")).exits(2);
    assert!(failed.stdout.contains("<error message=\"catalogue.jsonl, line 1"), "{failed}");
    bed.write("new.yaml", "polcy: {}\n");
    bed.run(&format!("{LINE} catalogue.jsonl")).exits(1).says(&["new.yaml:1:1", "polcy"]);
}

#[test]
fn a_registry_and_the_audit_log_are_catalogues() {
    let bed = bed();
    bed.configure("");
    bed.publish(&Package::shell("acme/good@1.0.0", "").facts("official", 2, 90));
    bed.publish(&Package::shell("acme/low@1.0.0", "").facts("official", 2, 95));
    bed.publish(&Package::shell("acme/low@1.1.0", "").facts("official", 2, 70));
    let changes = |catalogue: &str| {
        let document = bed.run(&format!("{LINE} {catalogue} --json")).succeeds();
        let document: Value = serde_json::from_str(&document.raw).unwrap();
        (document["summary"]["packages"].clone(), document["changes"].as_array().unwrap().clone())
    };
    let (packages, changed) = changes("registry");
    assert_eq!((packages, &changed[0]["package"]), (json!(2), &json!("acme/low@1.1.0")));
    assert_eq!((changed.len(), &changed[0]["times"]), (1, &Value::Null));
    bed.run(&format!("{LINE} audit")).exits(2).says(&["the catalogue audit has no package"]);
    for reference in ["acme/good@1.0.0", "acme/low@1.0.0", "acme/low@latest", "acme/low@1.1.0"] {
        bed.run(&format!("policy check {reference}")).succeeds();
    }
    // As another smcp would have put it aside.
    fs::rename(bed.path(".mcp/audit.jsonl"), bed.path(".mcp/audit-000001.jsonl")).unwrap();
    bed.run("policy check acme/low@1.1.0").succeeds();
    let (packages, changed) = changes("audit");
    assert_eq!((packages, changed.len()), (json!(3), 1));
    assert_eq!((&changed[0]["package"], &changed[0]["times"]), (&json!("acme/low@1.1.0"), &json!(3)));
    assert!(changed[0]["last"].as_str().unwrap().ends_with('Z'), "{changed:?}");
    bed.write(".mcp/audit.jsonl", "no record\n");
    bed.run(&format!("{LINE} audit")).exits(2).says(&["audit.jsonl, line 1"]);
}

/// Such a record has no facts: counted as a package it would change, and stand in the place of what was known.
#[test]
fn what_was_refused_before_any_policy_is_no_package_of_a_catalogue() {
    let bed = bed();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "").facts("official", 2, 90));
    bed.run("policy check acme/tool@1.0.0").succeeds();
    bed.run("policy check acme/missing@1.0.0").exits(2);
    let only = bed.run("policy diff --from new.yaml --to old.yaml --catalog audit").succeeds();
    assert!(only.stdout.contains("0 of 1 packages change"), "{only}");
    // The good facts stay what is known of it.
    let info = bed.run("info --json acme/tool@1.0.0").document();
    let manifest = info["manifest_digest"].as_str().or(info["facts"]["manifest_digest"].as_str()).unwrap();
    corrupt(&bed.path(&format!("registry/blobs/{}", manifest.replace(':', "-"))));
    bed.run("--cache-dir other policy check acme/tool@1.0.0").exits(3);
    let back = bed.run("policy diff --from new.yaml --to old.yaml --catalog audit").succeeds();
    assert!(back.stdout.contains("0 of 1 packages change"), "{back}");
    back.says(&["2 records of the audit log were refused before any policy was asked, and are passed over"]);
    // A status is a fact, and judged again.
    bed.write("facts.json", r#"{"name": "old", "status": "revoked"}"#);
    bed.run("policy eval --facts facts.json").exits(4);
    let status = bed.run("policy diff --from new.yaml --to old.yaml --catalog audit --json").succeeds();
    assert_eq!(serde_json::from_str::<Value>(&status.raw).unwrap()["summary"]["packages"], 2, "{status}");
}

#[test]
fn a_page_is_never_written_over_what_is_read() {
    let bed = bed();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "").good());
    bed.run("policy check acme/tool@1.0.0").succeeds();
    bed.write("extra.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    bed.write("new.yaml", format!("{NEW}  custom: [{{name: no-network, source: extra.wasm}}]\n"));
    symlink(bed.path("new.yaml"), bed.path("link")).unwrap();
    fs::hard_link(bed.path("catalogue.jsonl"), bed.path("second")).unwrap();
    fs::hard_link(bed.path(".mcp/audit.jsonl"), bed.path("log")).unwrap();
    fs::create_dir_all(bed.path(".mcp/policies.d")).unwrap();
    fs::create_dir_all(bed.path(".mcp/audit.running")).unwrap();
    let inputs = ["catalogue.jsonl", "old.yaml", "new.yaml", "extra.wasm", ".mcp/audit.jsonl"];
    let before = inputs.map(|name| fs::read(bed.path(name)).unwrap());
    for (catalogue, page) in [
        ("catalogue.jsonl", "catalogue.jsonl"),
        ("catalogue.jsonl", "./old.yaml"),
        ("catalogue.jsonl", "link"),
        ("catalogue.jsonl", "second"),
        ("catalogue.jsonl", "extra.wasm"),
        ("audit", ".mcp/audit.jsonl"),
        // What smcp keeps, whatever the catalogue is, and whether it is there or not.
        ("catalogue.jsonl", ".mcp/audit.jsonl"),
        ("catalogue.jsonl", ".mcp/audit.lock"),
        ("catalogue.jsonl", ".mcp/audit.running/page"),
        ("catalogue.jsonl", ".mcp/audit-000007.jsonl"),
        ("catalogue.jsonl", "log"),
        ("catalogue.jsonl", ".mcp/config.yaml"),
        ("catalogue.jsonl", ".mcp/compiled.key"),
        ("catalogue.jsonl", ".mcp/policies.d/page"),
    ] {
        let ran = bed.run(&format!("{LINE} {catalogue} --html {page}")).exits(1).prints("");
        ran.says(&["would be written over", "name another file"]);
    }
    assert_eq!(inputs.map(|name| fs::read(bed.path(name)).unwrap()), before);
    bed.run(&format!("{LINE} catalogue.jsonl --html page.html")).succeeds();
    bed.run(&format!("{LINE} catalogue.jsonl --html page.html")).succeeds();
}

#[test]
fn the_administrators_rules_count_only_when_they_are_asked_for() {
    let bed = bed();
    bed.write("system.yaml", "trusted_registries: [https://r.example.com]\npolicy: {min_score: 100}\n");
    let changed = |more: &str| {
        let line = format!("{LINE} catalogue.jsonl --json {more}");
        let ran = bed.smcp(&line).env("SMCP_SYSTEM_CONFIG", bed.path("system.yaml")).run().succeeds();
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        document["summary"]["newly_blocked"].clone()
    };
    assert_eq!((changed(""), changed("--with-system")), (json!(3), json!(0)));
}

/// Before there is a log, too.
#[test]
fn a_page_is_never_the_beginning_of_the_audit_log() {
    let bed = bed();
    fs::create_dir_all(bed.path(".mcp")).unwrap();
    for page in [".mcp/audit.jsonl", ".mcp/audit.lock"] {
        bed.run(&format!("{LINE} catalogue.jsonl --html {page}")).exits(1).says(&["what smcp keeps"]);
        assert!(!bed.has(page));
    }
    bed.write("config.yaml", "audit_log: ~/logs/decisions.log\n");
    fs::create_dir(bed.path("logs")).unwrap();
    bed.run(&format!("--config config.yaml {LINE} catalogue.jsonl --html logs/decisions.log")).exits(1);
    bed.run(&format!("--config config.yaml {LINE} catalogue.jsonl --html logs/decisions.html")).succeeds();
}

#[test]
fn an_audit_log_whose_chain_does_not_hold_is_no_catalogue() {
    let bed = bed();
    bed.configure("");
    bed.publish(&Package::shell("acme/good@1.0.0", "").facts("official", 2, 90));
    for _ in 0..4 {
        bed.run("policy check acme/good@1.0.0").succeeds();
    }
    let log = bed.read(".mcp/audit.jsonl");
    let lines: Vec<_> = log.split_inclusive('\n').collect();
    bed.run(&format!("{LINE} audit")).succeeds();
    let changed = lines[1].replace("\"score\":90", "\"score\":91");
    assert_ne!(changed, lines[1]);
    for (what, text, at) in [
        ("changed", [lines[0], &changed, lines[2], lines[3]].concat(), "audit.jsonl, line 3"),
        ("deleted", [lines[0], lines[2], lines[3]].concat(), "audit.jsonl, line 2"),
        ("swapped", [lines[0], lines[2], lines[1], lines[3]].concat(), "audit.jsonl, line 2"),
    ] {
        bed.write(".mcp/audit.jsonl", text);
        let ran = bed.run(&format!("{LINE} audit")).exits(2).prints("");
        assert!(ran.stderr.contains(at), "{what}: {ran}");
    }
}

/// What a registry can't describe is a catalogue that is not right; other bytes than it says are more than that.
#[test]
fn a_registry_that_can_not_describe_a_package_is_no_catalogue() {
    let bed = bed();
    bed.configure("");
    bed.publish(&Package::shell("acme/good@1.0.0", "").facts("official", 2, 90));
    let info = bed.run("info --json acme/good@1.0.0").document();
    let manifest = info["manifest_digest"].as_str().or(info["facts"]["manifest_digest"].as_str()).unwrap();
    corrupt(&bed.path(&format!("registry/blobs/{}", manifest.replace(':', "-"))));
    bed.run(&format!("{LINE} registry")).exits(3).prints("");
    bed.write("registry/packages/acme/good/1.0.0.json", "no JSON");
    bed.run(&format!("{LINE} registry")).exits(2).prints("").says(&["1.0.0.json"]);
}

#[test]
fn a_component_that_is_missing_is_told_once() {
    let bed = bed();
    bed.write("new.yaml", "policy: {custom: [{name: gone, source: gone.wasm}]}\n");
    let ran = bed.run(&format!("{LINE} catalogue.jsonl")).succeeds();
    assert_eq!(ran.stderr.matches("gone.wasm").count(), 1, "{ran}");
}
