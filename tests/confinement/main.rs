//! Hostile servers: each tries to get past one lock, on this kernel, as whoever runs the tests.
//!
//! `probe.py` has the tries. A control runs them without confinement, so that a refusal is the work of a lock. Where the
//! kernel lacks a lock, smcp must say so, and what the lock is for is not tried.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the client and the file system")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/terminal.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod terminal;

mod data;
mod given;
mod hosts;
mod hostile;
mod lacking;
mod native;
mod observed;
mod ordinary;
mod places;
mod said;
mod start;
mod tries;
mod world;
