//! The engines: how each is called, and what it is.

use crate::plan::Plan;
use crate::process::Call;
use crate::world::World;

/// An engine that takes the arguments of `peer/src/lib.rs`.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) call: Call,
    /// Whether a process of it is measured, too: not for a variant that would be the same process.
    pub(crate) cold: bool,
}

/// smcp's library with the three built-in policies, which is what all others have to agree with.
pub(crate) const SMCP: &str = "smcp, all three policies";
/// The same with one policy.
pub(crate) const SMCP_ONE: &str = "smcp, the score alone";

/// Lists those that were built.
pub(crate) fn all(plan: &Plan, world: &World) -> Vec<Engine> {
    let checks = |name: &str| plan.root.join("tests/bench").join(name).display().to_string();
    let engine = |name, call, cold| Engine { name, call: world.in_home(call), cold };
    let mut engines = vec![
        engine(SMCP, Call::new(&plan.decisions, &["three"]), false),
        engine(SMCP_ONE, Call::new(&plan.decisions, &["one"]), false),
    ];
    if let Some(native) = &plan.native {
        engines.push(engine("native Rust", Call::new(native, &[]), true));
    }
    if let Some(rego) = &plan.rego {
        let checks = checks("rego/checks.rego");
        engines.push(engine("regorus, interpreter", Call::new(rego, &[&checks, "interpreter"]), true));
        engines.push(engine("regorus, virtual machine", Call::new(rego, &[&checks, "machine"]), true));
    }
    if let Some(cedar) = &plan.cedar {
        engines.push(engine("Cedar", Call::new(cedar, &[&checks("cedar/checks.cedar")]), true));
    }
    if let (Some(extism), Some(plugin)) = (&plan.extism, &plan.plugin) {
        let plugin = plugin.display().to_string();
        let call =
            |variant| Call::new(extism, &[&plugin, variant]).set("EXTISM_CACHE_CONFIG", world.text("cache.toml"));
        engines.push(engine("Extism, an instance for each decision", call("fresh"), true));
        engines.push(engine("Extism, one instance", call("kept"), false));
    }
    engines
}

/// Cedar's own command line on a request in a file; its policies are the same.
pub(crate) fn cedar_cli(plan: &Plan, world: &World, request: &str) -> Option<Call> {
    let policies = plan.root.join("tests/bench/cedar/checks.cedar").display().to_string();
    let entities = world.text("entities.json");
    let arguments =
        ["authorize", "--policies", &policies, "--entities", &entities, "--request-json", request, "--verbose"];
    plan.cedar_cli.as_ref().map(|cedar| world.in_home(Call::new(cedar, &arguments)))
}
