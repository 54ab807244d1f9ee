//! Security policies as WebAssembly components: loads and evaluates them.
//!
//! A policy is a component that exports `smcp:policy/evaluator` (`wit/policy.wit`). It is asked about a [`Request`] and
//! answers with findings. It can reach only a bounded log, gets a fresh store and instance for each call, and must keep
//! every limit of [`limits`](model::limits). Its failure is a [`Fault`](model::verdict::Fault), which counts as a
//! violation of that policy and affects no other.
//!
//! # To embed it
//!
//! A process makes one [`PolicyHost`]. Each policy is a [`PolicySpec`](model::policy::PolicySpec) with a [`Component`],
//! which [`Bound`] joins; a [`PolicySet`] loads them once and evaluates them any number of times, from any number of
//! threads. Each outcome has an [`effect`](model::verdict::Evaluated::effect) under its policy's mode; the decision is
//! the largest effect.
//!
//! ```
//! use serde_json::json;
//! use smcp_policy::model::mode::Effect;
//! use smcp_policy::model::policy::BuiltIn;
//! use smcp_policy::model::policy::PolicySpec;
//! use smcp_policy::model::request::Context;
//! use smcp_policy::{Bound, Component, PolicyHost, PolicySet, decision, request};
//!
//! let spec = PolicySpec::built_in(BuiltIn::Score, json!({"min_score": 80}));
//! let host = PolicyHost::new()?;
//! let set = PolicySet::load(&host, [Bound::new(spec, Ok(Component::built_in(BuiltIn::Score)))?]);
//!
//! let context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
//! let request = request::from_document(br#"{"score": 60}"#, context)?;
//! assert_eq!(decision(&set.evaluate(&request)), Effect::Block);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A process that decides more than a few times makes its host [`pooled`](PolicyHost::pooled), and asks about many requests at
//! once with [`evaluate_each`](PolicySet::evaluate_each): the results are the same, several times as fast.
//!
//! `examples/embed` is a complete program, with a policy from a file. [`model`] explains names, facts, modes and
//! outcomes.

pub mod request;

mod ahead;
mod body;
mod bound;
mod builtin;
mod call;
mod compile;
mod compiled;
mod component;
mod contract;
mod copied_data;
mod cores;
mod embedded;
#[cfg(test)]
mod engine_key;
mod host;
mod kept;
mod load;
mod machine_code;
mod pages;
mod parts;
mod room;
mod set;
mod shape;
mod site;
mod store;
mod thread;
mod tuning;

pub use ahead::Ahead;
pub use ahead::Late;
pub use bound::Bound;
pub use bound::PinMismatch;
pub use compile::CompileOrder;
pub use compile::Compiler;
pub use compile::InProcess;
pub use compile::NotCompiled;
pub use component::Component;
pub use component::ReadAgain;
pub use component::Unreadable;
pub use contract::Description;
pub use contract::SettingsSchema;
pub use cores::share;
pub use host::HostError;
pub use host::HostInMaking;
pub use host::PolicyHost;
pub use kept::CodeStore;
pub use kept::Kept;
pub use machine_code::CodeImage;
pub use machine_code::MachineCode;
pub use room::cramped;
pub use set::LoadedPolicy;
pub use set::PolicySet;
pub use set::decision;
pub use shape::ComponentShape;
pub use smcp_model as model;
pub use smcp_model::request::Request;

/// The interface that policies export.
pub const INTERFACE: &str = contract::EVALUATOR;
/// The version of the runtime; a test compares it with Cargo.lock.
pub const RUNTIME_VERSION: &str = "48.0.8";

/// Identifies the engine that compiles in this build, and the rules by which components are checked before: code of
/// one loads where both are the same.
pub fn engine_key() -> model::digest::Digest {
    let mut key = model::digest::Hasher::default();
    key.update(include_bytes!(concat!(env!("OUT_DIR"), "/engine.sha256")));
    key.update(kept::RULES.as_bytes());
    key.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The build script made the key; the compiler of the running program must be the same engine.
    #[test]
    fn the_engine_that_compiles_is_the_one_of_the_key() {
        let engine = wasmtime::Engine::new(tuning::config().target(env!("SMCP_TARGET")).unwrap()).unwrap();
        let identity = model::digest::Digest::of(&engine_key::identity(&engine));
        assert_eq!(identity.as_bytes(), include_bytes!(concat!(env!("OUT_DIR"), "/engine.sha256")));
        let other =
            wasmtime::Engine::new(tuning::config().target(env!("SMCP_TARGET")).unwrap().wasm_simd(false)).unwrap();
        assert_ne!(engine_key::identity(&other), engine_key::identity(&engine), "another tuning is another engine");
    }

    #[test]
    fn the_runtime_version_is_that_of_cargo_lock() {
        let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));
        let entry = format!("name = \"wasmtime\"\nversion = \"{}\"\n", super::RUNTIME_VERSION);
        assert!(lock.contains(&entry), "{entry}");
    }
}
