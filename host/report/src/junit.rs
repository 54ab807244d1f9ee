//! A decision as JUnit XML, for CI systems: one test case for each policy.
//!
//! A document has a failure or an error exactly when smcp exits with another code than 0. What a policy says under `warn`
//! is in `system-out`: a CI system that counted it as a failure would contradict the exit code.

use std::fmt::Write as _;
use std::time::Duration;

use crate::xml::HEAD;
use crate::xml::escaped;
use crate::xml::escaped_lines;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingDocument;
use smcp_model::decision::PolicyResult;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_model::verdict::OutcomeKind;

const NAME: &str = "smcp";
/// The test case of a decision that was made before any policy was evaluated.
const BEFORE: &str = "before any policy";

/// The result of a test case, in the elements that the format has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TestResult {
    Passed,
    Skipped,
    Failure,
    Error,
}

/// A test case: its name, its result, and what is said about it.
struct TestCase {
    name: String,
    time: Duration,
    result: TestResult,
    /// The kind of a failure or an error.
    kind: String,
    said: Vec<String>,
}

/// Returns the document of a decision.
pub fn decision(document: &DecisionDocument) -> String {
    let is_refused = document.exit_code != ExitKind::Success.code();
    let of_policy = |policy: &PolicyResult| policy_case(policy, is_refused);
    let mut cases: Vec<_> = document.policies.iter().map(of_policy).collect();
    if let Some(refusal) = &document.refusal {
        let kinds = [ExitKind::Integrity.code(), ExitKind::Refused.code()];
        let is_judged = kinds.contains(&document.exit_code);
        let result = if is_judged { TestResult::Failure } else { TestResult::Error };
        let said = vec![refusal.message.to_string()];
        cases.push(TestCase {
            name: BEFORE.to_owned(),
            time: Duration::ZERO,
            result,
            kind: refusal.code.clone(),
            said,
        });
    }
    let notices = document.notices.iter().map(|notice| format!("{}: {}", notice.code, notice.message));
    written(document.package.as_str(), &cases, &notices.collect::<Vec<_>>())
}

/// Returns the document of a command that came to no decision, because of what `message` says.
pub fn failed(code: &str, message: &str) -> String {
    let said = message.lines().map(ToOwned::to_owned).collect();
    let (name, kind) = (BEFORE.to_owned(), code.to_owned());
    written(NAME, &[TestCase { name, time: Duration::ZERO, result: TestResult::Error, kind, said }], &[])
}

fn policy_case(policy: &PolicyResult, is_refused: bool) -> TestCase {
    let counts = policy.effect == Effect::Block || policy.effect == Effect::Ask && is_refused;
    let result = match policy.outcome {
        OutcomeKind::Skipped => TestResult::Skipped,
        OutcomeKind::Fault if counts => TestResult::Error,
        OutcomeKind::Violation if counts => TestResult::Failure,
        OutcomeKind::Pass | OutcomeKind::Violation | OutcomeKind::Fault | OutcomeKind::Waived => TestResult::Passed,
    };
    let name = match policy.layer {
        LayerName::User => policy.name.to_string(),
        LayerName::System | LayerName::SystemSet | LayerName::Added | LayerName::AddedSet | LayerName::UserSet => {
            format!("{} ({} layer)", policy.name, policy.layer.as_str())
        }
    };
    let waivers = policy.waivers.iter().map(|waiver| format!("exception: {waiver}"));
    let contact = policy.admin_contact.iter().map(|contact| format!("ask: {contact}"));
    TestCase {
        name,
        time: Duration::from_micros(policy.duration_us),
        result,
        kind: policy.findings.first().map(|finding| finding.code.clone()).unwrap_or_default(),
        said: policy.findings.iter().map(finding_line).chain(waivers).chain(contact).collect(),
    }
}

