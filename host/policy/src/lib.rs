//! Policies as components: loaded, sandboxed, evaluated.
//!
//! Before it `request` has said what a policy is told; after it `decide` weighs what the policies said. A policy gets
//! a fresh store and instance for every call, with every limit of `model::limits` set in one constructor; it can
//! reach nothing but a bounded log. Whatever goes wrong is a [`Fault`](smcp_model::verdict::Fault) of that policy.

pub mod request;

mod bindings;
mod builtin;
mod call;
mod compile;
mod convert;
mod evaluate;
mod load;
mod room;
mod shape;
mod store;
mod thread;
mod ticker;
mod tuning;

pub use evaluate::Bound;
pub use evaluate::PinMismatch;
pub use load::Description;
pub use load::Loaded;
pub use load::Source;
pub use load::Unreadable;
pub use room::cramped;
pub use shape::Shape;

use std::collections::BTreeMap;
use std::sync::Mutex;

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::HasSelf;
use wasmtime::component::Linker;

use smcp_model::digest::Digest;
use smcp_model::limits;

/// The interface that policies export.
pub const INTERFACE: &str = shape::EVALUATOR;
/// The version of the runtime; a test holds it against Cargo.lock.
pub const RUNTIME_VERSION: &str = "48.0.8";

/// The engine that evaluates, with everything that is made once.
pub struct PolicyHost {
    engine: Engine,
    linker: Linker<store::Guest>,
    threads: thread::Threads,
    // What was compiled in this process, by the digest of its bytes.
    compiled: Mutex<BTreeMap<Digest, Component>>,
    // Alive as long as anything can be called, so that deadlines always pass.
    _ticker: ticker::Ticker,
}

/// The host itself could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The runtime refused its settings.
    #[error("the WebAssembly runtime could not be started: {0}")]
    Engine(String),
    /// The system gave no thread for the clock of the sandbox.
    #[error("the clock of the sandbox could not be started{}", cramped().map_or_else(String::new, |it| format!("\n  {it}")))]
    Ticker(#[source] std::io::Error),
}

impl PolicyHost {
    /// Makes the engine, without a compiler in it, and the one import that policies may have.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn new() -> Result<Self, HostError> {
        let failed = |error: wasmtime::Error| {
            let way_out =
                cramped().filter(|_| room::is_systems(&error)).map_or_else(String::new, |it| format!("\n  {it}"));
            HostError::Engine(format!("{error:#}{way_out}"))
        };
        let mut config = tuning::config();
        config.enable_compiler(false).max_wasm_stack(limits::WASM_STACK);
        let engine = Engine::new(&config).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        bindings::Policy::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest).map_err(failed)?;
        let ticker = ticker::Ticker::start(&engine).map_err(HostError::Ticker)?;
        Ok(Self { engine, linker, threads: thread::Threads::default(), compiled: Mutex::default(), _ticker: ticker })
    }
}

impl std::fmt::Debug for PolicyHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyHost").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_runtime_has_the_version_that_is_said() {
        let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));
        let entry = format!("name = \"wasmtime\"\nversion = \"{}\"\n", super::RUNTIME_VERSION);
        assert!(lock.contains(&entry), "{entry}");
    }
}
