//! Every case in `cases/`, run natively; the host runs them as a component.

use smcp_policy_score::ScorePolicy;
use smcp_policy_sdk::testing;
use smcp_policy_sdk::testing::Cases;
use smcp_policy_sdk::testing::Found;
use smcp_policy_sdk::testing::RequestBuilder;

#[test]
fn every_case_gives_its_verdict() {
    testing::assert_cases::<ScorePolicy>("cases");
}

#[test]
fn every_finding_has_a_remedy() {
    let cases = Cases::read("cases").unwrap();
    assert!(cases.iter().count() > 10, "the table is there");
    for (_, case) in cases.iter() {
        let Found::Verdict { violations, notices } = testing::found::<ScorePolicy>(case) else { continue };
        for finding in violations.iter().chain(&notices) {
            assert!(finding.remedy.as_ref().is_some_and(|it| !it.trim().is_empty()), "{}: {}", case.name, finding.code);
        }
    }
}

/// smcp never passes such a value on, but a policy must not depend on that.
#[test]
fn what_is_out_of_range_is_unknown_and_never_clamped() {
    let request = RequestBuilder::new().score(200).build();
    let verdict = testing::evaluate::<ScorePolicy>(&request, r#"{"min_score": 50}"#).unwrap();
    let found: Vec<_> = verdict.violations.iter().map(|it| (&*it.code, &*it.message, it.fact.as_deref())).collect();
    let message = "security score is unknown, minimum required score is 50";
    assert_eq!(found, [("score-unknown", message, Some("score"))], "SC-C");
    assert!(verdict.violations.iter().all(|finding| finding.remedy.is_some()) && verdict.notices.is_empty());
}

#[test]
fn it_describes_itself_by_the_rules() {
    let (description, schema) = testing::describe::<ScorePolicy>().unwrap();
    assert_eq!((description.name, description.version), ("score", env!("CARGO_PKG_VERSION")));
    assert!(schema.contains("\"additionalProperties\":false"), "unknown keys are refused");
}
