//! Registries like the official MCP registry: what runs from them, what is listed, what is refused.
//!
//! The registry is a socket on this machine that speaks the published API, with pages and cursors.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the registry and the file system")]

mod api;
#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "what other tests need of it")]
mod bed;
mod hostile;
mod hostile_files;
mod hostile_lists;
mod lists;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../hostile/registry/server.rs"]
#[expect(dead_code, reason = "what other tests need of it")]
mod server;
mod served;
#[path = "../support/server.rs"]
mod served_registry;
mod starts;
