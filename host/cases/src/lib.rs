//! Runs the cases of a policy in the sandbox of every launch, and measures it.
//!
//! Before it `smcp-policy-cases` has read the files; after it `report` shows the results. It is the one runner:
//! `smcp policy test` and the tests of the built-in policies use it. `smcp policy bench` has the figures.

mod bench;
mod run;

pub use crate::bench::NotMeasured;
pub use crate::bench::measure;
pub use crate::run::PolicyRun;
pub use crate::run::Tested;
pub use crate::run::WrongCase;
pub use crate::run::run;