/// `violation score-below-minimum: MESSAGE → REMEDY`.
fn finding_line(finding: &FindingDocument) -> String {
    let FindingDocument { kind, code, message, fact: _, remedy, extensions: _ } = finding;
    let remedy = remedy.as_ref().map(|remedy| format!(" → {remedy}")).unwrap_or_default();
    format!("{} {code}: {message}{remedy}", kind.as_str())
}

fn written(suite: &str, cases: &[TestCase], notices: &[String]) -> String {
    let count = |result| cases.iter().filter(|case| case.result == result).count();
    let (failures, errors) = (count(TestResult::Failure), count(TestResult::Error));
    let time = seconds(cases.iter().map(|case| case.time).sum());
    let totals = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", cases.len());
    let (name, skipped) = (escaped(suite), count(TestResult::Skipped));
    let mut xml = format!(
        "{HEAD}<testsuites name=\"{NAME}\" {totals} time=\"{time}\">\n  <testsuite name=\"{name}\" {totals} \
         skipped=\"{skipped}\" time=\"{time}\">\n"
    );
    cases.iter().for_each(|case| test_case(case, &name, &mut xml));
    output(notices, 4, &mut xml);
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn test_case(case: &TestCase, class: &str, xml: &mut String) {
    let (name, time) = (escaped(&case.name), seconds(case.time));
    let _infallible = write!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time}\"");
    let element = match case.result {
        TestResult::Passed if case.said.is_empty() => return xml.push_str("/>\n"),
        TestResult::Passed => None,
        TestResult::Skipped => {
            xml.push_str(">\n      <skipped/>\n    </testcase>\n");
            return;
        }
        TestResult::Failure => Some("failure"),
        TestResult::Error => Some("error"),
    };
    xml.push_str(">\n");
    match element {
        None => output(&case.said, 6, xml),
        Some(element) => {
            let whole = case.said.join("\n");
            let (line, kind) = (escaped(SafeText::one_line(&whole).as_str()), escaped(&case.kind));
            let whole = escaped_lines(&whole);
            let _infallible = writeln!(xml, "      <{element} message=\"{line}\" type=\"{kind}\">{whole}</{element}>");
        }
    }
    xml.push_str("    </testcase>\n");
}

fn output(lines: &[String], indent: usize, xml: &mut String) {
    if !lines.is_empty() {
        let _infallible = writeln!(xml, "{:indent$}<system-out>{}</system-out>", "", escaped_lines(&lines.join("\n")));
    }
}

/// A time in seconds, to the microsecond.
fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use smcp_model::mode::Mode;

    #[test]
    fn every_decision_has_its_document() {
        for case in fixtures::cases() {
            insta::assert_snapshot!(case.name, decision(&case.report().document()));
        }
    }

    #[test]
    fn it_is_red_exactly_when_the_exit_code_is() {
        for case in fixtures::cases() {
            let document = case.report().document();
            let xml = decision(&document);
            let is_red = xml.contains("<failure") || xml.contains("<error");
            assert_eq!(is_red, document.exit_code != 0, "{}: {xml}", case.name);
            assert!(!failed("config", "a\nb").contains("<failure"));
        }
    }

    #[test]
    fn nothing_hostile_is_markup_or_reaches_a_terminal() {
        let hostile = "\u{1b}[2J\u{0}\u{202e}\u{fffe}<x a='b'>]]>&amp;".to_owned();
        let documents = [
            decision(&fixtures::objecting(std::slice::from_ref(&hostile), Mode::Strict).report().document()),
            decision(&fixtures::objecting(std::slice::from_ref(&hostile), Mode::Warn).report().document()),
            decision(&fixtures::hostile_subject().report().document()),
            failed(&hostile, &hostile),
        ];
        for xml in documents {
            assert!(xml.lines().all(|line| SafeText::new(line).as_str() == line), "{xml:?}");
            assert!(!xml.contains("<x") && !xml.contains("]]>"), "{xml}");
        }
    }
}
