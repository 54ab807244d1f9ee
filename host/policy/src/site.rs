//! Where instances live: in memory of their own, or in a slot of a pool.
//!
//! A slot is made ready for the next instance by what the last one wrote, where the kernel says what that is: nothing is
//! mapped, and no page is missing. A pool costs a start more than it saves it, so only hosts that decide often have one.
//! Nothing depends on it: what a slot has no room for runs in memory of its own, and so does what finds them all in use.

use wasmtime::Enabled;
use wasmtime::Engine;
use wasmtime::PoolingAllocationConfig;
use wasmtime::component::Linker;

use crate::builtin;
use crate::contract;
use crate::pages;
use crate::room;
use crate::store::Guest;
use crate::tuning;
use smcp_model::limits;

/// Linear memories in a pool at once, and tables: more than threads evaluate at a time, and one for each policy that a
/// host has usually loaded, which finds what it left there.
const SLOTS: u32 = 256;
/// The most memory that a slot keeps between instances, bytes: many times what policies write.
const KEPT: usize = 1024 * 1024;
/// Its table, bytes: a page has room for the functions of most programs.
const KEPT_TABLE: usize = 4096;

/// An engine with what policies may import.
pub(crate) struct Site {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    /// The most bytes of one linear memory that there is room for, whatever the policy's limits are.
    pub(crate) room: usize,
}

/// The sites of a host.
pub(crate) struct Sites {
    pub(crate) own: Site,
    /// Of a host that decides often.
    pub(crate) pool: Option<Site>,
}

impl Site {
    /// Each instance has memory of its own.
    ///
    /// # Errors
    /// Those of the runtime.
    pub(crate) fn own() -> wasmtime::Result<Self> {
        Self::make(tuning::config(), usize::MAX)
    }

    /// Instances share slots, one after the other. `None` where the system does not give the address space for it.
    pub(crate) fn pool() -> Option<Self> {
        if room::is_limited() { None } else { Self::pool_of(SLOTS) }
    }

    fn pool_of(slots: u32) -> Option<Self> {
        let room = usize::try_from(tuning::RESERVED).ok()?;
        let mut config = tuning::config();
        config.allocation_strategy(pool(room, slots));
        let made = Self::make(config, room);
        made.inspect_err(|error| tracing::debug!(%error, "there is no pool, and each call maps its memory")).ok()
    }

    fn make(mut config: wasmtime::Config, room: usize) -> wasmtime::Result<Self> {
        config.enable_compiler(false).max_wasm_stack(limits::WASM_STACK);
        pages::run_in_place(&mut config);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        contract::add_imports(&mut linker)?;
        builtin::add_import(&mut linker)?;
        Ok(Self { engine, linker, room })
    }
}

fn pool(room: usize, slots: u32) -> PoolingAllocationConfig {
    let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let limits = &limits::PolicyLimits::CEILING;
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(room)
        .total_memories(slots)
        .total_tables(slots)
        .total_component_instances(slots)
        .total_core_instances(slots * 8)
        .max_unused_warm_slots(slots)
        .max_memories_per_module(most(limits.memories))
        .max_tables_per_module(most(limits::TABLES))
        .table_elements(limits::TABLE_ELEMENTS)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(KEPT_TABLE);
    // Without the kernel's help all of it would be written, each time.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(KEPT);
    }
    pool
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use serde_json::json;

    use super::*;
    use crate::bound::Bound;
    use crate::compile::InProcess;
    use crate::component::Component;
    use crate::host::PolicyHost;
    use crate::request;
    use crate::set::PolicySet;
    use smcp_model::policy::BuiltIn;
    use smcp_model::policy::PolicySpec;
    use smcp_model::request::Context;
    use smcp_model::request::Request;
    use smcp_model::verdict::Outcome;

    fn built_ins(host: &PolicyHost) -> PolicySet {
        let settings =
            [json!({"allowed_origins": ["official"]}), json!({"min_cert_level": 2}), json!({"min_score": 80})];
        let bind = |(policy, settings)| {
            Bound::new(PolicySpec::built_in(policy, settings), Ok(Component::built_in(policy))).unwrap()
        };
        PolicySet::load(host, BuiltIn::ALL.into_iter().zip(settings).map(bind))
    }

    fn requests() -> Vec<Request> {
        let context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
        let document = |number: usize| {
            let (origin, level) = (["official", "community"][number % 2], number % 4);
            format!(r#"{{"score": {}, "origin": "{origin}", "cert_level": {level}}}"#, number % 101)
        };
        (0..300).map(|number| request::from_document(document(number).as_bytes(), context).unwrap()).collect()
    }

    /// The outcomes, and the memory that each call took.
    fn judged(set: &PolicySet, requests: &[Request]) -> Vec<(Outcome, usize)> {
        set.evaluate_each(requests).into_iter().flatten().map(|policy| (policy.outcome, policy.memory)).collect()
    }

    #[test]
    fn a_pooled_host_judges_in_its_pool_as_another_does_without() {
        let plain = PolicyHost::new().unwrap();
        let pooled = plain.pooled().unwrap();
        let requests = requests();
        let expected = judged(&built_ins(&plain), &requests);
        let set = built_ins(&pooled);
        assert_eq!(judged(&set, &requests), expected);
        let one_by_one: Vec<_> = requests.iter().flat_map(|request| set.evaluate(request)).collect();
        assert!(
            one_by_one
                .iter()
                .map(|policy| (&policy.outcome, policy.memory))
                .eq(expected.iter().map(|(it, bytes)| (it, *bytes)))
        );
        let metrics = pooled.runtime.sites.pool.as_ref().unwrap().engine.pooling_allocator_metrics().unwrap();
        // The last instance is cleared away after the answer.
        while metrics.memories() > 0 {
            thread::yield_now();
        }
        assert!(metrics.unused_warm_memories() >= 1, "the component has left a slot behind");
    }

    #[test]
    fn what_finds_no_slot_is_judged_without_one() {
        let plain = PolicyHost::new().unwrap();
        let without = PolicyHost::make(Arc::new(InProcess), None, Site::pool_of(0)).unwrap();
        assert!(without.runtime.sites.pool.is_some());
        let requests = requests();
        assert_eq!(judged(&built_ins(&without), &requests), judged(&built_ins(&plain), &requests));
    }
}
