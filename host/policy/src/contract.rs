//! The interface between smcp and policies, in each of its versions.
//!
//! Only the module of a version knows the form of its interface. This module has the part that all versions share: a
//! component describes itself, checks settings and evaluates.

mod schema;
mod v0_1;
/// An invented version: it proves that versions judge together.
#[cfg(test)]
mod v0_2;

pub use schema::SettingsSchema;
pub(crate) use v0_1::EVALUATOR;
pub(crate) use v0_1::LOGGING;

use std::sync::Arc;
use std::sync::OnceLock;

use wasmtime::component::Component;
use wasmtime::component::Linker;

use crate::call::Allowance;
use crate::call::Call;
use crate::compiled::Code;
use crate::site::Site;
use crate::store::Guest;
use smcp_model::mode::OnWarn;
use smcp_model::name::PolicyName;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::Verdict;

/// The evaluators of all versions that are served, each with the log that its policies may import. The first is the newest.
pub(crate) const SERVED: &[(&str, &str)] = &[
    #[cfg(test)]
    (v0_2::EVALUATOR, v0_2::LOGGING),
    (EVALUATOR, LOGGING),
];

/// A component's description of itself.
#[derive(Debug, Clone)]
pub struct Description {
    /// Its own name.
    pub name: PolicyName,
    /// Its own version.
    pub version: semver::Version,
    /// One sentence, of 1 to [`MESSAGE`](smcp_model::limits::MESSAGE) bytes.
    pub summary: SafeText,
    /// JSON Schema of its settings.
    pub settings_schema: SettingsSchema,
    /// The effect of a violation under `warn`, unless the configuration says otherwise.
    pub on_warn: OnWarn,
}

/// A linked component, by the version of the interface that it was built for.
pub(crate) enum Contract {
    /// `smcp:policy@0.1.0`.
    V0_1(v0_1::Callee),
    #[cfg(test)]
    V0_2(v0_2::Callee),
}

/// A request in the form of each interface version. A form is made when the first policy of its version is evaluated.
pub(crate) struct RequestForms<'r> {
    request: &'r Request,
    v0_1: OnceLock<Arc<v0_1::Request>>,
}

/// Defines the imports of policies of all versions.
pub(crate) fn add_imports(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    #[cfg(test)]
    v0_2::add_imports(linker)?;
    v0_1::add_imports(linker)
}

impl<'r> RequestForms<'r> {
    /// The forms of `request`, not made yet.
    pub(crate) const fn of(request: &'r Request) -> Self {
        Self { request, v0_1: OnceLock::new() }
    }

    fn v0_1(&self) -> Arc<v0_1::Request> {
        Arc::clone(self.v0_1.get_or_init(|| Arc::new(v0_1::request(self.request))))
    }
}

impl Contract {
    /// Links a component: the code for that site.
    ///
    /// # Errors
    /// [`FaultKind::Interface`](smcp_model::verdict::FaultKind::Interface) when its interface is not that of a policy.
    pub(crate) fn link(site: &Site, component: &Component, code: &Code) -> Result<Self, Fault> {
        #[cfg(test)]
        if component.get_export_index(None, v0_2::EVALUATOR).is_some() {
            return v0_2::Callee::link(site, component, code).map(Self::V0_2);
        }
        v0_1::Callee::link(site, component, code).map(Self::V0_1)
    }

    /// The question for the component's description.
    pub(crate) fn describe(&self, allowance: Allowance<'_>) -> Call<Description> {
        tracing::debug!("calling `describe`");
        match self {
            Self::V0_1(callee) => callee.describe(allowance),
            #[cfg(test)]
            Self::V0_2(callee) => callee.describe(allowance),
        }
    }

    /// The question whether the component accepts these settings, which are JSON text.
    pub(crate) fn check_settings(&self, allowance: Allowance<'_>, settings: Arc<str>) -> Call<()> {
        tracing::debug!("calling `check-settings`");
        match self {
            Self::V0_1(callee) => callee.check_settings(allowance, settings),
            #[cfg(test)]
            Self::V0_2(callee) => callee.check_settings(allowance, settings),
        }
    }

    /// The question about a request, with settings that the component accepts.
    pub(crate) fn evaluate(
        &self,
        allowance: Allowance<'_>,
        request: &RequestForms<'_>,
        settings: Arc<str>,
    ) -> Call<Verdict> {
        tracing::debug!("calling `evaluate`");
        match self {
            Self::V0_1(callee) => callee.evaluate(allowance, request.v0_1(), settings),
            #[cfg(test)]
            Self::V0_2(callee) => callee.evaluate(allowance, v0_2::request(request.request), settings),
        }
    }
}
