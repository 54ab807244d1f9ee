//! Cases of smcp policies: facts, settings, and what is expected, in YAML.
//!
//! ```yaml
//! # cases/NAME.yaml, any number of files in the folder `cases` beside the policy
//! defaults:                        # named sets of facts
//!   trusted: {origin: official, cert_level: 3, score: 95}
//! cases:
//! - name: a package without network passes
//!   from: trusted                  # begin with these facts
//!   facts: {permissions: {network: []}}   # laid over them as RFC 7396 says; null: unknown
//!   settings: {allow: []}          # {} when absent
//!   context: {at: 2026-01-05T09:00:00Z, trust: false, interactive: true}
//!   expect: allow                  # nothing violated, nothing noted
//! - name: a package that wants to reach a host is refused
//!   from: trusted
//!   facts: {permissions: {network: [evil.example]}}
//!   expect:
//!     violations: [network-not-allowed]   # or {code, message, fact}
//!     notices: []
//! ```
//!
//! [`read`] makes a [`CaseFile`] of a text, or says everything that is wrong with it, each with line and column.
//! [`compare`] says how what a policy did differs from what a case expects. [`update`] puts what it did into the file.
//! Nothing here runs a policy: `smcp policy test` does it in the sandbox, `smcp_policy_sdk::testing` natively.

mod case;
mod compare;
mod draft;
mod expect;
mod facts;
mod found;
mod merge;
mod moment;
mod near;
mod problem;
mod read;
mod run;
mod schema;
mod update;
mod write;

pub use crate::case::Case;
pub use crate::case::CaseContext;
pub use crate::case::CaseFile;
pub use crate::case::Limits;
pub use crate::compare::Difference;
pub use crate::compare::compare;
pub use crate::expect::Expectation;
pub use crate::expect::ExpectedFinding;
pub use crate::expect::ExpectedProblem;
pub use crate::expect::FAULTS;
pub use crate::found::Found;
pub use crate::found::FoundFinding;
pub use crate::found::FoundProblem;
pub use crate::merge::merge;
pub use crate::moment::moment;
pub use crate::problem::CaseProblem;
pub use crate::problem::CaseProblems;
pub use crate::read::read;
pub use crate::run::CaseRun;
pub use crate::run::FileRun;
pub use crate::schema::schema;
pub use crate::update::NotUpdated;
pub use crate::update::update;
pub use smcp_yaml::Position;

#[cfg(test)]
mod tests;
