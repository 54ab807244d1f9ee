//! Every decision and failure as a client sees it, and too much text.

use super::*;
use crate::fixtures;
use smcp_model::limits;
use smcp_model::visible;

fn size(value: &Value) -> usize {
    visible::line(value).unwrap().len()
}

#[test]
fn every_decision_has_its_line() {
    let lines: Vec<_> = fixtures::cases()
        .iter()
        .filter(|case| case.report().exit_code != 0)
        .map(|case| {
            let ClientError { code, message, data } = decision(&case.report());
            assert!(message.len() <= limits::CLIENT_MESSAGE, "{message}");
            assert_eq!(code, -31_000 - i32::from(case.report().exit_code));
            assert_eq!(data, json::decision(&case.report()));
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

/// A document with `policies` policies that pass and one at the end that blocks, each with `findings` findings.
fn large(policies: usize, findings: usize) -> Value {
    let finding = json!({"kind": "violation", "code": "x", "message": "m".repeat(300)});
    let policy =
        |name: usize, effect: &str| json!({"name": name, "effect": effect, "findings": vec![&finding; findings]});
    let last = policy(policies, "block");
    let all: Vec<_> = (0..policies).map(|name| policy(name, "pass")).chain([last]).collect();
    json!({"schema": "smcp.decision/1", "exit_code": 4, "facts": {}, "policies": all, "notices": vec![&finding; findings]})
}

#[test]
fn a_document_is_cut_and_what_blocks_stays() {
    for (policies, findings) in [(0, 500), (200, 3), (500, 100), (2_000, 0), (3, 5_000)] {
        let whole = large(policies, findings);
        let small = cut::cut(whole.clone()).unwrap();
        assert!(size(&small) <= limits::CLIENT_DATA, "{policies}, {findings}: {}", size(&small));
        let kept = small["policies"].as_array().unwrap();
        assert_eq!(kept.last().unwrap()["name"], policies, "the policy that blocks");
        let missing = policies + 1 - kept.len();
        let more = (missing > 0).then(|| format!("and {missing} more policies"));
        assert_eq!(small.get("more").map(|more| more.as_str().unwrap().to_owned()), more);
        let listed = kept.last().unwrap()["findings"].as_array().unwrap();
        if listed.len() < findings {
            let more = format!("and {} more", findings + 1 - listed.len());
            assert_eq!(listed.last().unwrap()["message"], more);
        }
    }
    let small = large(2, 2);
    assert_eq!(cut::cut(small.clone()), Some(small));
    assert_eq!(cut::cut(json!({"facts": "x".repeat(limits::CLIENT_DATA)})), None);
}
