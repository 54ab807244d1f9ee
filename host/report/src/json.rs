//! Documents for machines: the decision (spec 5), and errors likewise.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::Conclusion;
use crate::Report;
use crate::package;
use smcp_model::mode::Effect;
use smcp_model::number;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_model::visible;

/// The decision document.
pub fn decision(report: &Report<'_>) -> Value {
    let (effect, refusal, policies) = match report.conclusion {
        Conclusion::Ruled(ruling) => (ruling.effect(), None, ruling.policies()),
        Conclusion::Refused { code, message } | Conclusion::Unavailable { code, message } => {
            (Effect::Block, Some(json!({"code": code, "message": one_line(message)})), [].as_slice())
        }
    };
    let notices = report.asides().map(|(code, message)| json!({"code": code, "message": message}));
    let mut document = json!({
        "schema": "smcp.decision/1",
        "package": SafeText::new(&report.subject.label()),
        "decision": effect,
        "exit_code": report.exit_code,
    });
    put(&mut document, "refusal", refusal);
    put(&mut document, "facts", Some(package::decision_facts(report.subject)));
    put(&mut document, "policies", Some(policies.iter().map(policy).collect()));
    put(&mut document, "notices", Some(notices.collect()));
    document
}

/// The document in place of any other when there is none: wrong usage, wrong configuration, an unreachable registry.
pub fn error(code: &str, message: &str, exit_code: u8, problems: Vec<Value>) -> Value {
    json!({
        "schema": "smcp.error/1",
        "code": code,
        "message": one_line(message),
        "exit_code": exit_code,
        "problems": problems,
    })
}

/// Writes a document on one line. Characters that steer a terminal are written as `\u` escapes, which JSON reads as
/// the same text.
///
/// # Errors
/// When the writer fails.
pub fn write(document: &Value, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&visible::line(document)?)
}

fn policy(policy: &Evaluated) -> Value {
    let mut entry = json!({
        "name": policy.name,
        "layer": policy.layer,
        "mode": policy.mode,
        "outcome": policy.outcome.kind(),
    });
    put(&mut entry, "fault", fault_of(&policy.outcome).map(|fault| fault.kind.as_str().into()));
    put(&mut entry, "waiver", waiver_of(&policy.outcome).map(|reason| reason.as_str().into()));
    put(&mut entry, "effect", Some(policy.effect().as_str().into()));
    put(&mut entry, "digest", Some(json!(policy.digest)));
    put(&mut entry, "version", Some(json!(policy.version)));
    put(&mut entry, "duration_us", Some(number::micros(policy.duration).into()));
    put(&mut entry, "findings", Some(findings(&policy.outcome)));
    entry
}

const fn fault_of(outcome: &Outcome) -> Option<&Fault> {
    match outcome {
        Outcome::Fault(fault) => Some(fault),
        Outcome::Pass { .. } | Outcome::Violation(_) | Outcome::Skipped | Outcome::Waived { .. } => None,
    }
}

const fn waiver_of(outcome: &Outcome) -> Option<&SafeText> {
    match outcome {
        Outcome::Waived { reason, .. } => Some(reason),
        Outcome::Pass { .. } | Outcome::Violation(_) | Outcome::Skipped | Outcome::Fault(_) => None,
    }
}

fn findings(outcome: &Outcome) -> Value {
    let all = |kind, findings: &[Finding]| findings.iter().map(|found| finding(kind, found)).collect::<Vec<_>>();
    match outcome {
        Outcome::Pass { notices } => all("notice", notices).into(),
        Outcome::Violation(verdict) => {
            [all("violation", &verdict.violations), all("notice", &verdict.notices)].concat().into()
        }
        Outcome::Fault(fault) => json!([{
            "kind": "fault",
            "code": format!("fault-{}", fault.kind.as_str()),
            "message": fault.message,
            "fact": null,
            "remedy": fault.remedy,
        }]),
        Outcome::Skipped => Value::Array(Vec::new()),
        Outcome::Waived { findings, .. } => all("violation", findings).into(),
    }
}

fn finding(kind: &str, finding: &Finding) -> Value {
    let mut entry = json!({
        "kind": kind,
        "code": finding.code,
        "message": finding.message,
        "fact": finding.fact,
        "remedy": finding.remedy,
    });
    put(&mut entry, "extensions", (!finding.extensions.is_empty()).then(|| json!(finding.extensions)));
    entry
}

/// A message of several lines as a sentence: the lines are laid out for people.
pub(super) fn one_line(message: &str) -> SafeText {
    let mut sentence = String::new();
    for line in message.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let separator = match sentence.chars().next_back() {
            None => "",
            Some(':') => " ",
            Some(_) => "; ",
        };
        sentence.extend([separator, line]);
    }
    SafeText::new(&sentence)
}

/// Appends a key to an object, unless there is nothing to say under it.
fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Value::Object(entries), Some(value)) = (object, value) {
        entries.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn pretty(document: &Value) -> String {
        serde_json::to_string_pretty(document).unwrap()
    }

    #[test]
    fn every_decision_has_its_document() {
        for case in fixtures::cases() {
            insta::assert_snapshot!(case.name, pretty(&decision(&case.report())));
        }
    }

    #[test]
    fn the_keys_stand_in_the_order_of_the_contract() {
        let document = decision(&fixtures::two_violations().report());
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&document), "schema package decision exit_code facts policies notices");
        assert_eq!(keys(&document["facts"]), "origin cert_level score status registry bundle_digest");
        let policy = &document["policies"][0];
        assert_eq!(keys(policy), "name layer mode outcome effect digest version duration_us findings");
        assert_eq!(keys(&policy["findings"][0]), "kind code message fact remedy");
    }

    #[test]
    fn details_for_machines_are_there_when_a_policy_gives_them() {
        let found = Finding {
            code: "host".parse().unwrap(),
            message: "a host".into(),
            fact: None,
            remedy: None,
            extensions: vec![("host".into(), "a\u{1b}b".into())],
        };
        let expected = r#"{"kind":"notice","code":"host","message":"a host","fact":null,"remedy":null,"extensions":[["host","a\\u{1b}b"]]}"#;
        assert_eq!(finding("notice", &found).to_string(), expected);
    }

    #[test]
    fn an_error_has_its_document() {
        let document = error("config", "1 problem", 1, vec![json!({"line": 3})]);
        let expected =
            r#"{"schema":"smcp.error/1","code":"config","message":"1 problem","exit_code":1,"problems":[{"line":3}]}"#;
        assert_eq!(document.to_string(), expected);
        let lines = error("x", "no such thing\n  it has:\n  this\n\n  try that\n", 2, Vec::new());
        assert_eq!(lines["message"], "no such thing; it has: this; try that");
    }

    #[test]
    fn what_is_written_is_visible_and_means_the_same() {
        let text = "tab\t quote\" bell\u{7} c1\u{9b} bidi\u{202e} tag\u{e0041} 漢字 🙂";
        let document = json!({"text": text});
        let mut out = Vec::new();
        write(&document, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(
            written,
            "{\"text\":\"tab\\t quote\\\" bell\\u0007 c1\\u009b bidi\\u202e tag\\udb40\\udc41 漢字 🙂\"}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), document);
    }
}
