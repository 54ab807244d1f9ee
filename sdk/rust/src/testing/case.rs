//! One case of a table: a request and the expected answer.

use std::fmt::Write as _;

use serde::Deserialize;

use crate::Policy;
use crate::Request;
use crate::Subject;
use crate::testing;
use crate::testing::Broken;

/// A case, as the files in `cases/` hold them (YAML or JSON; the reader is the test's choice).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The facts, in the shape that `smcp policy eval --facts` reads. What is absent is unknown.
    #[serde(default)]
    pub subject: Subject,
    /// The settings.
    pub settings: serde_json::Value,
    /// The violations that are expected, in order.
    #[serde(default)]
    pub violations: Vec<Finding>,
    /// The notices that are expected, in order.
    #[serde(default)]
    pub notices: Vec<Finding>,
    /// The problems that `check-settings` is expected to find; the policy is then not evaluated.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// A finding as a case expects it. Remedies are advice, which may be worded anew; that there is one is checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The stable name.
    pub code: String,
    /// The whole sentence.
    pub message: String,
    /// The field of the subject.
    pub fact: Option<String>,
}

/// A problem with the settings as a case expects it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// The JSON pointer.
    pub path: String,
    /// The whole message.
    pub message: String,
}

impl Case {
    /// Runs the case natively; the error says what was expected and what was found.
    pub fn run<P: Policy>(&self) -> Result<(), String> {
        let request = Request { subject: self.subject.clone(), ..Request::default() };
        let (violations, notices, problems) = match testing::evaluate::<P>(&request, &self.settings.to_string()) {
            Ok(verdict) => (found(verdict.violations)?, found(verdict.notices)?, Vec::new()),
            Err(Broken::Settings(problems)) => (Vec::new(), Vec::new(), problems),
            Err(Broken::Rule(rule)) => return Err(format!("{}: {rule}", self.name)),
        };
        let problems: Vec<_> =
            problems.into_iter().map(|problem| Problem { path: problem.path, message: problem.message }).collect();

        let mut difference = String::new();
        compare(&mut difference, "violations", &self.violations, &violations);
        compare(&mut difference, "notices", &self.notices, &notices);
        compare(&mut difference, "problems", &self.problems, &problems);
        if difference.is_empty() { Ok(()) } else { Err(format!("{}:{difference}", self.name)) }
    }
}

fn found(findings: Vec<crate::Finding>) -> Result<Vec<Finding>, String> {
    let expected_form = |finding: crate::Finding| match finding.remedy {
        Some(remedy) if !remedy.trim().is_empty() => {
            Ok(Finding { code: finding.code, message: finding.message, fact: finding.fact })
        }
        Some(_) | None => Err(format!("`{}` has no remedy", finding.code)),
    };
    findings.into_iter().map(expected_form).collect()
}

fn compare<T: PartialEq + std::fmt::Debug>(difference: &mut String, what: &str, expected: &[T], found: &[T]) {
    if expected != found {
        let _infallible = write!(difference, "\n  {what} expected {expected:#?}\n  {what} found {found:#?}");
    }
}
