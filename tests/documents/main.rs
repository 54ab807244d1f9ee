//! Tests of the documents: links, commands and configurations are valid.
//!
//! The page that claims to be a tutorial is followed step by step.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the reader, the shell and the file system")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod ci;
mod commands;
mod configurations;
mod links;
mod page;
mod pages;
mod policy_authors;
mod policy_cases;
mod roll_out;
