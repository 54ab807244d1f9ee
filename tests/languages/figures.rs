//! What each language's component costs: size, memory, time. Printed, for the table in the documents; times are no test.

use std::fs;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use crate::made::Made;
use crate::made::all;
use crate::made::say;
use smcp_model::facts_document;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Outcome;
use smcp_policy::Bound;
use smcp_policy::CompileOrder;
use smcp_policy::Compiler;
use smcp_policy::Component;
use smcp_policy::InProcess;
use smcp_policy::MachineCode;
use smcp_policy::NotCompiled;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::Request;
use smcp_policy::request;

/// Bytes of a page, in which memory is given.
const PAGE: usize = 65_536;

/// Evaluations of which the median is shown.
const EVALUATIONS: usize = 21;

/// Compiles in this process, however long a busy machine takes for it.
struct Patient;

impl Compiler for Patient {
    fn compile(&self, order: &CompileOrder<'_>) -> Result<MachineCode, NotCompiled> {
        InProcess.compile(order)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(3600)
    }
}

fn load(host: &PolicyHost, made: &Made, bytes: &[u8], limits: PolicyLimits) -> PolicySet {
    let settings = json!({"allow": ["api.example.com"]});
    let spec = PolicySpec::file(made.name.parse().unwrap(), &made.component, settings);
    let spec = PolicySpec { limits, ..spec };
    PolicySet::load(host, [Bound::new(spec, Ok(Component::new(bytes.to_vec()))).unwrap()])
}

fn a_request() -> Request {
    let facts = br#"{"permissions": {"network": ["api.example.com", "evil.example"], "filesystem_read": [],
        "filesystem_write": [], "environment": [], "subprocess": false}}"#;
    let subject = facts_document::read(facts, Path::new("/"), None).unwrap();
    request::build(&subject, Context { evaluated_at: 1_800_000_000, trust: false, interactive: false }, true)
}

/// Evaluates once; the verdict has to be the right one.
fn evaluate(set: &PolicySet) -> Option<Evaluated> {
    let evaluated = set.evaluate(&a_request()).remove(0);
    matches!(&evaluated.outcome, Outcome::Violation { .. }).then_some(evaluated)
}

/// The least memory with which it judges, in pages, by halving.
fn memory(host: &PolicyHost, made: &Made, bytes: &[u8]) -> usize {
    let (mut least, mut most) = (0, PolicyLimits::DEFAULT.memory / PAGE);
    while least + 1 < most {
        let middle = usize::midpoint(least, most);
        let limits = PolicyLimits { memory: middle * PAGE, ..PolicyLimits::DEFAULT };
        if evaluate(&load(host, made, bytes, limits)).is_some() { most = middle } else { least = middle }
    }
    most
}

#[test]
fn every_component_judges_within_the_default_limits() {
    let host = PolicyHost::with_compiler(Patient).unwrap();
    for made in all() {
        let bytes = fs::read(&made.component).unwrap();
        let began = Instant::now();
        let set = load(&host, made, &bytes, PolicyLimits::DEFAULT);
        let loading = began.elapsed();
        let mut times: Vec<Duration> = (0..EVALUATIONS)
            .map(|_| evaluate(&set).unwrap_or_else(|| panic!("{}: {:?}", made.name, set.policies())).duration)
            .collect();
        times.sort();
        say(&format!(
            "figures: {}: {} bytes, {:.1} MiB of memory, evaluate in {:.3} ms (least {:.3}), compile and load in {:.2} s",
            made.name,
            bytes.len(),
            (memory(&host, made, &bytes) * PAGE) as f64 / f64::from(1 << 20),
            times[EVALUATIONS / 2].as_secs_f64() * 1e3,
            times[0].as_secs_f64() * 1e3,
            loading.as_secs_f64(),
        ));
    }
}
