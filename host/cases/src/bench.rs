//! One policy, many calls: what it costs.

use std::time::Duration;
use std::time::Instant;

use crate::run::Tested;
use smcp_model::bench::Conditions;
use smcp_model::bench::Measurement;
use smcp_model::bench::Times;
use smcp_model::deadline::Deadline;
use smcp_model::limits::PolicyLimits;
use smcp_model::limits::bench as limits;
use smcp_model::number;
use smcp_model::progress::Progress;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_policy::Bound;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;

/// The reason why a policy could not be measured.
#[derive(Debug)]
pub enum NotMeasured {
    /// It failed in one of the calls.
    Fault(Fault),
    /// Its compiled code can't be kept, so no load would find it.
    NotKept,
}

impl From<Fault> for NotMeasured {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Measures a policy on one request. Its code and its answer about the settings are kept first, so a start with a warm
/// store is measured. Nothing else may have the policy loaded meanwhile, because then a load would not ask the store.
///
/// # Errors
/// See [`NotMeasured`]; a policy that fails once has no figures.
pub fn measure(
    host: &PolicyHost,
    tested: &Tested,
    settings: serde_json::Value,
    request: &Request,
    conditions: Conditions,
    progress: &mut dyn Progress,
) -> Result<Measurement, NotMeasured> {
    let bound = tested.bound(settings);
    // Without a deadline it can't be late; `load` reports all other faults.
    let ahead = host.prepare(std::iter::once(&bound), Deadline::none(), progress).ok();
    let set = PolicySet::load(host, [bound.clone()]);
    let judged = judge(&set, request)?;
    let description = set.policies().first().and_then(|policy| policy.description()).cloned();
    let (Some(description), Some(component_size)) = (description, tested.component.size()) else {
        return Err(not_done().into());
    };
    // While it is loaded, another load would share its code.
    drop((set, ahead));
    let compiled_size = host.kept_code_size(&bound).ok_or(NotMeasured::NotKept)?;
    let pooled = host.pooled().map_err(|error| Fault::new(FaultKind::Limit, error.to_string()))?;
    let hosts = BenchHosts { of_a_start: host, pooled: &pooled };
    progress.begin_steps(&format!("measuring the policy `{}`", description.name), limits::ROUNDS);
    let mut figures = Figures::default();
    let failed = (0..limits::ROUNDS).find_map(|_| figures.round(hosts, &bound, request, progress).err());
    progress.end();
    failed.map_or(Ok(()), Err)?;
    let Figures { loads, first_calls, warm_calls, memory } = figures;
    let all = (Times::of(loads), Times::of(first_calls), Times::of(warm_calls));
    let (Some(load), Some(first_call), Some(warm_call)) = all else { return Err(not_done().into()) };
    Ok(Measurement {
        policy: SafeText::new(description.name.as_str()),
        version: SafeText::new(&description.version.to_string()),
        digest: tested.component.digest(),
        conditions,
        violations: codes(judged.outcome.violations()),
        notices: codes(judged.outcome.notices()),
        load,
        first_call,
        warm_call,
        memory: number::wide(memory),
        memory_limit: number::wide(PolicyLimits::DEFAULT.memory),
        compiled_size: number::wide(compiled_size),
        component_size: number::wide(component_size),
    })
}

/// Where a policy is loaded and called first, and where it is called often: a start calls a policy once, so only what
/// decides often pays for a warm call, and that has a pool.
#[derive(Clone, Copy)]
struct BenchHosts<'h> {
    of_a_start: &'h PolicyHost,
    pooled: &'h PolicyHost,
}

/// Figures that are being collected.
#[derive(Default)]
struct Figures {
    loads: Vec<Duration>,
    first_calls: Vec<Duration>,
    warm_calls: Vec<Duration>,
    /// The most of any call, bytes.
    memory: usize,
}

impl Figures {
    /// Loads the policy several times, each time with a first call, and then calls it often.
    fn round(
        &mut self,
        hosts: BenchHosts<'_>,
        bound: &Bound,
        request: &Request,
        progress: &mut dyn Progress,
    ) -> Result<(), Fault> {
        let (mut done, begun) = (0, Instant::now());
        while goes_on(done, limits::LOADS, begun, limits::LOAD_TIME) {
            // Dropped below: while it is loaded, another load would share its code.
            let start = Instant::now();
            let set = PolicySet::load_for_now(hosts.of_a_start, [bound.clone()]);
            self.loads.push(start.elapsed());
            let first_call = self.call(&set, request)?;
            self.first_calls.push(first_call);
            progress.advance(0);
            done = done.saturating_add(1);
        }
        let set = PolicySet::load_for_now(hosts.pooled, [bound.clone()]);
        self.call(&set, request)?;
        let (mut done, begun) = (0, Instant::now());
        while goes_on(done, limits::CALLS, begun, limits::CALL_TIME) {
            let warm_call = self.call(&set, request)?;
            self.warm_calls.push(warm_call);
            progress.advance(0);
            done = done.saturating_add(1);
        }
        progress.advance(1);
        Ok(())
    }

    /// Calls the policy, in a fresh instance. Returns how long it took.
    fn call(&mut self, set: &PolicySet, request: &Request) -> Result<Duration, Fault> {
        let judged = judge(set, request)?;
        self.memory = judged.memory.max(self.memory);
        Ok(judged.duration)
    }
}

fn goes_on(done: usize, most: usize, begun: Instant, time: Duration) -> bool {
    done < limits::LEAST || (done < most && begun.elapsed() < time)
}

/// Evaluates the one policy of a set.
fn judge(set: &PolicySet, request: &Request) -> Result<Evaluated, Fault> {
    let evaluated = set.evaluate(request).pop().ok_or_else(not_done)?;
    match evaluated.outcome {
        Outcome::Fault(fault) => Err(fault),
        Outcome::Pass { .. } | Outcome::Violation { .. } | Outcome::Waived { .. } | Outcome::Skipped => Ok(evaluated),
    }
}

/// Stands for a policy that was not called, which would be a defect of smcp.
fn not_done() -> Fault {
    Fault::new(FaultKind::Panic, "the policy was not called")
}

fn codes(findings: &[Finding]) -> Vec<SafeText> {
    findings.iter().map(|finding| SafeText::new(finding.code.as_str())).collect()
}
