//! What came of cases as JUnit XML, for CI systems.
//!
//! One `testsuite` for each file and one `testcase` for each case, with the attributes that the schema of Jenkins knows
//! and every other reader, too.

use std::fmt::Write as _;
use std::time::Duration;

use crate::cases::CaseState;
use crate::cases::CasesReport;
use crate::cases::FileReport;
use crate::cases::place;
use crate::xml::HEAD;
use crate::xml::escaped;
use crate::xml::escaped_lines;
use smcp_model::text::SafeText;
use smcp_policy_cases::CaseRun;

/// The name of the whole.
const NAME: &str = "smcp policy test";

/// Returns the document of a run.
pub fn junit(report: &CasesReport<'_>) -> String {
    let mut xml = HEAD.to_owned();
    let totals = counts(report.cases().count(), report.count(CaseState::Fails), 0);
    let time = seconds(report.cases().map(|(_, case)| case.duration).sum());
    let _infallible = writeln!(xml, "<testsuites name=\"{NAME}\" {totals} time=\"{time}\">");
    let class = report.described.as_ref().map_or(&report.source, |(name, _)| name);
    for file in &report.files {
        suite(file, class, &mut xml);
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Returns the document of a run that did not begin, because of what `message` says: so no older document is taken for
/// that of this run.
pub fn failed(message: &str) -> String {
    let totals = counts(1, 0, 1);
    let (line, whole) = (escaped(SafeText::one_line(message).as_str()), escaped_lines(message));
    format!(
        "{HEAD}<testsuites name=\"{NAME}\" {totals} time=\"0\">\n  <testsuite name=\"{NAME}\" {totals} time=\"0\">\n    \
         <testcase name=\"the cases can be run\" classname=\"{NAME}\" time=\"0\">\n      <error message=\"{line}\" \
         type=\"error\">{whole}</error>\n    </testcase>\n  </testsuite>\n</testsuites>\n"
    )
}

fn counts(tests: usize, failures: usize, errors: usize) -> String {
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"")
}

fn suite(file: &FileReport<'_>, class: &SafeText, xml: &mut String) {
    let cases = &file.run.cases;
    let failures = cases.iter().filter(|case| file.state(case) == CaseState::Fails).count();
    let (name, time) = (escaped(&file.run.file), seconds(cases.iter().map(|case| case.duration).sum()));
    let totals = counts(cases.len(), failures, 0);
    let _infallible = writeln!(xml, "  <testsuite name=\"{name}\" {totals} time=\"{time}\">");
    for case in cases {
        test_case(file, case, class, xml);
    }
    xml.push_str("  </testsuite>\n");
}

fn test_case(file: &FileReport<'_>, case: &CaseRun, class: &SafeText, xml: &mut String) {
    let (name, class, time) = (escaped(&case.name), escaped(class.as_str()), seconds(case.duration));
    let _infallible = write!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time}\"");
    if file.state(case) != CaseState::Fails {
        xml.push_str("/>\n");
        return;
    }
    let differences: Vec<_> = case.differences.iter().map(ToString::to_string).collect();
    let whole = format!("{}\n{}", place(file, case.position), differences.join("\n"));
    let line = escaped(SafeText::one_line(&differences.join("\n")).as_str());
    let whole = escaped_lines(&whole);
    let _infallible =
        writeln!(xml, ">\n      <failure message=\"{line}\" type=\"difference\">{whole}</failure>\n    </testcase>");
}

/// A time in seconds, to the microsecond.
fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}
