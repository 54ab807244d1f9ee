//! `smcp policy explain`: where each rule comes from, what it was told, and what would be enough for it.

use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::guest::Twin;

const RULES: &str = "\
admin_contact: \"#sec-help\"
policy:
  allowed_origins: [official, verified]
  min_cert_level: 2
  min_score: 80
  custom:
    - name: no-network
      source: no_network.wasm
      settings: {allow: [api.example.com]}
";

/// A policy that objects to everything, whatever it is told.
const ALWAYS: &str = "(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))";

fn bed(rules: &str) -> TestBed {
    let bed = TestBed::new();
    bed.configure(rules);
    bed.write(".mcp/no_network.wasm", std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    let asks = |manifest: &mut Value| {
        manifest["permissions"]["network"]["outbound"] = json!(["evil.example.net", "api.example.com"]);
    };
    bed.publish(&Package::shell("acme/tool@1.0.0", "").manifest(asks).facts("community", 0, 35));
    bed
}

/// What is printed, without times.
fn shown(ran: &Ran) -> String {
    let shown = |line: &str| match line.split_once(" µs") {
        Some((before, at)) => format!("{}[TIME] µs  {}", before.trim_end_matches(char::is_numeric), at.trim_start()),
        None if line.contains("as of 20") => "  decided    as of [TIME]".to_owned(),
        None => line.to_owned(),
    };
    ran.stdout.lines().map(|line| shown(line) + "\n").collect()
}

#[test]
fn a_refusal_is_explained_on_one_screen() {
    let bed = bed(RULES);
    let ran = bed.run("policy explain acme/tool@1.0.0").exits(0).silent();
    insta::assert_snapshot!("explained", shown(&ran));
    assert!(ran.stdout.lines().count() <= 55, "{ran}");
    assert!(!bed.has(".mcp/audit.jsonl"), "nothing is recorded");
    let coloured = bed.run("--color always policy explain acme/tool@1.0.0").exits(0);
    assert!(coloured.stdout.contains("\u{1b}["), "{coloured}");
}

#[test]
fn what_would_pass_does_pass() {
    let bed = bed(RULES);
    let document = bed.run("policy explain acme/tool@1.0.0 --json").exits(0).document();
    assert_eq!(document["schema"], "smcp.explanation/1");
    let facts: Vec<_> = document["passes_with"].as_array().unwrap().iter().map(|it| it["fact"].clone()).collect();
    assert_eq!(json!(facts), json!(["origin", "cert_level", "score", "permissions.network"]));
    for policy in document["policies"].as_array().unwrap() {
        assert!(policy["at"].as_str().unwrap().starts_with("~/.mcp/config.yaml:"), "{policy}");
        assert_eq!(policy["told"]["facts"]["score"], 35, "{policy}");
        assert_eq!(policy["passes_with"]["changes"].as_array().unwrap().len(), 1, "{policy}");
    }
    let permissions = json!({"network": document["passes_with"][3]["to"], "filesystem_read": [],
        "filesystem_write": [], "environment": [], "subprocess": false});
    let changed = json!({"origin": document["passes_with"][0]["to"], "cert_level": document["passes_with"][1]["to"],
        "score": document["passes_with"][2]["to"], "permissions": permissions});
    bed.write("facts.json", changed.to_string());
    bed.run("policy eval --facts facts.json").exits(0);
    // One less of anything does not.
    for (fact, less) in [("origin", json!("community")), ("cert_level", json!(1)), ("score", json!(79))] {
        let mut changed = changed.clone();
        changed[fact] = less;
        bed.write("facts.json", changed.to_string());
        bed.run("policy eval --facts facts.json").exits(4);
    }
}

#[test]
fn the_exception_that_is_offered_lifts_the_refusal() {
    let bed = bed(RULES);
    let document = bed.run("policy explain acme/tool@1.0.0 --json").exits(0).document();
    let entries = document["exceptions"].as_array().unwrap().iter().map(|it| it["entry"].as_str().unwrap());
    let entries: String = entries.collect();
    bed.configure(&format!("{RULES}  exceptions:\n{entries}"));
    bed.run("policy check acme/tool@1.0.0").refuses(1, &["reason"]);
    let approved =
        entries.replace("reason:  # why", "reason: why").replace("until:  # YYYY-MM-DD", "until: 9999-12-31");
    bed.configure(&format!("{RULES}  exceptions:\n{approved}"));
    bed.run("policy check acme/tool@1.0.0").exits(0);
    let ran = bed.run("policy explain acme/tool@1.0.0").exits(0);
    assert!(ran.stdout.contains("exception:") && !ran.stdout.contains("would pass"), "{ran}");
}

#[test]
fn a_component_that_nobody_knows_is_asked_like_any_other() {
    let bed = bed("policy: {custom: [{name: never, source: never.wasm}]}\n");
    bed.write(".mcp/never.wasm", Twin::honest().with(ALWAYS).component());
    let ran = bed.run("policy explain acme/tool@1.0.0").exits(0);
    assert!(ran.stdout.contains("would not pass: with any value of the facts that can be tried"), "{ran}");
    assert!(ran.stdout.contains("no change of its facts was found with which it would run"), "{ran}");
    assert!(ran.stdout.contains("codes: [planted]"), "{ran}");
}

/// The first call takes its whole time, and so would each of the hundreds that follow.
#[test]
fn a_policy_that_never_answers_ends_the_search_and_not_the_patience() {
    let bed = bed("policy: {custom: [{name: spins, source: spins.wasm, limits: {time: 100ms}}]}\n");
    bed.write(".mcp/spins.wasm", Twin::of("evaluate-spins").component());
    let begun = Instant::now();
    let document = bed.run("policy explain acme/tool@1.0.0 --json").exits(0).document();
    assert!(begun.elapsed() < Duration::from_secs(30));
    let way = &document["policies"][3]["passes_with"];
    assert_eq!((&way["changes"], &way["bound_reached"]), (&Value::Null, &json!(true)), "{way}");
}

/// What asks for thousands of hosts is searched in the same time, and what could not be tried is said.
#[test]
fn thousands_of_hosts_are_told_apart_within_the_bound() {
    let rules =
        "policy: {custom: [{name: no-network, source: no_network.wasm, settings: {allow: ['*.corp.example']}}]}\n";
    let bed = bed(rules);
    for count in [1000, 20_000] {
        let host = |at| format!("h{at}.{}", if at % 2 == 0 { "corp.example" } else { "example.net" });
        let hosts: Vec<String> = (0..count).map(host).collect();
        let permissions = json!({"network": hosts, "filesystem_read": [], "filesystem_write": [], "environment": [],
            "subprocess": false});
        let facts =
            json!({"name": "a", "origin": "official", "cert_level": 3, "score": 90, "permissions": permissions});
        bed.write("facts.json", facts.to_string());
        let begun = Instant::now();
        let document = bed.run("policy explain --facts facts.json --json").exits(0).document();
        assert!(begun.elapsed() < Duration::from_secs(30), "{count}: {:?}", begun.elapsed());
        let way = &document["policies"][3]["passes_with"];
        let is_cut = way["bound_reached"] == true;
        assert_eq!(document["bound_reached"], is_cut, "{count}");
        let kept: Vec<String> = serde_json::from_value(way["changes"][0]["to"].clone()).unwrap();
        assert!(kept.iter().all(|host| host.ends_with("corp.example")), "{count}");
        assert!(is_cut || kept.len() == count / 2, "{count}: {}", kept.len());
        assert!(is_cut || count == 1000, "5,000 questions are too few for {count}");
        let said = bed.run("policy explain --facts facts.json").exits(0).stdout;
        let bounds = said.matches("less may be enough: the search ended at its bound").count();
        assert!(count == 1000 || bounds == 2, "{bounds}");
    }
}

#[test]
fn a_policy_that_can_not_be_loaded_says_that_no_facts_help() {
    let bed = bed("policy: {custom: [{name: gone, source: gone.wasm}]}\n");
    let ran = bed.run("policy explain acme/tool@1.0.0").exits(0);
    assert!(ran.stdout.contains("would not pass: whatever the facts are: the policy itself failed"), "{ran}");
    assert!(ran.stdout.contains("no exception would lift this: a policy has failed, and"), "{ran}");
}

#[test]
fn settings_that_are_at_fault_are_to_be_mended_and_no_policy_is_blamed() {
    let bed = bed("policy: {custom: [{name: no-network, source: no_network.wasm, settings: {allow: 5}}]}\n");
    let ran = bed.run("policy explain acme/tool@1.0.0").exits(0);
    assert!(ran.stdout.contains("would not pass: whatever the facts are: its settings are to be mended"), "{ran}");
    assert!(ran.stdout.contains("no exception would lift this: the settings of a policy are at fault"), "{ran}");
    assert!(!ran.stdout.contains("failed"), "{ran}");
}

#[test]
fn a_layer_that_does_not_believe_the_registry_says_so() {
    let bed = bed("trusted_registries: [https://other.example.com]\npolicy: {min_score: 80}\n");
    let ran = bed.run("policy explain acme/tool@1.0.0").exits(0);
    assert!(ran.stdout.contains("does not trust the registry"), "{ran}");
    assert!(ran.stdout.contains("would not pass: with any value"), "{ran}");
    let document = bed.run("policy explain acme/tool@1.0.0 --json").exits(0).document();
    assert_eq!(document["policies"][2]["told"]["by"], "nothing");
    assert_eq!(document["policies"][2]["told"]["facts"]["score"], Value::Null);
    assert_eq!(document["decision"]["facts"]["score"], 35);
}

#[test]
fn every_layer_says_where_its_rules_are_and_what_they_were_told() {
    let bed = bed("policy: {min_cert_level: 1}\n");
    let registry = bed.path("registry");
    bed.write("added.yaml", format!("registry_url: {}\npolicy: {{min_score: 60}}\n", registry.display()));
    let explain = |line: &str| {
        bed.smcp(&format!("policy explain acme/tool@1.0.0 {line}"))
            .env("SMCP_SYSTEM_CONFIG", bed.path("added.yaml"))
            .run()
    };
    let document = explain("--json").exits(0).document();
    let places: Vec<_> = document["policies"].as_array().unwrap().iter().map(|it| (&it["layer"], &it["at"])).collect();
    assert_eq!(places[2], (&json!("added"), &json!("~/added.yaml:2:21")), "{places:?}");
    assert_eq!(places[4], (&json!("user"), &json!("~/.mcp/config.yaml:2:26")), "{places:?}");
    assert_eq!(places[0], (&json!("added"), &Value::Null), "{places:?}");
    let together: Vec<_> = document["passes_with"].as_array().unwrap().iter().map(|it| it["fact"].clone()).collect();
    assert_eq!(json!(together), json!(["cert_level", "score"]));
    let files: Vec<_> = document["exceptions"].as_array().unwrap().iter().map(|it| it["layer"].clone()).collect();
    assert_eq!(json!(files), json!(["added", "user"]));
    let ran = explain("").exits(0);
    assert!(ran.stdout.contains("  added layer: its") && ran.stdout.contains("  user layer: its"), "{ran}");
}

#[test]
fn a_question_is_a_refusal_unless_trust_answers_it() {
    let bed = bed("policy: {min_score: 80, cert_mode: warn}\n");
    let asked = bed.run("policy explain acme/tool@1.0.0").exits(0);
    assert!(asked.stdout.contains("would pass: score 80 (is 35)"), "{asked}");
    let trusted = bed.run("policy explain --trust acme/tool@1.0.0").exits(0);
    assert!(!trusted.stdout.contains("would pass"), "{trusted}");
}

#[test]
fn what_is_refused_before_any_policy_is_explained_too() {
    let bed = bed(RULES);
    bed.write("facts.json", r#"{"status": "revoked"}"#);
    let ran = bed.run("policy explain --facts facts.json").exits(0);
    assert!(ran.stdout.contains("no rule, no option and no exception lifts this"), "{ran}");
    let document = bed.run("policy explain --facts facts.json --json").exits(0).document();
    assert_eq!((&document["decision"]["refusal"]["code"], &document["policies"]), (&json!("status"), &json!([])));
}

#[test]
fn what_can_not_be_explained_is_no_explanation() {
    let bed = bed(RULES);
    bed.run("policy explain acme/other@1.0.0").exits(2);
    bed.run("policy explain").refuses(1, &["REF|--facts <FILE>|--record <NUMBER>"]);
    bed.run("policy explain acme/tool@1.0.0 --facts f").refuses(1, &["cannot be used with"]);
    bed.run("policy explain --facts gone.json").refuses(1, &["gone.json"]);
    bed.run("policy explain --record 1").refuses(1, &["has no record 1"]);
}

#[test]
fn a_record_is_explained_by_the_rules_of_its_time() {
    let bed = bed(RULES);
    bed.run("policy check acme/tool@1.0.0").exits(4);
    bed.configure("policy: {min_score: 80}\n");
    let ran = bed.run("policy explain --record 1").exits(0);
    for words in ["is refused: 4 of 4 policies block it", "cert_level 2 (is 0)", "not in force now"] {
        assert!(ran.stdout.contains(words), "{words}: {ran}");
    }
    bed.run("run --dry-run acme/tool@1.0.0").exits(4);
    bed.configure(RULES);
    let ran = bed.run("policy explain --record 1").exits(0);
    assert!(ran.stdout.contains("~/.mcp/config.yaml:6:14"), "{ran}");
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let bed = bed(RULES);
    let hostile = "x\u{1b}[2J\u{202e}\n- evil: true";
    let facts = json!({"org": hostile, "name": hostile, "origin": hostile, "score": 1,
        "permissions": {"network": [hostile], "filesystem_read": [hostile], "filesystem_write": [], "environment": [],
        "subprocess": true}});
    bed.write("facts.json", facts.to_string());
    let ran = bed.run("policy explain --facts facts.json").exits(0);
    assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']), "{ran}");
    assert!(ran.stdout.lines().all(|line| !line.starts_with("- evil")), "{ran}");
    let json = bed.run("policy explain --facts facts.json --json").exits(0);
    assert!(!json.raw.contains(['\u{1b}', '\u{202e}']), "{json}");
}
