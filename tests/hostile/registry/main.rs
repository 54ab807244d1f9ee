//! Registries that lie, stall, break off and redirect.
//!
//! `smcp` must refuse each with the right exit code and a message about the problem. Nothing is started, and the cache
//! has nothing that counts as present. The registries are sockets on this machine that send the bytes of a script.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the registry and the file system")]

#[expect(dead_code, reason = "this test needs a part of it")]
#[path = "../../support/bed.rs"]
mod bed;
#[path = "../../support/redact.rs"]
mod redact;

#[expect(dead_code, reason = "this test needs a part of it")]
#[path = "../../support/terminal.rs"]
mod terminal;

mod answers;
mod archives;
mod artifacts;
mod login;
mod progress;
mod redirects;
mod retries;
#[expect(dead_code, reason = "what other tests need of it")]
mod server;
mod tls;
mod trial;
mod trust;
