//! The one policy host of a process, with its compiler and its store.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::Compilation;
use smcp_code::ChildCompiler;
use smcp_code::CodePlaces;
use smcp_code::CompiledStore;
use smcp_model::text::SafeText;
use smcp_policy::CodeStore;
use smcp_policy::Compiler;
use smcp_policy::HostError;
use smcp_policy::InProcess;
use smcp_policy::PolicyHost;

/// The policy host of this process, made when the first policies are loaded and kept from then on. A clone refers to
/// the same host.
#[derive(Debug, Clone, Default)]
pub struct SharedHost(Arc<OnceLock<ReadyHost>>);

#[derive(Debug)]
struct ReadyHost {
    host: PolicyHost,
    store: Option<Arc<CompiledStore>>,
}

impl SharedHost {
    /// Returns the host, and makes it when there is none yet: it compiles as `compilation` says, and keeps the code in
    /// `places`; nowhere if there are none.
    ///
    /// # Errors
    /// See [`HostError`]; the next call tries again.
    pub fn get(&self, compilation: Compilation, places: Option<CodePlaces>) -> Result<&PolicyHost, HostError> {
        if let Some(made) = self.0.get() {
            return Ok(&made.host);
        }
        let store = places.map(|places| Arc::new(CompiledStore::new(places)));
        let host = made_of(compilation, store.clone())?;
        Ok(&self.0.get_or_init(|| ReadyHost { host, store }).host)
    }

    /// Returns a host of its own, which keeps the code in `store`.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn with_store(compilation: Compilation, store: impl CodeStore + 'static) -> Result<PolicyHost, HostError> {
        made_of(compilation, Some(store))
    }

    /// Returns why compiled code could not be kept, so that the next start compiles again.
    pub fn not_kept(&self) -> Option<SafeText> {
        self.0.get()?.store.as_ref()?.problem()
    }
}

fn made_of(compilation: Compilation, store: Option<impl CodeStore + 'static>) -> Result<PolicyHost, HostError> {
    match child_compiler(compilation) {
        Some(compiler) => with(compiler, store),
        None => with(InProcess, store),
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

fn with(compiler: impl Compiler + 'static, store: Option<impl CodeStore + 'static>) -> Result<PolicyHost, HostError> {
    match store {
        Some(store) => PolicyHost::with_store(compiler, store),
        None => PolicyHost::with_compiler(compiler),
    }
}
