//! A set of policies, loaded once and evaluated any number of times.

mod ready;

use std::sync::Arc;
use std::time::Duration;

use crate::bound::Bound;
use crate::call::CallResult;
use crate::compiled::Code;
use crate::component::Component;
use crate::component::Unreadable;
use crate::contract::Description;
use crate::contract::RequestForms;
use crate::cores;
use crate::host::PolicyHost;
use crate::host::Runtime;
use crate::load::Loaded;
use crate::load::Wanted;
use crate::set::ready::ASKED_IN_ALL;
use crate::set::ready::Ready;
use crate::set::ready::is_late;
use crate::set::ready::ready;
use crate::store::CallClock;
use smcp_model::digest::Digest;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::Verdict;

/// The most calls that are handed to a thread at once: so many that to hand them over costs nothing any more.
const AT_ONCE: usize = 256;

/// Policies that are compiled and described, and have accepted their settings or ended in a fault.
///
/// All of that happens once, in [`load`](Self::load). [`evaluate`](Self::evaluate) takes a shared reference, so any
/// number of threads can call it; each call has its own store and instance, so no call sees another.
#[derive(Debug)]
pub struct PolicySet {
    host: PolicyHost,
    policies: Vec<LoadedPolicy>,
}

/// One policy of a [`PolicySet`].
#[derive(Debug)]
pub struct LoadedPolicy {
    spec: Arc<PolicySpec>,
    digest: Option<Digest>,
    signer: Option<SafeText>,
    description: Option<Description>,
    /// The version in it, as it is told.
    version: Option<SafeText>,
    /// Its code, even when a call into it failed.
    code: Option<Arc<Code>>,
    readiness: Readiness,
}

/// The course of a policy's evaluation.
#[derive(Debug)]
enum Readiness {
    /// The policy is skipped: its mode is `disabled`.
    Disabled,
    /// Every evaluation ends in this fault, with which loading the policy failed.
    Broken(Fault),
    /// The policy is called.
    Ready(Box<Ready>),
}

impl PolicySet {
    /// Compiles every enabled policy, asks for its description, and whether it accepts its settings.
    ///
    /// It never fails: a policy that fails here has a fault as its outcome, and the others are loaded all the same.
    pub fn load(host: &PolicyHost, policies: impl IntoIterator<Item = Bound>) -> Self {
        let set = Self::load_for_now(host, policies);
        set.policies.iter().for_each(|policy| policy.keep(&host.runtime));
        set
    }

    /// Does the same for settings that are only tried: nothing is kept for the next process.
    pub fn load_for_now(host: &PolicyHost, policies: impl IntoIterator<Item = Bound>) -> Self {
        let policies = policies.into_iter().map(|bound| LoadedPolicy::load(&host.runtime, bound)).collect();
        Self { host: host.clone(), policies }
    }

    /// Evaluates every policy, in the order in which they were loaded; no outcome stops it early. It never fails: the
    /// failure of a policy is that policy's outcome.
    ///
    /// Each policy gets the time of its limits, less the time that it used while it was loaded.
    pub fn evaluate(&self, request: &Request) -> Vec<Evaluated> {
        let runtime = &self.host.runtime;
        let request = RequestForms::of(request);
        let evaluate = |policies: &[LoadedPolicy]| evaluate(runtime, policies, std::slice::from_ref(&request));
        cores::share(&self.policies, || (), |(), policies| evaluate(policies)).into_iter().flatten().flatten().collect()
    }

    /// Does the same for many requests, and returns the results in their order. It costs less for each than to ask for
    /// them one by one, and all cores share them.
    pub fn evaluate_each(&self, requests: &[Request]) -> Vec<Vec<Evaluated>> {
        let evaluate = |requests: &[Request]| self.evaluate_in_turn(requests);
        cores::share(requests, || (), |(), requests| evaluate(requests)).into_iter().flatten().collect()
    }

