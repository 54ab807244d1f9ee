//! A policy that can be called: it has accepted its settings.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::call::Allowance;
use crate::call::Call;
use crate::call::CallResult;
use crate::call::Called;
use crate::call::NoResult;
use crate::contract::Contract;
use crate::contract::Description;
use crate::contract::RequestForms;
use crate::host::Runtime;
use crate::load::Loaded;
use crate::store::CallClock;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::policy::PolicySpec;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Verdict;

/// How often a policy is asked where nothing starts, and an answer in time is all that is missing.
pub(super) const ASKED_IN_ALL: usize = 3;
/// After so many questions that a policy did not answer in time however often it was asked, it is asked only once.
const ASKED_IN_VAIN: usize = 4;

/// A policy that can be called.
pub(super) struct Ready {
    pub(super) loaded: Loaded,
    pub(super) settings: Arc<str>,
    /// How much of the policy's time `describe` and `check-settings` have used. The first evaluation is charged for it:
    /// the calls for one decision share one deadline (spec section 8).
    pub(super) spent: Mutex<Duration>,
    /// It needs more memory than a slot of the pool has.
    has_outgrown: AtomicBool,
    clock: CallClock,
    /// How many questions it did not answer in time however often it was asked.
    in_vain: AtomicUsize,
}

/// Asks a policy whether it accepts its settings, unless its answer is known. Its description is put into `description`
/// even when it refuses them.
pub(super) fn ready(
    runtime: &Runtime,
    spec: &PolicySpec,
    loaded: Loaded,
    description: &mut Option<Description>,
) -> Result<Ready, Fault> {
    *description = Some(loaded.description.clone());
    let settings: Arc<str> = spec.settings.to_string().into();
    let digest = Digest::of(settings.as_bytes());
    let known = match spec.settings_vouched {
        true => Some(Ok(())),
        false => loaded.code.known().notes.checked(&digest),
    };
    let mut spent = loaded.describing;
    match known {
        Some(answer) => answer?,
        None => {
            let output = limits::DESCRIBE_OUTPUT;
            let allowance = Allowance { limits: &spec.limits, spent, output, clock: runtime.clock };
            let checked = runtime.make_one(loaded.contract.check_settings(allowance, Arc::clone(&settings)));
            let answer = checked.map(|checked| spent = spent.saturating_add(checked.duration));
            let mut known = loaded.code.known();
            known.changed |= known.notes.check(digest, &answer);
            drop(known);
            answer?;
        }
    }
    let (clock, spent) = (runtime.clock, Mutex::new(spent));
    Ok(Ready { loaded, settings, spent, has_outgrown: AtomicBool::new(false), clock, in_vain: AtomicUsize::new(0) })
}

impl Ready {
    /// A question for the policy, which is asked in the pool where there is room for it.
    pub(super) fn call(&self, spec: &PolicySpec, request: &RequestForms<'_>) -> Call<Verdict> {
        let spent = std::mem::take(&mut *self.spent.lock().unwrap_or_else(PoisonError::into_inner));
        let pooled = self.loaded.pooled.as_ref().filter(|_| !self.has_outgrown.load(Ordering::Relaxed));
        self.question(pooled.unwrap_or(&self.loaded.contract), spec, request, spent)
    }

    fn question(
        &self,
        contract: &Contract,
        spec: &PolicySpec,
        request: &RequestForms<'_>,
        spent: Duration,
    ) -> Call<Verdict> {
        let allowance = Allowance { limits: &spec.limits, spent, output: spec.limits.output, clock: self.clock };
        contract.evaluate(allowance, request, Arc::clone(&self.settings))
    }

    /// Returns what came of a question. One that was not answered in time is asked again, where that says nothing about
    /// the policy.
    pub(super) fn answered(
        &self,
        runtime: &Runtime,
        spec: &PolicySpec,
        request: &RequestForms<'_>,
        answer: Result<Called<Verdict>, Fault>,
    ) -> Result<CallResult<Verdict>, Fault> {
        let mut judged = answer.and_then(|answer| self.judged(runtime, spec, request, answer));
        if self.clock == CallClock::Wall || !is_late(&judged) {
            return judged;
        }
        for _ in 1..ASKED_IN_ALL {
            if self.in_vain.load(Ordering::Relaxed) >= ASKED_IN_VAIN {
                return judged;
            }
            judged = runtime.make_one(self.question(&self.loaded.contract, spec, request, Duration::ZERO));
            if !is_late(&judged) {
                return judged;
            }
        }
        self.in_vain.fetch_add(1, Ordering::Relaxed);
        judged
    }

    /// Returns the verdict, and the time and memory that the call took, start-up included. What the pool has no room for
    /// is asked again, in memory of its own.
    fn judged(
        &self,
        runtime: &Runtime,
        spec: &PolicySpec,
        request: &RequestForms<'_>,
        answer: Called<Verdict>,
    ) -> Result<CallResult<Verdict>, Fault> {
        let spent = answer.spent;
        match answer.take() {
            Ok(result) => return Ok(result),
            Err(NoResult::Fault(fault)) => return Err(fault),
            Err(NoResult::NoSlot) => {}
            Err(NoResult::Outgrown) => self.has_outgrown.store(true, Ordering::Relaxed),
        }
        tracing::debug!("asked again, in memory of its own");
        runtime.make_one(self.question(&self.loaded.contract, spec, request, spent))
    }
}

/// Whether it ended because its time was over.
pub(super) fn is_late<T>(result: &Result<T, Fault>) -> bool {
    result.as_ref().is_err_and(|fault| fault.kind == FaultKind::Deadline)
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("spent", &self.spent).finish_non_exhaustive()
    }
}
