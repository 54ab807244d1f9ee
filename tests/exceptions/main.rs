//! Exceptions: their laws on generated inputs, and what the program does.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the client and the file system")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;
#[path = "../support/shifted.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod shifted;

mod commands;
mod elsewhere;
mod ends;
mod generated;
mod laws;
mod layers;
mod offered;
mod sessions;
mod told;
