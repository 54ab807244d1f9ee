//! Every language gives the same verdicts, through the real binary, under a configuration without `limits`.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::made::Made;
use crate::made::all;

/// Hosts that a server asks for, and the settings of the policies that judge it: the hosts that each allows, and how
/// many of them it refuses.
const ASKED: [&str; 3] = ["api.example.com", "münchen.example", "*.example.net"];
const ALLOWED: [(&str, &[&str], usize); 5] = [
    ("all", &ASKED, 0),
    ("more", &["other.example", "*.example.net", "münchen.example", "api.example.com"], 0),
    ("two", &["api.example.com", "*.example.net"], 1),
    ("near", &["API.example.com", "example.com", "*.example.net"], 2),
    ("none", &[], 3),
];

/// Settings that every language refuses, and what those say that write their own messages.
const BAD: [(&str, &str, &str); 9] = [
    ("empty", "{}", "settings: the key `allow` is needed, and no other is known"),
    ("unknown", r#"{"allow": [], "allw": []}"#, "settings: the key `allow` is needed, and no other is known"),
    ("misspelt", r#"{"allw": []}"#, "settings: the key `allow` is needed, and no other is known"),
    ("text", r#"{"allow": "api.example.com"}"#, "/allow: a list of hosts is needed"),
    ("null", r#"{"allow": null}"#, "/allow: a list of hosts is needed"),
    ("number", r#"{"allow": ["a", 7]}"#, "/allow/1: a host is a text, not empty, without quotes or backslashes"),
    (
        "nested",
        r#"{"allow": [["a", {"b": 1}]]}"#,
        "/allow/0: a host is a text, not empty, without quotes or backslashes",
    ),
    ("blank", r#"{"allow": ["a", "b", ""]}"#, "/allow/2: a host is a text, not empty, without quotes or backslashes"),
    ("quoted", r#"{"allow": ["a\"b"]}"#, "/allow/0: a host is a text, not empty, without quotes or backslashes"),
];

/// Compiling takes seconds for some of them, and a start compiles all.
const PATIENCE: &str = "start_timeout: 1h\n";

/// A bed with every component under every kind of settings, good and bad.
fn bed(made: &[Made]) -> TestBed {
    let bed = TestBed::new();
    let mut text = format!("{PATIENCE}policy:\n  custom:\n");
    for Made { name, component } in made {
        let good = ALLOWED.iter().map(|(variant, allow, _)| (*variant, json!({"allow": allow}).to_string()));
        let bad = BAD.iter().map(|(variant, settings, _)| (*variant, (*settings).to_owned()));
        for (variant, settings) in good.chain(bad) {
            // JSON is YAML.
            text.push_str(&format!(
                "    - {{name: {name}-{variant}, source: {}, mode: warn, settings: {settings}}}\n",
                component.display()
            ));
        }
    }
    bed.configure(&text);
    bed
}

/// What a policy said, as code, message, fact and remedy.
fn findings(document: &Value, policy: &str, kind: &str) -> Vec<Value> {
    let policies = document["policies"].as_array().unwrap();
    let policy = policies.iter().find(|each| each["name"] == policy).unwrap_or_else(|| panic!("no {policy}"));
    let findings = policy["findings"].as_array().unwrap().iter().filter(|each| each["kind"] == kind);
    findings.map(|it| json!([it["code"], it["message"], it["fact"], it["remedy"]])).collect()
}

fn outcome<'d>(document: &'d Value, policy: &str) -> &'d Value {
    let policies = document["policies"].as_array().unwrap();
    &policies.iter().find(|each| each["name"] == policy).unwrap()["outcome"]
}

const FACT: &str = "permissions.network";

/// Checks the verdicts on a package that asks for all hosts.
fn judged(document: &Value, made: &[Made]) {
    for Made { name: language, .. } in made {
        for (variant, allow, refused) in ALLOWED {
            let policy = format!("{language}-{variant}");
            let first = ASKED.into_iter().find(|host| !allow.contains(host)).unwrap_or_default();
            let message = match refused {
                0 => None,
                1 => Some(format!("the server asks for {first}, which is not allowed")),
                _ => Some(format!("the server asks for {first} and {} more hosts that are not allowed", refused - 1)),
            };
            let remedy = "add the host to `allow`, if you trust it";
            let violation = message.map(|message| json!(["host-not-allowed", message, FACT, remedy]));
            let notice = json!(["network-asked", format!("hosts asked for: 3, refused: {refused}"), FACT, null]);
            assert_eq!(findings(document, &policy, "violation"), Vec::from_iter(violation), "{policy}");
            assert_eq!(findings(document, &policy, "notice"), [notice], "{policy}");
            assert_eq!(outcome(document, &policy), if refused == 0 { "pass" } else { "violation" }, "{policy}");
        }
        for (variant, settings, says) in BAD {
            let policy = format!("{language}-{variant}");
            let fault = findings(document, &policy, "fault");
            assert_eq!(fault.len(), 1, "{policy} refuses {settings}: {document:#}");
            assert_eq!(
                (outcome(document, &policy), &fault[0][0]),
                (&json!("fault"), &json!("fault-settings")),
                "{policy}"
            );
            // Rust's messages are those of its SDK.
            let message = fault[0][1].as_str().unwrap();
            assert!(message.contains(says) || *language == "rust", "{policy}: {message}");
        }
    }
}

#[test]
fn every_language_judges_facts_alike_and_refuses_bad_settings() {
    let made = all();
    let bed = bed(made);
    let permissions = |network: Value| {
        json!({"permissions": {"network": network, "filesystem_read": [], "filesystem_write": [], "environment": [],
            "subprocess": false}})
    };
    bed.write("asked.json", permissions(json!(ASKED)).to_string());
    bed.write("nothing.json", permissions(json!([])).to_string());
    bed.write("unknown.json", "{}");

    let asked = bed.run("--json -vv policy eval --facts asked.json");
    judged(&asked.document(), made);
    for Made { name, .. } in made {
        asked
            .stderr
            .lines()
            .find(|line| line.contains(&format!("{{name={name}-two}}: smcp::policy: hosts asked for: 3")))
            .unwrap_or_else(|| panic!("{name} logs: {}", asked.stderr));
    }
    let (nothing, unknown) =
        (bed.run("--json policy eval --facts nothing.json"), bed.run("--json policy eval --facts unknown.json"));
    for Made { name, .. } in made {
        for (variant, ..) in ALLOWED {
            let policy = format!("{name}-{variant}");
            assert_eq!(outcome(&nothing.document(), &policy), "pass", "{policy}");
            assert!(findings(&nothing.document(), &policy, "notice").is_empty(), "{policy}");
            let violation = json!([
                "network-unknown",
                "what the server asks of the network is unknown",
                FACT,
                "use a package whose manifest declares its permissions"
            ]);
            assert_eq!(findings(&unknown.document(), &policy, "violation"), [violation], "{policy}");
        }
    }
}

#[test]
fn every_language_judges_a_package_alike_in_a_dry_run() {
    let made = all();
    let bed = bed(made);
    let asks = |manifest: &mut Value| manifest["permissions"]["network"] = json!({"outbound": ASKED});
    bed.publish(&Package::greeter("acme/asks@1.0.0").manifest(asks).good());
    let ran = bed.run("--json run --dry-run acme/asks@1.0.0").succeeds();
    judged(&ran.document(), made);
}
