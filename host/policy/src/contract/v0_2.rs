//! An invented version of the interface: `tests/wit/0.2/policy.wit`.
//!
//! All that a version takes is in such a module: bindings, calls, and the way to the model and back.

mod bindings;
mod tests;

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Component;
use wasmtime::component::HasSelf;
use wasmtime::component::Linker;

use crate::call::Allowance;
use crate::call::Call;
use crate::call::Linked;
use crate::compiled::Code;
use crate::contract::Description;
use crate::contract::SettingsSchema;
use crate::contract::v0_2::bindings::Policy;
use crate::contract::v0_2::bindings::PolicyIndices;
use crate::contract::v0_2::bindings::exports::smcp::policy::evaluator as wit;
use crate::contract::v0_2::bindings::smcp::policy::logging;
use crate::site::Site;
use crate::store::Guest;
use crate::store::Level;
use smcp_model::facts::Score;
use smcp_model::mode::OnWarn;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Verdict;

pub(crate) const LOGGING: &str = "smcp:policy/logging@0.2.0";
pub(crate) const EVALUATOR: &str = "smcp:policy/evaluator@0.2.0";

pub(crate) struct Callee {
    linked: Linked,
    indices: PolicyIndices,
}

pub(crate) fn add_imports(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    Policy::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

/// Converts a request.
pub(crate) fn request(request: &Request) -> wit::Request {
    let about = &request.subject;
    let manifest: Option<serde_json::Value> =
        about.manifest.as_ref().and_then(|manifest| serde_json::from_str(manifest).ok());
    let licence = manifest.and_then(|manifest| Some(manifest.get("license")?.as_str()?.to_owned()));
    let candidate = wit::Candidate {
        name: format!("{}/{}", about.org, about.name),
        version: about.version.clone(),
        score: about.facts.score.map(Score::get),
        licence,
    };
    wit::Request { candidate, at: request.context.evaluated_at }
}

fn wrong(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Output, error.to_string())
}

fn finding(finding: &wit::Finding) -> Result<Finding, Fault> {
    let code = finding.code.parse().map_err(wrong)?;
    let message = SafeText::new(&finding.text);
    Ok(Finding { code, message, fact: None, remedy: None, extensions: Vec::new() })
}

fn verdict(findings: Vec<wit::Finding>) -> Result<Verdict, Fault> {
    let (stops, notes): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| matches!(finding.severity, wit::Severity::Stops));
    let all = |list: Vec<&wit::Finding>| list.into_iter().map(finding).collect::<Result<Vec<_>, Fault>>();
    Ok(Verdict { violations: all(stops)?, notices: all(notes)? })
}

fn description(said: wit::Description) -> Result<Description, Fault> {
    Ok(Description {
        name: said.name.parse().map_err(wrong)?,
        version: semver::Version::parse(&said.version).map_err(wrong)?,
        summary: SafeText::new(&said.summary),
        settings_schema: SettingsSchema::from(said.schema),
        on_warn: if said.asks { OnWarn::Confirm } else { OnWarn::Notify },
    })
}

impl Callee {
    pub(crate) fn link(site: &Site, component: &Component, code: &Code) -> Result<Self, Fault> {
        let wrong = |error: wasmtime::Error| Fault::new(FaultKind::Interface, format!("{error:#}"));
        let linked = Linked::new(site, component, code).map_err(wrong)?;
        let indices = PolicyIndices::new(&linked.instance).map_err(wrong)?;
        Ok(Self { linked, indices })
    }

    pub(crate) fn describe(&self, allowance: Allowance<'_>) -> Call<Description> {
        let describe = |policy: &Policy, store: &mut Store<Guest>| policy.smcp_policy_evaluator().call_describe(store);
        self.call(allowance, describe, description)
    }

    pub(crate) fn check_settings(&self, allowance: Allowance<'_>, settings: Arc<str>) -> Call<()> {
        let check = move |policy: &Policy, store: &mut Store<Guest>| {
            policy.smcp_policy_evaluator().call_check(store, &settings)
        };
        self.call(allowance, check, |problem| {
            problem.map_or(Ok(()), |problem| Err(Fault::new(FaultKind::Settings, problem)))
        })
    }

    pub(crate) fn evaluate(
        &self,
        allowance: Allowance<'_>,
        request: wit::Request,
        settings: Arc<str>,
    ) -> Call<Verdict> {
        let judge = move |policy: &Policy, store: &mut Store<Guest>| {
            policy.smcp_policy_evaluator().call_judge(store, &request, &settings)
        };
        self.call(allowance, judge, verdict)
    }

    fn call<T, U: Send + 'static>(
        &self,
        allowance: Allowance<'_>,
        function: impl FnOnce(&Policy, &mut Store<Guest>) -> wasmtime::Result<T> + Send + 'static,
        read: impl FnOnce(T) -> Result<U, Fault> + Send + 'static,
    ) -> Call<U> {
        let indices = self.indices.clone();
        let exports = move |store: &mut Store<Guest>, instance: &wasmtime::component::Instance| {
            indices.load(store, instance).map_err(|error| Fault::new(FaultKind::Interface, error.to_string()))
        };
        Call::new(&self.linked, allowance, exports, function, read)
    }
}

impl logging::Host for Guest {
    fn log(&mut self, _: logging::Level, message: String) -> wasmtime::Result<()> {
        self.add_log_line(Level::Info, &message)
    }
}
