//! What we write for others, held against their own programs.
//!
//! Pages are loaded in a real browser, events held against the published schema. The browser comes from the system, the
//! schema from a package registry, so this is no part of `cargo test`; `cargo xtask check --all` runs it. What can't be had
//! on this machine is skipped, and said; what is there and fails, fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test starts the programs of others")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod browser;
mod events;
