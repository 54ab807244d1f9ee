//! Every case in `cases/`, run natively; the host runs them as a component.

use smcp_policy_origin::OriginPolicy;
use smcp_policy_sdk::testing;
use smcp_policy_sdk::testing::Cases;
use smcp_policy_sdk::testing::Found;

#[test]
fn every_case_gives_its_verdict() {
    testing::assert_cases::<OriginPolicy>("cases");
}

#[test]
fn every_finding_has_a_remedy() {
    let cases = Cases::read("cases").unwrap();
    assert!(cases.iter().count() > 10, "the table is there");
    for (_, case) in cases.iter() {
        let Found::Verdict { violations, notices } = testing::found::<OriginPolicy>(case) else { continue };
        for finding in violations.iter().chain(&notices) {
            assert!(finding.remedy.as_ref().is_some_and(|it| !it.trim().is_empty()), "{}: {}", case.name, finding.code);
        }
    }
}

#[test]
fn it_describes_itself_by_the_rules() {
    let (description, schema) = testing::describe::<OriginPolicy>().unwrap();
    assert_eq!((description.name, description.version), ("origin", env!("CARGO_PKG_VERSION")));
    assert!(schema.contains("\"additionalProperties\":false"), "unknown keys are refused");
}
