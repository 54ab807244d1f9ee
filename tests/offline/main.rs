//! A registry that is down, a served registry, and the cache, with the binary.
//!
//! Every test has a separate home. The network is the loopback, at a port that the system chose.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the client and the file system")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "what other tests need of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/shifted.rs"]
mod shifted;

mod cache;
mod doors;
mod down;
mod integrity;
mod left;
mod places;
mod scan;
mod serve;
mod through;
