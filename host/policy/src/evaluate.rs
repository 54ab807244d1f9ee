//! One policy, one request, one outcome.

use std::sync::Arc;
use std::time::Duration;

use crate::PolicyHost;
use crate::call::Allowance;
use crate::convert;
use crate::load::Description;
use crate::load::Loaded;
use crate::load::Source;
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::name::PolicyName;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::Verdict;

/// A policy's component is not the one that its configuration pins.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "policy `{name}`: the component {origin} {found}, but the configuration pins {expected}\n  \
     if the change is meant, put the new digest into the configuration; until then nothing runs"
)]
pub struct PinMismatch {
    name: PolicyName,
    origin: String,
    expected: Digest,
    found: String,
}

/// A policy of the configuration together with its component.
#[derive(Debug)]
pub struct Bound {
    spec: PolicySpec,
    source: Source, // INVARIANT: has the digest that `spec` pins, or is not there, or the policy is disabled.
    digest: Option<Digest>,
}

impl Bound {
    /// Joins a policy with its component, and holds the pin against the bytes that will be loaded.
    ///
    /// # Errors
    /// [`PinMismatch`] in every mode but disabled.
    pub fn new(spec: PolicySpec, source: Source) -> Result<Self, PinMismatch> {
        if let (Some(expected), Mode::Strict | Mode::Warn) = (spec.pin, spec.mode)
            && let Some(found) = source.differs_from(expected)
        {
            let (name, origin) = (spec.name, spec.source.to_string());
            return Err(PinMismatch { name, origin, expected, found });
        }
        let digest = source.digest();
        Ok(Self { spec, source, digest })
    }
}

/// How far an evaluation came, so that a fault still shows what is known.
#[derive(Default)]
struct Progress {
    description: Option<Description>,
    duration: Duration,
}

impl PolicyHost {
    /// Evaluates one policy. Never fails: whatever goes wrong is an outcome.
    pub fn evaluate(&self, bound: Bound, request: &Request) -> Evaluated {
        let Bound { spec, source, digest } = bound;
        // What the policy logs is said with its name.
        let _said_of = tracing::info_span!("policy", name = %spec.name).entered();
        let mut progress = Progress::default();
        let outcome = match spec.mode {
            Mode::Disabled => Outcome::Skipped,
            Mode::Strict | Mode::Warn => {
                self.verdict(&spec, source, request, &mut progress).map_or_else(Outcome::Fault, Outcome::from_verdict)
            }
        };
        let described = progress.description;
        Evaluated {
            name: spec.name.clone(),
            layer: spec.layer,
            source: spec.source.clone(),
            mode: spec.mode,
            on_warn: spec.on_warn.or(described.as_ref().map(|it| it.on_warn)).unwrap_or(OnWarn::Notify),
            digest,
            version: described.map(|it| SafeText::new(&it.version.to_string())),
            outcome,
            duration: progress.duration,
            spec: Arc::new(spec),
        }
    }

    fn verdict(
        &self,
        spec: &PolicySpec,
        source: Source,
        request: &Request,
        progress: &mut Progress,
    ) -> Result<Verdict, Fault> {
        let loaded = self.load(source, &spec.limits).map_err(|fault| fault.of(&spec.source))?;
        progress.description = Some(loaded.description.clone());
        let settings = spec.settings.to_string();
        let checking = self.check_settings(&loaded, &spec.limits, &settings)?;
        let spent = loaded.describing.saturating_add(checking);
        let (verdict, duration) = self.judge_within(&loaded, &spec.limits, spent, &settings, request)?;
        progress.duration = duration;
        Ok(verdict)
    }

    /// Calls `evaluate` of a loaded component once, in a fresh instance and with all of its time, with settings that it
    /// accepts. Says how long the call took, its start-up included.
    ///
    /// # Errors
    /// Any kind of fault but [`FaultKind::Settings`](smcp_model::verdict::FaultKind::Settings).
    pub fn judge(
        &self,
        loaded: &Loaded,
        limits: &PolicyLimits,
        settings: &str,
        request: &Request,
    ) -> Result<(Verdict, Duration), Fault> {
        self.judge_within(loaded, limits, Duration::ZERO, settings, request)
    }

    fn judge_within(
        &self,
        loaded: &Loaded,
        limits: &PolicyLimits,
        spent: Duration,
        settings: &str,
        request: &Request,
    ) -> Result<(Verdict, Duration), Fault> {
        let (request, settings) = (convert::request(request), settings.to_owned());
        let allowance = Allowance { limits, spent, output: limits.output };
        let answer = self.call(&loaded.callee, allowance, move |policy, store| {
            policy.smcp_policy_evaluator().call_evaluate(store, &request, &settings)
        })?;
        Ok((convert::verdict(answer.value)?, answer.duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::policy::BuiltIn;
    use smcp_model::request::Context;
    use smcp_model::request::Subject;
    use smcp_model::verdict::FaultKind;

    #[test]
    fn all_calls_for_one_decision_share_one_deadline() {
        let (host, limits) = (PolicyHost::new().unwrap(), PolicyLimits::DEFAULT);
        let loaded = host.load(Source::BuiltIn(BuiltIn::Score), &limits).unwrap();
        assert!(loaded.describing > Duration::ZERO, "describing takes some of it");
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        let request = Request { subject: Subject::default(), context, extensions: Vec::new() };
        let judge = |spent| host.judge_within(&loaded, &limits, spent, "{}", &request);
        assert!(judge(Duration::ZERO).is_ok());
        assert_eq!(judge(limits.time).unwrap_err().kind, FaultKind::Deadline);
    }
}
