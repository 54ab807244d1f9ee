//! Write a security policy for smcp, as a type that implements [`Policy`].
//!
//! Name the type in [`export!`], and build for `wasm32-unknown-unknown`.
//!
//! A policy is a pure function of a [`Request`] and of its own settings. It has no clock, no files, no network and no
//! state: the only thing it can reach is [`log`]. smcp runs it under hard limits, and a policy that breaks (a panic, a
//! trap, a limit passed) counts as violated.
//!
//! ```
//! use smcp_policy_sdk::{Description, Finding, NoSettings, OnWarn, Policy, Request, Verdict};
//!
//! /// Refuses servers that want to start other processes.
//! struct NoSubprocess;
//!
//! impl Policy for NoSubprocess {
//!     type Settings = NoSettings;
//!
//!     fn describe() -> Description {
//!         Description {
//!             name: "no-subprocess",
//!             version: env!("CARGO_PKG_VERSION"),
//!             summary: "Refuses servers that want to start other processes.",
//!             settings_schema: NoSettings::SCHEMA,
//!             on_warn: OnWarn::Notify,
//!         }
//!     }
//!
//!     fn evaluate(request: &Request, _: &NoSettings) -> Verdict {
//!         match &request.subject.permissions {
//!             Some(permissions) if !permissions.subprocess => Verdict::allow(),
//!             // What is not known is not allowed.
//!             None | Some(_) => Verdict::allow().violation(
//!                 Finding::new("subprocess-requested", "the server wants to start other processes")
//!                     .fact("permissions")
//!                     .remedy("use a server that does its work in one process"),
//!             ),
//!         }
//!     }
//! }
//!
//! smcp_policy_sdk::export!(NoSubprocess);
//!
//! # use smcp_policy_sdk::testing;
//! let request = testing::Request::new().permissions(testing::Permissions { subprocess: true, ..Default::default() });
//! let verdict = testing::evaluate::<NoSubprocess>(&request.build(), "{}")?;
//! assert_eq!(verdict.violations[0].code, "subprocess-requested");
//! # Ok::<(), testing::Broken>(())
//! ```
//!
//! Settings are a type of the author's; `README.md` of this crate shows how its JSON Schema gets into the component.

mod component;
mod convert;
mod request;
mod settings;
mod text;
mod verdict;

pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub use crate::component::Component;

pub use crate::request::Context;
pub use crate::request::Entrypoint;
pub use crate::request::Origin;
pub use crate::request::Permissions;
pub use crate::request::Request;
pub use crate::request::SeverityCounts;
pub use crate::request::Subject;
pub use crate::settings::NoSettings;
pub use crate::settings::SettingsProblem;
pub use crate::verdict::Description;
pub use crate::verdict::Finding;
pub use crate::verdict::OnWarn;
pub use crate::verdict::Verdict;

/// A security policy. See the [crate documentation](crate) for a whole one.
pub trait Policy {
    /// What the configuration's `settings:` may hold. Derive `serde::Deserialize` with `deny_unknown_fields` and
    /// `schemars::JsonSchema` in `src/settings.rs`; use [`NoSettings`] when there are none.
    type Settings: serde::de::DeserializeOwned;

    /// Says what the policy is. smcp calls it once, when the policy is loaded.
    fn describe() -> Description;

    /// Judges a request. The settings are the ones that were accepted when the policy was loaded.
    fn evaluate(request: &Request, settings: &Self::Settings) -> Verdict;
}

/// Makes the type that implements [`Policy`] the policy of this component. Once per component; native builds export
/// nothing, so that one test binary can link several policies.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::Component<$policy>;
    $crate::bindings::export_component!(Exported with_types_in $crate::bindings);
        };
    };
}

/// The JSON Schema that `build.rs` made of the settings type with `smcp_policy_build::settings_schema`.
#[macro_export]
macro_rules! settings_schema {
    () => {
        include_str!(concat!(env!("OUT_DIR"), "/settings.schema.json"))
    };
}
