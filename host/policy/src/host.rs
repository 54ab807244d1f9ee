//! The host, made once per process: engine, linker and threads.

use std::fmt;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bound::Bound;
use crate::compile::Compiler;
use crate::compile::InProcess;
use crate::compiled::Compiled;
use crate::component::Component;
use crate::component::Unreadable;
use crate::contract;
use crate::contract::Description;
use crate::embedded::EmbeddedCode;
use crate::kept::CodeStore;
use crate::load::Wanted;
use crate::pages;
use crate::room;
use crate::room::cramped;
use crate::store::Guest;
use crate::thread::Threads;
use crate::tuning;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::LayerName;
use smcp_model::verdict::Fault;

/// Evaluates policies; made once per process and shared by all threads. A clone is the same host.
#[derive(Clone)]
pub struct PolicyHost {
    pub(crate) runtime: Arc<Runtime>,
}

/// The parts of the host that all calls share.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    pub(crate) threads: Threads,
    pub(crate) compiler: Arc<dyn Compiler>,
    pub(crate) store: Option<Arc<dyn CodeStore>>,
    pub(crate) compiled: Compiled,
    pub(crate) embedded: EmbeddedCode,
}

/// The host could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The runtime refused its settings.
    #[error("the WebAssembly runtime could not be started: {0}")]
    Engine(String),
}

impl PolicyHost {
    /// Makes a host that compiles in this process.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn new() -> Result<Self, HostError> {
        Self::with_compiler(InProcess)
    }

    /// Makes a host, with the one import that policies may have. Its engine has no compiler: `compiler` compiles every
    /// component.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn with_compiler(compiler: impl Compiler + 'static) -> Result<Self, HostError> {
        Self::make(Arc::new(compiler), None)
    }

    /// Makes a host that keeps compiled code, and what components answered, in `store`.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn with_store(compiler: impl Compiler + 'static, store: impl CodeStore + 'static) -> Result<Self, HostError> {
        Self::make(Arc::new(compiler), Some(Arc::new(store)))
    }

    fn make(compiler: Arc<dyn Compiler>, store: Option<Arc<dyn CodeStore>>) -> Result<Self, HostError> {
        let mut config = tuning::config();
        config.enable_compiler(false).max_wasm_stack(limits::WASM_STACK);
        pages::run_in_place(&mut config);
        let engine = Engine::new(&config).map_err(not_started)?;
        let mut linker = Linker::new(&engine);
        contract::add_imports(&mut linker).map_err(not_started)?;
        let (threads, compiled) = (Threads::default(), Compiled::default());
        let runtime = Runtime { engine, linker, threads, compiler, store, compiled, embedded: Default::default() };
        Ok(Self { runtime: Arc::new(runtime) })
    }

    /// Compiles a component and asks for its description. It needs no settings.
    ///
    /// # Errors
    /// Any kind of fault but those of settings: `describe` can fail like any other call.
    pub fn describe(&self, component: &Component, limits: &PolicyLimits) -> Result<Description, Fault> {
        self.describe_for(component, LayerName::User, limits)
    }

    /// Does the same for the component of a policy, whatever its settings are.
    ///
    /// # Errors
    /// Any kind of fault but those of settings; that of a component that could not be read.
    pub fn describe_bound(&self, bound: &Bound) -> Result<Description, Fault> {
        let Bound { spec, component } = bound;
        let described = component.as_ref().map_err(Unreadable::fault);
        let described = described.and_then(|component| self.describe_for(component, spec.layer, &spec.limits));
        described.map_err(|fault| fault.of(&spec.source))
    }

    /// Returns the size of the compiled code that is kept of a policy's component, bytes: what the next start finds and
    /// does not compile. `None` when none is kept, or the policy is part of this crate.
    pub fn kept_code_size(&self, bound: &Bound) -> Option<usize> {
        let digest = bound.component.as_ref().ok()?.digest();
        let kept = self.runtime.store.as_ref()?.find(digest, bound.layer())?;
        kept.code.map(|code| code.as_bytes().len())
    }

    fn describe_for(
        &self,
        component: &Component,
        layer: LayerName,
        limits: &PolicyLimits,
    ) -> Result<Description, Fault> {
        let mut code = None;
        let loaded = self.runtime.load(Wanted { component, layer, limits }, &mut code);
        code.iter().for_each(|code| self.runtime.keep(component.digest(), layer, code));
        loaded.map(|loaded| loaded.description)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
fn not_started(error: wasmtime::Error) -> HostError {
    let way_out = cramped().filter(|_| room::is_systems(&error)).map_or_else(String::new, |it| format!("\n  {it}"));
    HostError::Engine(format!("{error:#}{way_out}"))
}

impl fmt::Debug for PolicyHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyHost").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::PolicySet;

    /// No system refuses settings of ours, so the test has others.
    #[test]
    fn a_runtime_that_does_not_start_says_why() {
        let mut config = tuning::config();
        config.max_wasm_stack(0);
        let error = Engine::new(&config).map_err(not_started).unwrap_err();
        let expected = "the WebAssembly runtime could not be started: max_wasm_stack size cannot be zero";
        assert_eq!(error.to_string(), expected);
    }

    /// Runs nothing: it compiles only if both can be shared.
    #[test]
    fn hosts_and_sets_are_shared_between_threads() {
        const fn shared<T: Send + Sync>() {}
        shared::<PolicyHost>();
        shared::<PolicySet>();
    }
}
