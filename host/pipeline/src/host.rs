//! The one policy host of a process, with its compiler and its store.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use crate::Compilation;
use smcp_code::ChildCompiler;
use smcp_code::CodePlaces;
use smcp_code::CompiledStore;
use smcp_model::text::SafeText;
use smcp_policy::CodeStore;
use smcp_policy::Compiler;
use smcp_policy::HostError;
use smcp_policy::HostInMaking;
use smcp_policy::InProcess;
use smcp_policy::PolicyHost;

/// The policy host of this process, made when the first policies are loaded and kept from then on. A clone refers to
/// the same host.
#[derive(Debug, Clone, Default)]
pub struct SharedHost {
    ready: Arc<OnceLock<ReadyHost>>,
    begun: Arc<Mutex<Option<HostInMaking>>>,
}

#[derive(Debug)]
struct ReadyHost {
    host: PolicyHost,
    store: Option<Arc<CompiledStore>>,
}

impl SharedHost {
    /// Begins to make the host, on a thread of its own, for a command that will need it.
    pub fn begin(&self) {
        *lock(&self.begun) = Some(HostInMaking::begin());
    }

    /// Returns the host, and makes it when there is none yet: it compiles as `compilation` says, and keeps the code in
    /// `places`; nowhere if there are none.
    ///
    /// # Errors
    /// See [`HostError`]; the next call tries again.
    pub fn get(&self, compilation: Compilation, places: Option<CodePlaces>) -> Result<&PolicyHost, HostError> {
        if let Some(made) = self.ready.get() {
            return Ok(&made.host);
        }
        let store = places.map(|places| Arc::new(CompiledStore::new(places)));
        let host = made_of(lock(&self.begun).take(), compilation, store.clone())?;
        Ok(&self.ready.get_or_init(|| ReadyHost { host, store }).host)
    }

    /// Returns a host of its own, which keeps the code in `store`.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn with_store(compilation: Compilation, store: impl CodeStore + 'static) -> Result<PolicyHost, HostError> {
        made_of(None, compilation, Some(store))
    }

    /// Returns why compiled code could not be kept, so that the next start compiles again.
    pub fn not_kept(&self) -> Option<SafeText> {
        self.ready.get()?.store.as_ref()?.problem()
    }
}

fn lock(begun: &Mutex<Option<HostInMaking>>) -> MutexGuard<'_, Option<HostInMaking>> {
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}

fn made_of(
    begun: Option<HostInMaking>,
    compilation: Compilation,
    store: Option<impl CodeStore + 'static>,
) -> Result<PolicyHost, HostError> {
    match child_compiler(compilation) {
        Some(compiler) => with(begun, compiler, store),
        None => with(begun, InProcess, store),
    }
}

/// The compiler that works in children of this process; `None` where policies are compiled in it.
pub(crate) fn child_compiler(compilation: Compilation) -> Option<ChildCompiler> {
    match compilation {
        #[cfg(target_os = "linux")]
        Compilation::InChild { program, memory, server } => Some(ChildCompiler::new(program, memory).or_by(server)),
        #[cfg(not(target_os = "linux"))]
        Compilation::InChild { program, memory } => Some(ChildCompiler::new(program, memory)),
        Compilation::InProcess => None,
    }
}

fn with(
    begun: Option<HostInMaking>,
    compiler: impl Compiler + 'static,
    store: Option<impl CodeStore + 'static>,
) -> Result<PolicyHost, HostError> {
    match (begun, store) {
        (Some(begun), store) => begun.finish(compiler, store),
        (None, Some(store)) => PolicyHost::with_store(compiler, store),
        (None, None) => PolicyHost::with_compiler(compiler),
    }
}
