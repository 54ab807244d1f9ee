//! One policy, many cases.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use smcp_model::facts_document;
use smcp_model::limits;
use smcp_model::name::PolicyName;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::Description;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::request;
use smcp_policy_cases::Case;
use smcp_policy_cases::CaseFile;
use smcp_policy_cases::CaseRun;
use smcp_policy_cases::FileRun;
use smcp_policy_cases::Found;
use smcp_policy_cases::FoundFinding;
use smcp_policy_cases::FoundProblem;
use smcp_policy_cases::Position;

/// The policy whose cases are run.
#[derive(Debug, Clone)]
pub struct Tested {
    /// Its name while it is compiled.
    pub name: PolicyName,
    /// Its source.
    pub source: PolicySource,
    /// Its component.
    pub component: Component,
}

/// A case that can't be run: smcp could never have its facts or its settings.
#[derive(Debug)]
pub struct WrongCase {
    /// The file, as messages show it.
    pub file: String,
    /// The place of the case.
    pub position: Position,
    /// What is wrong with it.
    pub message: SafeText,
}

impl Tested {
    /// One of the policies inside the program.
    pub fn built_in(policy: BuiltIn) -> Self {
        let source = PolicySource::BuiltIn(policy);
        Self { name: PolicyName::of(policy), source, component: Component::built_in(policy) }
    }

    /// A component from a file.
    pub fn file(path: &Path, component: Component) -> Self {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Self { name: PolicyName::like(&stem), source: PolicySource::File(path.to_owned()), component }
    }

    /// Joins the policy with settings. It is strict, in the user's layer, and has the limits that a configuration without
    /// `limits` gives.
    pub fn bound(&self, settings: serde_json::Value) -> Bound {
        let Self { name, source, component } = self;
        let spec = match source {
            PolicySource::BuiltIn(policy) => PolicySpec::built_in(*policy, settings),
            PolicySource::File(_) | PolicySource::Remote(_) => {
                PolicySpec::file(name.clone(), source.to_string(), settings)
            }
        };
        Bound::unpinned(spec, component.clone())
    }
}

/// The results of the cases of one policy.
#[derive(Debug)]
pub struct PolicyRun {
    /// The policy's description of itself, or the fault with which it failed before it answered.
    pub description: Result<Description, Fault>,
    /// The files, in the order in which they were given.
    pub files: Vec<FileRun>,
}

/// Runs every case of every file, each in a fresh sandbox. Settings are checked once for all cases that have the same.
///
/// # Errors
/// With every case that can't be run; then none is.
pub fn run(host: &PolicyHost, tested: &Tested, files: &[(String, CaseFile)]) -> Result<PolicyRun, Vec<WrongCase>> {
    let cases: Vec<_> =
        files.iter().flat_map(|(file, cases)| cases.cases.iter().map(move |case| (file, case))).collect();
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|(file, case)| {
            let message = request(case).err()?;
            Some(WrongCase { file: (*file).clone(), position: case.position, message: SafeText::new(&message) })
        })
        .collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut by_settings: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, (_, case)) in cases.iter().enumerate() {
        by_settings.entry(case.settings.to_string()).or_default().push(index);
    }
    // Keeps its code for the next run.
    let description = host.describe_bound(&tested.bound(serde_json::json!({})));
    let mut found = BTreeMap::new();
    for indices in by_settings.into_values() {
        let Some((_, first)) = indices.first().and_then(|index| cases.get(*index)) else { continue };
        let set = PolicySet::load_for_now(host, [tested.bound(first.settings.clone())]);
        let asked = indices.iter().filter_map(|index| Some((*index, request(cases.get(*index)?.1).ok()?)));
        let (indices, requests): (Vec<_>, Vec<_>) = asked.unzip();
        for (index, evaluated) in indices.into_iter().zip(set.evaluate_each(&requests).into_iter().flatten()) {
            found.insert(index, (found_of(&evaluated), evaluated.duration));
        }
    }
    let mut indices = 0_usize..;
    let mut run_of = |case: &Case| {
        let found = indices.next().and_then(|index| found.remove(&index));
        let (found, duration) = found.unwrap_or_else(|| (not_run(), Duration::ZERO));
        CaseRun::of(case, found, duration)
    };
    let run_of_file = |(file, cases): &(String, CaseFile)| FileRun {
        file: file.clone(),
        cases: cases.cases.iter().map(&mut run_of).collect(),
    };
    Ok(PolicyRun { description, files: files.iter().map(run_of_file).collect() })
}

/// Stands for a case that was not run, which would be a defect of smcp. No case expects it.
fn not_run() -> Found {
    Found::Fault { kind: FaultKind::Panic.as_str().to_owned(), message: "the case was not run".to_owned() }
}

/// Makes the request of a case.
fn request(case: &Case) -> Result<Request, String> {
    let size = case.settings.to_string().len();
    if size > limits::SETTINGS {
        return Err(format!("the settings have {size} bytes as JSON (allowed: at most {})", limits::SETTINGS));
    }
    let document = serde_json::Value::Object(case.facts.clone()).to_string();
    let subject = facts_document::read(document.as_bytes(), Path::new("/"), None);
    let subject = subject.map_err(|error| error.to_string())?;
    let smcp_policy_cases::CaseContext { at, trust, interactive } = case.context;
    Ok(request::build(&subject, Context { evaluated_at: at, trust, interactive }, true))
}

/// Returns what a policy did, in the words of case files.
fn found_of(evaluated: &Evaluated) -> Found {
    match &evaluated.outcome {
        Outcome::Fault(fault) => found_fault(fault),
        // Nothing is waived here, and nothing skipped.
        outcome @ (Outcome::Pass { .. } | Outcome::Violation { .. } | Outcome::Waived { .. } | Outcome::Skipped) => {
            Found::Verdict {
                violations: outcome.violations().iter().map(finding).collect(),
                notices: outcome.notices().iter().map(finding).collect(),
            }
        }
    }
}

fn found_fault(fault: &Fault) -> Found {
    let problems: Vec<_> = fault
        .settings
        .iter()
        .map(|problem| FoundProblem { path: problem.path.to_string(), message: problem.message.to_string() })
        .collect();
    if problems.is_empty() {
        return Found::Fault { kind: fault.kind.as_str().to_owned(), message: fault.message.to_string() };
    }
    Found::Problems(problems)
}

fn finding(finding: &Finding) -> FoundFinding {
    FoundFinding {
        code: finding.code.to_string(),
        message: finding.message.to_string(),
        fact: finding.fact.as_ref().map(ToString::to_string),
        remedy: finding.remedy.as_ref().map(ToString::to_string),
    }
}
