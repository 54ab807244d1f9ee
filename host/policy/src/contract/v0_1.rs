//! Version 0.1 of the interface: `smcp:policy@0.1.0` of `wit/policy.wit`.

mod bindings;
mod convert;

pub(crate) use bindings::exports::smcp::policy::evaluator::Request;
pub(crate) use convert::request;

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Component;
use wasmtime::component::HasSelf;
use wasmtime::component::Instance;
use wasmtime::component::Linker;

use crate::call::Allowance;
use crate::call::Call;
use crate::call::Linked;
use crate::compiled::Code;
use crate::contract::Description;
use crate::contract::v0_1::bindings::Policy;
use crate::contract::v0_1::bindings::PolicyIndices;
use crate::contract::v0_1::bindings::smcp::policy::logging;
use crate::site::Site;
use crate::store::Guest;
use crate::store::Level;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Verdict;

/// The only interface that a policy may import.
pub(crate) const LOGGING: &str = "smcp:policy/logging@0.1.0";
/// The interface that every policy exports.
pub(crate) const EVALUATOR: &str = "smcp:policy/evaluator@0.1.0";

/// A linked component, which can be instantiated any number of times.
pub(crate) struct Callee {
    linked: Linked,
    indices: PolicyIndices,
}

/// Defines the one import: a bounded log.
pub(crate) fn add_imports(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    Policy::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl Callee {
    /// Links a component, and finds its exports.
    ///
    /// # Errors
    /// [`FaultKind::Interface`].
    pub(crate) fn link(site: &Site, component: &Component, code: &Code) -> Result<Self, Fault> {
        let wrong = |error: wasmtime::Error| {
            Fault::new(FaultKind::Interface, format!("its interface is not that of smcp:policy@0.1.0: {error:#}"))
                .remedy("build it against the wit/policy.wit of this version")
        };
        let linked = Linked::new(site, component, code).map_err(wrong)?;
        let indices = PolicyIndices::new(&linked.instance).map_err(wrong)?;
        Ok(Self { linked, indices })
    }

    /// `describe`.
    pub(crate) fn describe(&self, allowance: Allowance<'_>) -> Call<Description> {
        let describe = |policy: &Policy, store: &mut Store<Guest>| policy.smcp_policy_evaluator().call_describe(store);
        self.call(allowance, describe, convert::description)
    }

    /// `check-settings`.
    pub(crate) fn check_settings(&self, allowance: Allowance<'_>, settings: Arc<str>) -> Call<()> {
        let check = move |policy: &Policy, store: &mut Store<Guest>| {
            policy.smcp_policy_evaluator().call_check_settings(store, &settings)
        };
        self.call(allowance, check, convert::settings)
    }

    /// `evaluate`.
    pub(crate) fn evaluate(
        &self,
        allowance: Allowance<'_>,
        request: Arc<Request>,
        settings: Arc<str>,
    ) -> Call<Verdict> {
        let evaluate = move |policy: &Policy, store: &mut Store<Guest>| {
            policy.smcp_policy_evaluator().call_evaluate(store, &request, &settings)
        };
        self.call(allowance, evaluate, convert::verdict)
    }

    fn call<T, U: Send + 'static>(
        &self,
        allowance: Allowance<'_>,
        function: impl FnOnce(&Policy, &mut Store<Guest>) -> wasmtime::Result<T> + Send + 'static,
        read: impl FnOnce(T) -> Result<U, Fault> + Send + 'static,
    ) -> Call<U> {
        let indices = self.indices.clone();
        // No guest code runs here: only the types of its exports are compared with the contract.
        let exports = move |store: &mut Store<Guest>, instance: &Instance| {
            indices.load(store, instance).map_err(|error| {
                Fault::new(FaultKind::Interface, format!("its exports are not those of smcp:policy@0.1.0: {error:#}"))
                    .remedy("build it against the wit/policy.wit of this version")
            })
        };
        Call::new(&self.linked, allowance, exports, function, read)
    }
}

impl logging::Host for Guest {
    fn log(&mut self, level: logging::Level, message: String) -> wasmtime::Result<()> {
        self.add_log_line(level.into(), &message)
    }
}

impl From<logging::Level> for Level {
    fn from(level: logging::Level) -> Self {
        match level {
            logging::Level::Debug => Self::Debug,
            logging::Level::Info => Self::Info,
            logging::Level::Warn => Self::Warn,
            logging::Level::Error => Self::Error,
        }
    }
}
