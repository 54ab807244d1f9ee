//! The audit log: nothing is lost, changes show, secrets are never written.
//!
//! Some tests write with the library, others with the real binary, and verify with the other one.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the client and the file system")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/shifted.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod shifted;
#[path = "../support/redact.rs"]
mod redact;

mod chain;
mod clock;
mod commands;
mod doctor;
mod ends;
mod export;
mod kill;
mod log;
mod place;
mod records;
mod room;
mod rotated;
mod secrets;
mod users;
