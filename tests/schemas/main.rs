//! The schemas that smcp prints, and the forms in which it answers.
//!
//! Documents that the real binary writes are held against each schema by a validator of the tests; so are documents with one
//! thing changed, which must not be valid.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, and reads the tree")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
#[path = "../support/redact.rs"]
mod redact;

mod changed;
mod documents;
mod formats;
mod settings;
