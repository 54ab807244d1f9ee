//! Every case in `cases/`, run natively; the host runs them as a component.

use smcp_policy_certification::CertificationPolicy;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::testing;
use smcp_policy_sdk::testing::Cases;
use smcp_policy_sdk::testing::Found;
use smcp_policy_sdk::testing::RequestBuilder;

#[test]
fn every_case_gives_its_verdict() {
    testing::assert_cases::<CertificationPolicy>("cases");
}

#[test]
fn every_finding_has_a_remedy() {
    let cases = Cases::read("cases").unwrap();
    assert!(cases.iter().count() > 10, "the table is there");
    for (_, case) in cases.iter() {
        let Found::Verdict { violations, notices } = testing::found::<CertificationPolicy>(case) else { continue };
        for finding in violations.iter().chain(&notices) {
            assert!(finding.remedy.as_ref().is_some_and(|it| !it.trim().is_empty()), "{}: {}", case.name, finding.code);
        }
    }
}

/// smcp never passes such values on, but a policy must not depend on that.
#[test]
fn what_is_out_of_range_is_unknown_and_never_clamped() {
    let judged = |request: RequestBuilder, settings| {
        testing::evaluate::<CertificationPolicy>(&request.build(), settings).unwrap()
    };
    let verdict = judged(RequestBuilder::new().cert_level(100), r#"{"min_cert_level": 2}"#);
    let message = "certification level is unknown, minimum required level is 2 (Security Certified)";
    let found: Vec<_> = verdict.violations.iter().map(|it| (&*it.code, &*it.message, it.fact.as_deref())).collect();
    assert_eq!(found, [("cert-level-unknown", message, Some("cert_level"))], "CL-S3");
    assert!(verdict.violations.iter().all(|finding| finding.remedy.is_some()) && verdict.notices.is_empty());
    for (request, settings) in [
        (RequestBuilder::new().cert_level(4).score(10), "{}"),
        (RequestBuilder::new().cert_level(3).score(101), r#"{"cert_score_check": "enforce"}"#),
    ] {
        assert_eq!(judged(request.clone(), settings), Verdict::allow(), "{request:?}");
    }
}

#[test]
fn it_describes_itself_by_the_rules() {
    let (description, schema) = testing::describe::<CertificationPolicy>().unwrap();
    assert_eq!((description.name, description.version), ("certification", env!("CARGO_PKG_VERSION")));
    assert!(schema.contains("\"additionalProperties\":false"), "unknown keys are refused");
}
