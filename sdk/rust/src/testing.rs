//! Unit tests of policies: makes requests, calls a policy, checks its answers.
//!
//! Everything here runs natively; no WebAssembly is needed.

use std::fmt;

use crate::Description;
use crate::Finding;
use crate::Policy;
use crate::SettingsProblem;
use crate::Verdict;
use crate::json::Json;
use crate::log;
use crate::settings;
use crate::verdict::is_code;

mod builder;
mod cases;

pub use crate::log::Level;
pub use crate::request::Entrypoint;
pub use crate::request::Origin;
pub use crate::request::Permissions;
pub use crate::request::SeverityCounts;
pub use builder::RequestBuilder;
pub use cases::Cases;
pub use cases::CasesError;
pub use cases::assert_cases;
pub use cases::found;
pub use smcp_policy_cases::Case;
pub use smcp_policy_cases::Found;
pub use smcp_policy_cases::FoundFinding;
pub use smcp_policy_cases::FoundProblem;

/// A policy that smcp would count as faulty: its answer breaks a rule of `wit/policy.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// `check-settings` refuses the settings, so smcp would not evaluate the policy.
    Settings(Vec<SettingsProblem>),
    /// The verdict or the description breaks this rule.
    Rule(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(problems) => {
                f.write_str("the settings are refused:")?;
                problems.iter().try_for_each(|problem| write!(f, " `{}`: {};", problem.path, problem.message))
            }
            Self::Rule(rule) => f.write_str(rule),
        }
    }
}

impl std::error::Error for Broken {}

/// Checks settings, a JSON document, as smcp does when it loads the policy.
pub fn check_settings<P: Policy>(settings: &str) -> Result<(), Vec<SettingsProblem>> {
    settings::decode::<P>(settings).map(|_| ())
}

/// Evaluates a request as the component would, and checks the verdict by the rules of the interface.
pub fn evaluate<P: Policy>(request: &crate::Request, settings: &str) -> Result<Verdict, Broken> {
    evaluate_logged::<P>(request, settings).map(|(verdict, _)| verdict)
}

/// Does the same as [`evaluate`], and returns the lines that the policy logged.
pub fn evaluate_logged<P: Policy>(
    request: &crate::Request,
    settings: &str,
) -> Result<(Verdict, Vec<(Level, String)>), Broken> {
    let policy = settings::decode::<P>(settings).map_err(Broken::Settings)?;
    let (verdict, lines) = log::capture(|| policy.evaluate(request));
    keeps_rules(&verdict).map_err(Broken::Rule)?;
    Ok((verdict, lines))
}

/// Returns the policy's description and the JSON Schema of its settings, both checked by the rules of the interface.
pub fn describe<P: Policy>() -> Result<(Description, String), Broken> {
    let (description, schema) = (P::DESCRIPTION, settings::schema::<P>());
    let version: Vec<&str> = description.version.splitn(3, '.').collect();
    let is_version = version.len() == 3 && version.iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let rule = if !is_version {
        Some(format!("the version `{}` is not a SemVer string", description.version))
    } else if let Err(error) = Json::parse(&schema) {
        Some(format!("the settings' schema is not JSON, look at the `KEYWORDS` of checked values ({error}): {schema}"))
    } else {
        let problem = settings::wrong_defaults::<P>().into_iter().next();
        problem
            .map(|SettingsProblem { path, message }| format!("the default of `{path}` breaks its own rule: {message}"))
    };
    rule.map_or(Ok((description, schema)), |rule| Err(Broken::Rule(rule)))
}

/// The most findings of one verdict: the bound that smcp sets by default.
const MAX_FINDINGS: usize = 256;

fn keeps_rules(verdict: &Verdict) -> Result<(), String> {
    let findings = verdict.violations.len() + verdict.notices.len();
    if findings > MAX_FINDINGS {
        return Err(format!("{findings} findings are too many, at most {MAX_FINDINGS} are allowed"));
    }
    verdict.violations.iter().chain(&verdict.notices).try_for_each(|Finding { code, message, .. }| {
        if !is_code(code) {
            return Err(format!("the code `{code}` is not 1 to 64 bytes of [a-z0-9-]"));
        }
        if message.trim().is_empty() {
            return Err(format!("the message of `{code}` is empty"));
        }
        Ok(())
    })
}
