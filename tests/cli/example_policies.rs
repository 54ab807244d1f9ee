//! The policies in `examples/policies`, as a configuration puts them in force together.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::bed::TestBed;

/// The components, each with settings under which the package of `facts` passes.
const CONFIGURATION: &str = "
policy:
  custom:
    - {name: no-network, source: dist/no_network.wasm, settings: {allow: [api.example.com]}}
    - {name: findings-by-severity, source: dist/findings_by_severity.wasm}
    - {name: publishers, source: dist/publishers.wasm, settings: {allow: {'acme/*': null, acme/tool: '>=1.2.0'}}}
    - {name: change-freeze, source: dist/change_freeze.wasm,
       settings: {windows: [{day: monday, hours: 168}], keep: {acme/tool: '>=1.2.0-0'}}}
    - {name: package-age, source: dist/package_age.wasm, settings: {min_days: 14, first_seen: {acme/tool@1.2.0: 2020-01-01}}}
    - {name: no-fetch-at-start, source: dist/no_fetch_at_start.wasm}
";

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure(CONFIGURATION);
    for entry in fs::read_dir(format!("{ROOT}/examples/policies/dist")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(CONFIGURATION.contains(name), "{name} is configured here");
            bed.write(Path::new(".mcp/dist").join(name).to_str().unwrap(), fs::read(&path).unwrap());
        }
    }
    bed
}

fn facts() -> Value {
    json!({
        "org": "acme", "name": "tool", "version": "1.2.0",
        "findings": {"critical": 0, "high": 0, "medium": 9, "low": 9},
        "entrypoint": {"command": "node", "args": ["server.js"]},
        "permissions": {
            "network": ["API.example.com"], "filesystem_read": [], "filesystem_write": [], "environment": [],
            "subprocess": false,
        },
    })
}

/// The custom policies that are violated, with the codes of their findings.
fn violated(bed: &TestBed, facts: &Value) -> Vec<(String, Vec<String>)> {
    bed.write("facts.json", facts.to_string());
    let document = bed.run("policy eval --json --facts facts.json").document();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let policies = document["policies"].as_array().unwrap();
    assert!(policies.iter().all(|policy| policy["outcome"] != "fault"), "{document:#}");
    let violated = policies.iter().filter(|policy| policy["outcome"] == "violation");
    let codes =
        |policy: &Value| policy["findings"].as_array().unwrap().iter().map(|finding| text(&finding["code"])).collect();
    violated.map(|policy| (text(&policy["name"]), codes(policy))).collect()
}

#[test]
fn all_of_them_are_in_force_together_and_let_a_good_package_pass() {
    let bed = bed();
    bed.run("config validate").succeeds();
    assert_eq!(violated(&bed, &facts()), []);
}

#[test]
fn each_refuses_what_it_is_for() {
    let bed = bed();
    let changed = |change: fn(&mut Value)| {
        let mut facts = facts();
        change(&mut facts);
        violated(&bed, &facts)
    };
    let one = |name: &str, code: &str| vec![(name.to_owned(), vec![code.to_owned()])];
    let network = changed(|facts| facts["permissions"]["network"] = json!(["api.example.com.evil.com"]));
    assert_eq!(network, one("no-network", "network-not-allowed"));
    let findings = changed(|facts| facts["findings"]["high"] = json!(1));
    assert_eq!(findings, one("findings-by-severity", "too-many-high"));
    // A package without a word about it: its owner is unknown to the list, its version to the freeze and to the calendar.
    let stranger = changed(|facts| facts["org"] = json!("acme-evil"));
    let names: Vec<_> = stranger.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["publishers", "change-freeze", "package-age"]);
    let fetches = changed(|facts| facts["entrypoint"] = json!({"command": "docker", "args": ["run", "image"]}));
    assert_eq!(fetches, one("no-fetch-at-start", "fetches-at-start"));
}

#[test]
fn what_is_not_known_is_refused_by_each_that_needs_it() {
    let found = violated(&bed(), &json!({"org": "acme", "name": "tool", "version": "1.2.0"}));
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["no-network", "findings-by-severity", "no-fetch-at-start"]);
}

/// What a component of a few lines may have, bytes: what `sdk/rust/README.md` promises.
const FEW_LINES: u64 = 40 * 1024;

#[test]
fn a_policy_of_a_few_lines_stays_small() {
    for file in ["examples/policies/dist/findings_by_severity.wasm", "builtin-policies/dist/score.wasm"] {
        let size = fs::metadata(Path::new(ROOT).join(file)).unwrap().len();
        assert!(size < FEW_LINES, "{file} has {size} bytes");
    }
}
