//! Real MCP servers and clients on both sides of `smcp`: what the SDKs show.
//!
//! The servers are those that most people start with, the clients are built on the SDKs. They are installed once, see
//! `install.rs`, and then run offline. Each session runs with and without `smcp` in between: the only difference is the
//! warning, if there is one.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test installs its peers, and is their user")]

#[expect(dead_code, reason = "shared with tests of the command line, which use the rest")]
#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod client;
mod install;
mod recorder;
mod server;

mod bytes;
mod killed;
mod refused;
mod sessions;
