//! `smcp import`: what is made of servers of npm and PyPI and of MCP bundles, and what is not.
//!
//! npm, node and pip are scripts here, which leave what the real ones leave, and more noise; the real ones, and real servers,
//! are in `tests/imports`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod archives;
mod clients;
mod npm;
mod pypi;
mod told;
