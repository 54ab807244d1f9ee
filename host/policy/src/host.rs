//! The host, made once per process: engine, linker and threads.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;

use crate::bound::Bound;
use crate::compile::Compiler;
use crate::compile::InProcess;
use crate::compiled::Compiled;
use crate::component::Component;
use crate::component::Unreadable;
use crate::contract::Description;
use crate::embedded::EmbeddedCode;
use crate::kept::CodeStore;
use crate::load::Wanted;
use crate::room;
use crate::room::cramped;
use crate::site::Site;
use crate::site::Sites;
use crate::store::CallClock;
use crate::thread::Threads;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::verdict::Fault;

/// Evaluates policies; made once per process and shared by all threads. A clone is the same host.
#[derive(Clone)]
pub struct PolicyHost {
    pub(crate) runtime: Arc<Runtime>,
}

/// The parts of the host that all calls share.
pub(crate) struct Runtime {
    pub(crate) sites: Sites,
    pub(crate) threads: Threads,
    pub(crate) compiler: Arc<dyn Compiler>,
    pub(crate) store: Option<Arc<dyn CodeStore>>,
    pub(crate) compiled: Compiled,
    pub(crate) embedded: EmbeddedCode,
    /// By what the time of calls is measured.
    pub(crate) clock: CallClock,
}

/// A host in the making: its engine and the code of the built-in policies are made on a thread of their own while its
/// caller does something else. The thread evaluates policies afterwards.
pub struct HostInMaking {
    threads: Threads,
    parts: Receiver<Result<HostParts, HostError>>,
}

/// What a host has whatever it compiles with.
struct HostParts {
    sites: Sites,
    embedded: EmbeddedCode,
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
        Self::make(Arc::new(compiler), None, None)
    }

    /// Makes a host that keeps compiled code, and what components answered, in `store`.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn with_store(compiler: impl Compiler + 'static, store: impl CodeStore + 'static) -> Result<Self, HostError> {
        Self::make(Arc::new(compiler), Some(Arc::new(store)), None)
    }

    /// Makes another host like this one, for a process that decides often: it loads more slowly and evaluates several
    /// times faster, with the same results. It has a pool of memory for instances where the system allows it, some GiB
    /// of addresses, and the code of each policy twice. Each evaluation still has a fresh instance.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn pooled(&self) -> Result<Self, HostError> {
        let Runtime { compiler, store, .. } = &*self.runtime;
        Self::make(Arc::clone(compiler), store.clone(), Site::pool())
    }

    /// Makes such a host for questions on which nothing waits to start. Deadlines are processor time there, and a policy
    /// that has not answered in time is asked again: a machine that stalls changes no answer.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn comparing(&self) -> Result<Self, HostError> {
        let mut host = self.pooled()?;
        Arc::get_mut(&mut host.runtime).into_iter().for_each(|runtime| runtime.clock = CallClock::Processor);
        Ok(host)
    }

    pub(crate) fn make(
        compiler: Arc<dyn Compiler>,
        store: Option<Arc<dyn CodeStore>>,
        pool: Option<Site>,
    ) -> Result<Self, HostError> {
        let threads = if pool.is_some() { Threads::alert() } else { Threads::default() };
        Ok(Self::of(HostParts::make(pool)?, threads, compiler, store))
    }

    fn of(parts: HostParts, threads: Threads, compiler: Arc<dyn Compiler>, store: Option<Arc<dyn CodeStore>>) -> Self {
        let HostParts { sites, embedded } = parts;
        let compiled = Compiled::default();
        Self {
            runtime: Arc::new(Runtime { sites, threads, compiler, store, compiled, embedded, clock: CallClock::Wall }),
        }
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

impl HostInMaking {
    /// Begins to make a host. Without a further thread, [`finish`](Self::finish) makes all of it.
    pub fn begin() -> Self {
        let threads = Threads::default();
        let (sender, parts) = mpsc::channel();
        threads.begin(move || {
            let parts = HostParts::make(None).inspect(HostParts::load_built_ins);
            // The caller may have ended without a need for policies.
            sender.send(parts).unwrap_or_default();
        });
        Self { threads, parts }
    }

    /// Waits for what was begun, and makes the host of it: like [`PolicyHost::with_store`], or, without a store, like
    /// [`PolicyHost::with_compiler`].
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn finish(
        self,
        compiler: impl Compiler + 'static,
        store: Option<impl CodeStore + 'static>,
    ) -> Result<PolicyHost, HostError> {
        let parts = self.parts.recv().unwrap_or_else(|_| HostParts::make(None))?;
        let store = store.map(|store| Arc::new(store) as Arc<dyn CodeStore>);
        Ok(PolicyHost::of(parts, self.threads, Arc::new(compiler), store))
    }
}

impl HostParts {
    fn make(pool: Option<Site>) -> Result<Self, HostError> {
        let own = Site::own().map_err(not_started)?;
        Ok(Self { sites: Sites { own, pool }, embedded: EmbeddedCode::default() })
    }

    /// Loads the code of the built-in policies. One that does not load is loaded again when it is called, and says why.
    fn load_built_ins(&self) {
        for policy in BuiltIn::ALL {
            let _ = self.embedded.load(&self.sites, policy);
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
fn not_started(error: wasmtime::Error) -> HostError {
    let way_out = cramped().filter(|_| room::is_systems(&error)).map_or_else(String::new, |it| format!("\n  {it}"));
    HostError::Engine(format!("{error:#}{way_out}"))
}

impl fmt::Debug for HostInMaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostInMaking").finish_non_exhaustive()
    }
}

impl fmt::Debug for PolicyHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyHost").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;
    use crate::set::PolicySet;
    use crate::tuning;

    /// No system refuses settings of ours, so the test has others.
    #[test]
    fn a_runtime_that_does_not_start_says_why() {
        let mut config = tuning::config();
        config.max_wasm_stack(0);
        let error = Engine::new(&config).map_err(not_started).unwrap_err();
        let expected = "the WebAssembly runtime could not be started: max_wasm_stack size cannot be zero";
        assert_eq!(error.to_string(), expected);
    }

    /// The thread on which it was made evaluates: no second one is started.
    #[test]
    fn a_host_that_was_begun_has_its_built_ins_and_a_thread() {
        let host = HostInMaking::begin().finish(InProcess, None::<Arc<dyn CodeStore>>).unwrap();
        let loaded = |policy: &BuiltIn| host.runtime.embedded.of(*policy).is_some_and(|code| code.get().is_some());
        assert!(BuiltIn::ALL.iter().all(loaded));
        let described = host.describe(&Component::built_in(BuiltIn::Score), &PolicyLimits::DEFAULT).unwrap();
        assert_eq!(described.name.as_str(), "score");
    }

    /// Runs nothing: it compiles only if both can be shared.
    #[test]
    fn hosts_and_sets_are_shared_between_threads() {
        const fn shared<T: Send + Sync>() {}
        shared::<PolicyHost>();
        shared::<PolicySet>();
    }
}
