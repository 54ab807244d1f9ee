//! Every case in `cases/`, run natively; the host runs them as a component.

#![expect(clippy::disallowed_methods, reason = "a test reads its own table")]

use smcp_policy_certification::CertificationPolicy;
use smcp_policy_sdk::testing;
use smcp_policy_sdk::testing::Case;

#[test]
fn every_case_gives_its_verdict() {
    let cases = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/certification.yaml")).unwrap();
    let cases: Vec<Case> = serde_yaml::from_str(&cases).unwrap();
    let failed: Vec<_> = cases.iter().filter_map(|case| case.run::<CertificationPolicy>().err()).collect();
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), cases.len(), failed.join("\n"));
    assert!(cases.len() > 10, "the table is there");
}

#[test]
fn it_describes_itself_by_the_rules() {
    let (description, schema) = testing::describe::<CertificationPolicy>().unwrap();
    assert_eq!((description.name, description.version), ("certification", env!("CARGO_PKG_VERSION")));
    assert!(schema.contains("\"additionalProperties\":false"), "unknown keys are refused");
}
