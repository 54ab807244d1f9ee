//! What an author does with the binary: building policies, and beginning them.
//!
//! Where a test is about smcp and not about a compiler, small scripts stand in the toolchains' places.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the author")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
#[path = "../languages/language.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod language;
#[path = "../support/project.rs"]
mod project;
#[path = "../support/redact.rs"]
mod redact;

mod files;
mod templates;
mod toolchains;
