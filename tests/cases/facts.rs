//! Facts in a case mean what they mean in a facts document, and in the tests of the SDK.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use smcp_model::facts_document;
use smcp_policy_cases::Case;
use smcp_policy_cases::FAULTS;
use smcp_policy_cases::Limits;
use smcp_policy_cases::read;
use smcp_policy_sdk::Description;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;

/// Reads one case with these facts.
fn case_of(facts: &Value) -> Option<Case> {
    let file = json!({"cases": [{"name": "a", "facts": facts, "expect": "allow"}]});
    read(file.to_string().as_bytes(), &Limits::DEFAULT).ok().map(|file| file.cases[0].clone())
}

/// Whether smcp takes it as a facts document.
fn is_document(facts: &Value) -> bool {
    facts_document::read(facts.to_string().as_bytes(), Path::new("/"), None).is_ok()
}

/// Values of all kinds, with those at the edges of what facts may be.
fn values() -> impl Strategy<Value = Value> {
    let texts = proptest::sample::select(
        &["", " ", "official", "published", "stdio", "http", "80", "sha256:00", "https://r.example", "ftp://x", "/srv"]
            [..],
    );
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        proptest::sample::select(&[-1_i64, 0, 1, 3, 4, 100, 101, 4_294_967_295, 4_294_967_296][..])
            .prop_map(Value::from),
        Just(json!(80.5)),
        texts.prop_map(Value::from),
        Just(json!(format!("sha256:{}", "0f".repeat(32)))),
        Just(json!(format!("sha256:{}", "0F".repeat(32)))),
        Just(json!(["a", "b"])),
        Just(json!(["a", 1])),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"critical": 0, "high": 0, "medium": 0, "low": 1})),
        Just(json!({"critical": -1, "high": 0, "medium": 0, "low": 1})),
        Just(json!({"command": "x", "args": []})),
        Just(json!({"command": 1, "args": []})),
        Just(json!({"command": "x", "args": "y"})),
        Just(
            json!({"network": [], "filesystem_read": [], "filesystem_write": [], "environment": [], "subprocess": true})
        ),
        Just(json!({"network": [], "filesystem_read": [], "filesystem_write": [], "environment": [], "subprocess": 1})),
    ]
}

const KEYS: [&str; 20] = [
    "org",
    "name",
    "version",
    "registry",
    "status",
    "origin",
    "cert_level",
    "score",
    "security_score",
    "supply_chain_score",
    "maturity_score",
    "findings",
    "manifest_digest",
    "bundle_digest",
    "git_sha",
    "transport",
    "entrypoint",
    "permissions",
    "manifest",
    "scor",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_case_takes_the_facts_that_a_document_takes(key in proptest::sample::select(&KEYS[..]), value in values()) {
        let facts = json!({key: value});
        // Parts that are missing of a whole are empty in a case, and wrong in a document.
        let is_partial = matches!(key, "findings" | "permissions") && value == json!({});
        // A relative path would start at another folder for each reader.
        let is_relative = |text: &str| !text.starts_with('/') && !text.contains("://");
        prop_assume!(!(key == "registry" && value.as_str().is_some_and(is_relative)));
        let taken = case_of(&facts);
        prop_assert_eq!(taken.is_some(), is_document(&facts) || is_partial, "{}", facts);
        if let Some(case) = taken {
            prop_assert!(is_document(&case.facts.into()), "{}", facts);
        }
    }
}

/// A policy that says what it was told.
#[derive(Settings)]
struct Echo;

impl Policy for Echo {
    const DESCRIPTION: Description = Description::new("echo", "0.1.0", "Says what it was told.");

    fn evaluate(&self, request: &Request) -> Verdict {
        let told = format!("{:?} {:?}", request.subject, request.context.evaluated_at);
        Verdict::allow().violation(smcp_policy_sdk::Finding::new("told", told))
    }
}

#[test]
fn natively_a_policy_is_told_what_the_case_says() {
    let told = |facts: Value| {
        let mut case = case_of(&facts).unwrap();
        case.context.at = 7;
        let smcp_policy_sdk::testing::Found::Verdict { violations, .. } =
            smcp_policy_sdk::testing::found::<Echo>(&case)
        else {
            panic!()
        };
        violations[0].message.clone()
    };
    let nothing = told(json!({}));
    for part in ["org: \"local\"", "name: \"facts\"", "version: \"0.0.0\"", "score: None", "permissions: None", " 7"] {
        assert!(nothing.contains(part), "{part}: {nothing}");
    }
    let all = told(json!({
        "org": "acme", "score": 80, "origin": " Verified ", "permissions": {"network": ["a"]}, "findings": {"low": 3},
    }));
    for part in
        ["org: \"acme\"", "score: Some(80)", "Some(Verified)", "network: [\"a\"]", "low: 3", "subprocess: false"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
}

#[test]
fn the_kinds_of_faults_are_those_of_the_host() {
    let kinds = smcp_model::verdict::FaultKind::ALL.map(|kind| kind.as_str());
    assert_eq!(kinds, FAULTS);
}
