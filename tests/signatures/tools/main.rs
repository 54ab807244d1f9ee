//! Real tools on both sides of our signatures: minisign, and Python's sigstore.
//!
//! minisign comes from the system, sigstore from a package registry, so this is no part of `cargo test`; `cargo xtask check
//! --all` runs it. What can't be had on this machine is skipped, and said; what is there and fails, fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the signer, and installs the tools")]

#[path = "../../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../../support/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
#[path = "../../support/redact.rs"]
mod redact;
#[path = "../../support/sigstore.rs"]
mod sigstore;

mod minisign;
mod python;
