//! Signed policies: what starts and what does not, and the commands that sign and verify.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the signer and the file system")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/sigstore.rs"]
mod sigstore;
#[path = "../support/terminal.rs"]
mod terminal;

mod commands;
mod sets;
mod starts;