    /// Does the same on one core: for a caller that shares its work among the cores itself.
    pub fn evaluate_in_turn(&self, requests: &[Request]) -> Vec<Vec<Evaluated>> {
        let at_once = (AT_ONCE / self.policies.len().max(1)).max(1);
        let parts = requests.chunks(at_once).map(|part| part.iter().map(RequestForms::of).collect::<Vec<_>>());
        parts.flat_map(|part| evaluate(&self.host.runtime, &self.policies, &part)).collect()
    }

    /// Evaluates one policy, by its place in the order, on many requests: what it would say of each.
    pub fn evaluate_one(&self, place: usize, requests: &[Request]) -> Vec<Evaluated> {
        let runtime = &self.host.runtime;
        let Some(policy) = self.policies.get(place).map(std::slice::from_ref) else { return Vec::new() };
        let evaluate = |requests: &[Request]| {
            let forms: Vec<_> = requests.iter().map(RequestForms::of).collect();
            evaluate(runtime, policy, &forms)
        };
        cores::share(requests, || (), |(), requests| evaluate(requests)).into_iter().flatten().flatten().collect()
    }

    /// The policies, in the order in which they were loaded.
    pub fn policies(&self) -> &[LoadedPolicy] {
        &self.policies
    }
}

/// Combines what all policies mean: the strictest effect of any of them, whatever their order. It blocks when there are
/// none: nothing is allowed unjudged.
pub fn decision(evaluated: &[Evaluated]) -> Effect {
    evaluated.iter().map(Evaluated::effect).max().unwrap_or(Effect::Block)
}

/// Evaluates policies on each request, one after the other on one thread.
fn evaluate(runtime: &Runtime, policies: &[LoadedPolicy], requests: &[RequestForms<'_>]) -> Vec<Vec<Evaluated>> {
    let calls = requests.iter().flat_map(|request| {
        policies.iter().filter_map(move |policy| {
            let _span = span_of(&policy.spec);
            Some(policy.ready()?.call(&policy.spec, request))
        })
    });
    let mut answers = runtime.make(calls.collect()).into_iter();
    let mut judge = |policy: &LoadedPolicy, request: &RequestForms<'_>| {
        let _span = span_of(&policy.spec);
        let answered = policy.ready().and_then(|ready| Some((ready, answers.next()?)));
        policy.evaluated(answered.map(|(ready, answer)| ready.answered(runtime, &policy.spec, request, answer)))
    };
    requests.iter().map(|request| policies.iter().map(|policy| judge(policy, request)).collect()).collect()
}

impl LoadedPolicy {
    fn load(runtime: &Runtime, bound: Bound) -> Self {
        let Bound { spec, component } = bound;
        let _span = span_of(&spec);
        let digest = component.as_ref().ok().map(Component::digest);
        let signer = component.as_ref().ok().and_then(Component::signer).cloned();
        let (mut description, mut code) = (None, None);
        let readiness = match spec.mode {
            Mode::Disabled => Readiness::Disabled,
            Mode::Strict | Mode::Warn => {
                let mut attempt = || {
                    let loaded = load(runtime, &spec, component.as_ref(), &mut code);
                    loaded.and_then(|loaded| ready(runtime, &spec, loaded, &mut description))
                };
                let mut ready = attempt();
                let again = if runtime.clock == CallClock::Wall { 1 } else { ASKED_IN_ALL };
                for _ in 1..again {
                    if is_late(&ready) {
                        ready = attempt();
                    }
                }
                ready.map_or_else(Readiness::Broken, |ready| Readiness::Ready(Box::new(ready)))
            }
        };
        let version = description.as_ref().map(|it| SafeText::new(&it.version.to_string()));
        Self { spec, digest, signer, description, version, code, readiness }
    }

    /// Keeps its code and its answers for the next process.
    fn keep(&self, runtime: &Runtime) {
        if let (Some(code), Some(digest)) = (&self.code, self.digest) {
            runtime.keep(digest, self.spec.layer, code);
        }
    }

    /// The specification that it was loaded with.
    pub fn spec(&self) -> &PolicySpec {
        &self.spec
    }

