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
//! `examples/embed` is a complete program, with a policy from a file. [`model`] explains names, facts, modes and
//! outcomes.

pub mod request;

mod body;
mod bound;
mod builtin;
mod call;
mod compile;
mod compiled;
mod component;
mod contract;
mod host;
mod load;
mod parts;
mod room;
mod set;
mod shape;
mod store;
mod thread;
mod ticker;
mod tuning;

pub use bound::Bound;
pub use bound::PinMismatch;
pub use compile::Compiler;
pub use compile::InProcess;
pub use compile::MachineCode;
pub use component::Component;
pub use component::Unreadable;
pub use contract::Description;
pub use host::HostError;
pub use host::PolicyHost;
pub use room::cramped;
pub use set::LoadedPolicy;
pub use set::PolicySet;
pub use set::decision;
pub use shape::Shape;
pub use smcp_model as model;
pub use smcp_model::request::Request;

/// The interface that policies export.
pub const INTERFACE: &str = contract::EVALUATOR;
/// The version of the runtime; a test compares it with Cargo.lock.
pub const RUNTIME_VERSION: &str = "48.0.8";

#[cfg(test)]
mod tests {
    #[test]
    fn the_runtime_version_is_that_of_cargo_lock() {
        let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));
        let entry = format!("name = \"wasmtime\"\nversion = \"{}\"\n", super::RUNTIME_VERSION);
        assert!(lock.contains(&entry), "{entry}");
    }
}
