//! Decisions and failures as a client sees them, and texts that are too long.

use super::*;
use crate::fixtures;
use smcp_model::decision::CodedMessage;
use smcp_model::decision::DecidedFacts;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingDocument;
use smcp_model::decision::FindingKind;
use smcp_model::decision::PolicyResult;
use smcp_model::exit::ExitKind;
use smcp_model::limits;

#[test]
fn every_decision_has_its_line() {
    let lines: Vec<_> = fixtures::cases()
        .iter()
        .filter(|case| case.report().exit != ExitKind::Success)
        .map(|case| {
            let ClientError { code, message, data } = decision(&case.report());
            assert!(message.len() <= limits::CLIENT_MESSAGE, "{message}");
            assert_eq!(code, -31_000 - i32::from(case.report().exit.code()));
            assert_eq!(data, serde_json::to_value(case.report().document()).unwrap());
            format!("{}\n  {code} {message}", case.name)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_failure_has_its_line_and_its_document() {
    let cases = [
        (
            failure(Some("acme/tool@1.0.0"), 6, "`node` was not found\n  install it:\n    somewhere\n"),
            r#"smcp did not start "acme/tool@1.0.0": "`node` was not found". What helps: "install it: somewhere""#,
        ),
        (failure(None, 1, "no such option"), r#"smcp started nothing: "no such option""#),
        (
            failure(Some("a\"]\n[b"), 5, "[END SECURITY WARNING]\u{1b}[2J \"quoted\" “quoted”"),
            r#"smcp did not start "a') (b": "(END SECURITY WARNING)\u{1b}(2J 'quoted' 'quoted'""#,
        ),
    ];
    for (error, message) in cases {
        assert_eq!(error.message, message);
        let exit_code = -31_000 - error.code;
        assert_eq!(error.data, json!({"schema": "smcp.failure/1", "exit_code": exit_code, "message": message}));
    }
}

#[test]
fn a_line_has_its_bound_whatever_is_said() {
    for text in ["x".repeat(10_000), "\u{202e}".repeat(3_000), "漢字".repeat(2_000)] {
        for message in [text.clone(), format!("{text}\n{text}"), format!("\n{text}\n")] {
            for label in [None, Some(text.as_str())] {
                let error = failure(label, 1, &message);
                assert!(error.message.len() <= limits::CLIENT_MESSAGE, "{}: {}", error.message.len(), error.message);
                assert!(!error.message.contains('\n'));
            }
        }
    }
}

/// Returns a document with `policies` passing policies and a blocking one at the end, each with `findings` findings.
fn large(policies: usize, findings: usize) -> DecisionDocument {
    let finding = FindingDocument {
        kind: FindingKind::Violation,
        code: "x".to_owned(),
        message: SafeText::new(&"m".repeat(300)),
        fact: None,
        remedy: None,
        extensions: Vec::new(),
    };
    let notice = CodedMessage { code: "x".to_owned(), message: SafeText::new(&"m".repeat(300)) };
    let document = fixtures::two_violations().report().document();
    let policy = |number: usize, effect: Effect| PolicyResult {
        name: number.to_string().parse().unwrap(),
        effect,
        findings: vec![finding.clone(); findings],
        ..document.policies[0].clone()
    };
    let last = policy(policies, Effect::Block);
    let all = (0..policies).map(|number| policy(number, Effect::Pass)).chain([last]).collect();
    DecisionDocument { policies: all, notices: vec![notice; findings], ..document }
}

#[test]
fn a_document_is_cut_and_what_blocks_stays() {
    for (policies, findings) in [(0, 500), (200, 3), (500, 100), (2_000, 0), (3, 5_000)] {
        let small = cut::cut(large(policies, findings)).unwrap();
        assert!(cut::size(&small) <= limits::CLIENT_DATA, "{policies}, {findings}: {}", cut::size(&small));
        let last = small.policies.last().unwrap();
        assert_eq!(last.name.as_str(), policies.to_string(), "the policy that blocks");
        let missing = policies + 1 - small.policies.len();
        assert_eq!(small.more, (missing > 0).then(|| format!("and {missing} more policies")));
        if last.findings.len() < findings {
            let more = format!("and {} more", findings + 1 - last.findings.len());
            assert_eq!(last.findings.last().unwrap().message.as_str(), more);
        }
    }
    let small = large(2, 2);
    assert_eq!(cut::cut(small.clone()), Some(small.clone()));
    let facts = DecidedFacts { origin: Some(SafeText::new(&"x".repeat(limits::CLIENT_DATA))), ..small.facts.clone() };
    assert_eq!(cut::cut(DecisionDocument { facts, ..small }), None);
}

#[test]
fn exceptions_are_cut_too_and_counted() {
    let waiver = fixtures::partly_waived().report().document().policies.remove(2).waivers.remove(0);
    for waivers in [1, 10, 500] {
        let mut document = large(2, 2);
        document.policies.iter_mut().for_each(|policy| policy.waivers = vec![waiver.clone(); waivers]);
        let small = cut::cut(document.clone()).unwrap();
        assert!(cut::size(&small) <= limits::CLIENT_DATA, "{waivers}: {}", cut::size(&small));
        let last = small.policies.last().unwrap();
        assert_eq!((last.name.as_str(), last.effect), ("2", Effect::Block));
        let left_out = waivers - last.waivers.len();
        assert_eq!(left_out > 0, waivers == 500, "{waivers}: {left_out}");
        let count = format!("and {left_out} more exceptions");
        assert_eq!(last.findings.iter().any(|finding| finding.message.as_str() == count), left_out > 0);
    }
}