    /// The digest of its component, when that could be read.
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The component's description of itself; `None` when it was not asked or failed before it answered.
    pub const fn description(&self) -> Option<&Description> {
        self.description.as_ref()
    }

    /// The fault with which loading it failed; `None` when it is disabled or can be called.
    pub const fn fault(&self) -> Option<&Fault> {
        match &self.readiness {
            Readiness::Broken(fault) => Some(fault),
            Readiness::Disabled | Readiness::Ready(_) => None,
        }
    }

    const fn ready(&self) -> Option<&Ready> {
        match &self.readiness {
            Readiness::Ready(ready) => Some(ready),
            Readiness::Disabled | Readiness::Broken(_) => None,
        }
    }

    /// Its part of a decision. `judged` is the result of its call, if it could be called.
    fn evaluated(&self, judged: Option<Result<CallResult<Verdict>, Fault>>) -> Evaluated {
        let Self { spec, digest, signer, description, version, code: _, readiness } = self;
        let (outcome, duration, memory) = match (judged, readiness) {
            (Some(Ok(CallResult { value, duration, memory })), _) => (Outcome::from_verdict(value), duration, memory),
            (Some(Err(fault)), _) => (Outcome::Fault(fault), Duration::ZERO, 0),
            (None, Readiness::Broken(fault)) => (Outcome::Fault(fault.clone()), Duration::ZERO, 0),
            (None, Readiness::Ready(_)) => (Outcome::Fault(never_called()), Duration::ZERO, 0),
            (None, Readiness::Disabled) => (Outcome::Skipped, Duration::ZERO, 0),
        };
        let described = description.as_ref();
        Evaluated {
            spec: Arc::clone(spec),
            on_warn: spec.on_warn.or(described.map(|it| it.on_warn)).unwrap_or(OnWarn::Notify),
            digest: *digest,
            signer: signer.clone(),
            version: version.clone(),
            outcome,
            duration,
            memory,
        }
    }

    /// Whether another policy that was loaded in the same host answers each request as this one does: both can be called,
    /// and are the same component with the same settings and limits.
    pub fn answers_like(&self, other: &Self) -> bool {
        let (Some(ours), Some(its)) = (self.ready(), other.ready()) else { return false };
        // The built-in policies are in one component.
        let is_same = self.digest == other.digest && ours.loaded.code.built_in == its.loaded.code.built_in;
        is_same && self.spec.limits == other.spec.limits && ours.settings == its.settings
    }

    /// What another policy that [answers like](Self::answers_like) this one has said, as the answer of this one.
    pub fn answered_by(&self, other: &Evaluated) -> Evaluated {
        let described = self.description.as_ref();
        Evaluated {
            spec: Arc::clone(&self.spec),
            on_warn: self.spec.on_warn.or(described.map(|it| it.on_warn)).unwrap_or(OnWarn::Notify),
            digest: self.digest,
            signer: self.signer.clone(),
            version: self.version.clone(),
            ..other.clone()
        }
    }
}

/// The fault of a policy whose call has no result: there is one for each.
fn never_called() -> Fault {
    Fault::new(FaultKind::Panic, "smcp itself lost the policy's answer")
        .remedy("please report it; SECURITY.md says where")
}

/// Enters a span that puts the policy's name before everything it logs.
fn span_of(spec: &PolicySpec) -> tracing::span::EnteredSpan {
    tracing::info_span!("policy", name = %spec.name).entered()
}

/// Loads a policy's component. Its code is put into `code` even when it can't be called.
fn load(
    runtime: &Runtime,
    spec: &PolicySpec,
    component: Result<&Component, &Unreadable>,
    code: &mut Option<Arc<Code>>,
) -> Result<Loaded, Fault> {
    let wanted = |component| Wanted { component, layer: spec.layer, limits: &spec.limits };
    let loaded = component.map_err(Unreadable::fault).and_then(|component| runtime.load(wanted(component), code));
    loaded.map_err(|fault| fault.of(&spec.source))
}

#[cfg(test)]
mod tests;
