//! Registries that lie, stall, break off and lead astray.
//!
//! What `smcp` makes of each: a refusal with the right exit code, a message that says what was wrong, nothing started,
//! and nothing in the cache that counts as present. The registries are sockets on this machine that send what a script
//! says, byte for byte.

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
mod server;
mod tls;
mod trial;
mod trust;
