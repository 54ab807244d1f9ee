//! Write a security policy for smcp, as a struct that implements [`Policy`].
//!
//! The fields of the struct are the settings that a configuration may give the policy.
//!
//! A policy is a pure function of a [`Request`] and of its own settings. It has no clock, no files, no network and no
//! state: the only thing it can reach is [`log`]. smcp runs it under hard limits, and a policy that breaks (a panic, a
//! trap, a limit passed) counts as violated.
//!
//! ```
//! use smcp_policy_sdk::{Description, Finding, Policy, Request, Settings, Verdict};
//!
//! /// Refuses servers with critical findings.
//! #[derive(Settings)]
//! struct FewFindings {
//!     /// How many critical findings are still accepted.
//!     #[setting(default = 0)]
//!     max_critical: u32,
//! }
//!
//! impl Policy for FewFindings {
//!     const DESCRIPTION: Description = smcp_policy_sdk::description!();
//!
//!     fn evaluate(&self, request: &Request) -> Verdict {
//!         let message = match &request.subject.findings {
//!             Some(found) if found.critical <= self.max_critical => return Verdict::allow(),
//!             Some(found) => format!("{} critical findings, accepted are {}", found.critical, self.max_critical),
//!             // An unknown fact is not allowed.
//!             None => "the number of critical findings is unknown".to_owned(),
//!         };
//!         Verdict::allow().violation(
//!             Finding::new("too-many-critical", message)
//!                 .fact("findings")
//!                 .remedy("use a version with fewer critical findings"),
//!         )
//!     }
//! }
//!
//! smcp_policy_sdk::export!(FewFindings);
//!
//! # use smcp_policy_sdk::testing;
//! # use smcp_policy_sdk::testing::{RequestBuilder, SeverityCounts};
//! let findings = SeverityCounts { critical: 2, ..Default::default() };
//! let request = RequestBuilder::new().findings(findings).build();
//! let verdict = testing::evaluate::<FewFindings>(&request, r#"{"max_critical": 1}"#)?;
//! assert_eq!(verdict.violations[0].message, "2 critical findings, accepted are 1");
//! # Ok::<(), testing::Broken>(())
//! ```
//!
//! Build it for `wasm32-unknown-unknown`, and make a component of it.

#![deny(missing_docs)]

// The derive names this crate, which derives too.
extern crate self as smcp_policy_sdk;

mod component;
#[cfg(any(target_arch = "wasm32", test))]
mod heap;
mod patterns;
mod request;
mod text;
mod time;
mod verdict;

pub mod json;
pub mod log;
pub mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub use crate::component::PolicyComponent;

pub use crate::patterns::HostPattern;
pub use crate::patterns::PackagePattern;
pub use crate::patterns::PathPattern;
pub use crate::patterns::VersionRange;
pub use crate::request::Context;
pub use crate::request::Entrypoint;
pub use crate::request::Origin;
pub use crate::request::Permissions;
pub use crate::request::Request;
pub use crate::request::SeverityCounts;
pub use crate::request::Subject;
pub use crate::settings::Settings;
pub use crate::settings::SettingsProblem;
pub use crate::time::Date;
pub use crate::time::Utc;
pub use crate::time::Weekday;
pub use crate::verdict::Description;
pub use crate::verdict::Finding;
pub use crate::verdict::OnWarn;
pub use crate::verdict::Verdict;
/// Makes a type of settings: its JSON Schema, and the check that holds a configuration to it.
///
/// | type | settings | more can be said |
/// |---|---|---|
/// | struct with named fields, or none | an object; unknown keys are refused | |
/// | enum without values | one of the variants' names, `BestEffort` as `best-effort` | `name = "…"` of a variant |
/// | tuple struct of one field | the field's value | as of the field |
/// | `bool`; `u8` to `u64`, `i8` to `i64` | true or false; whole numbers, at most 63 bits | `range = 1..=3`, `1..`, `..=3` |
/// | `String` | a text | `length = 1..=64`, in characters |
/// | `Vec<T>` | a list | `length = 1..`, in entries |
/// | `BTreeMap<K, T>` | an object with any keys that `K` takes | `length`, in keys |
/// | `Option<T>` | the value, `null`, or an absent key | as of `T` |
/// | a [`CheckedSetting`](crate::settings::CheckedSetting) | what its own rule takes | as of what it is written as |
///
/// A field with `#[setting(default = JSON)]` may be absent; one without a default is required, unless it is an
/// `Option`. Defaults are JSON (`80`, `"notice"`, `["a"]`, `{}`) and are checked by the same rules. `name = "type"`
/// gives the key another name than the field's. Doc comments become descriptions, which editors show.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use smcp_policy_sdk::Settings;
///
/// #[derive(Settings)]
/// struct Rules {
///     /// The lowest score, by publisher.
///     #[setting(default = {"acme": 80}, length = ..=100)]
///     min_scores: BTreeMap<String, Score>,
///     /// What happens to others.
///     #[setting(name = "else", default = "refuse")]
///     otherwise: Otherwise,
///     contact: Option<String>,
/// }
///
/// /// A security score.
/// #[derive(Settings)]
/// struct Score(#[setting(range = 0..=100)] u8);
///
/// #[derive(Settings)]
/// enum Otherwise {
///     /// They may not run.
///     Refuse,
///     /// They may run.
///     LetPass,
/// }
/// ```
pub use smcp_policy_derive::Settings;

/// A security policy: a struct whose fields are the keys of `settings:` in the configuration, or one without fields.
/// The [crate documentation](crate) has a complete example.
pub trait Policy: Settings {
    /// Says what the policy is.
    const DESCRIPTION: Description;

    /// Judges a request, under the settings that were accepted when the policy was loaded.
    fn evaluate(&self, request: &Request) -> Verdict;
}

/// Makes a type that implements [`Policy`] the policy of this component. Use it once per component. Native builds
/// export nothing, so one test binary can link several policies.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        const _: () = {
            type Exported = $crate::PolicyComponent<$policy>;
            Exported::IS_A_POLICY;
            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export_component!(Exported with_types_in $crate::bindings);
        };
    };
}

/// The [`Description`] that `Cargo.toml` has: the package's name, version and description. What can't be the name of a
/// policy, or a package without a description, does not compile.
#[macro_export]
macro_rules! description {
    () => {
        $crate::Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"))
    };
}
