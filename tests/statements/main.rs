//! Facts by signed statements: what is believed, what is refused, and the commands that make them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the signer and the registry")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;
#[path = "../support/sigstore.rs"]
mod sigstore;

mod commands;
mod hostile;
mod layers;
mod memory;
mod served;
mod states;
mod world;
