//! One policy in every language that the documents name, made by its real toolchain, with no `limits` configured.
//!
//! The lines that make it are those of `docs/policy-authors.md`, run word for word. The toolchains come from package
//! registries, so this is no part of `cargo test`; `cargo xtask check --all` runs it. What can't be had on this machine
//! is skipped, and said; what is there and fails, fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the author, and installs the toolchains")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/bed.rs"]
mod bed;
#[expect(dead_code, reason = "the page is followed in parts")]
#[path = "../documents/page.rs"]
mod page;
#[path = "../documents/pages.rs"]
#[expect(dead_code, reason = "one page is read")]
mod pages;
#[path = "../support/project.rs"]
mod project;
#[path = "../support/redact.rs"]
mod redact;

mod figures;
mod fleet;
mod language;
mod made;
mod projects;
mod verdicts;
