//! Policies, policy sets and packages from registries of images: shipped, lied about.
//!
//! The registry is a server of the tests that speaks the distribution API, over real sockets of this machine, and does
//! otherwise where a test says so. Real ones are in `tests/registries/`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the registry and the file system")]

#[expect(dead_code, reason = "this test needs a part of it")]
#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod hostile;
mod login;
mod packages;
mod push;
mod referrers;
mod server;
mod sets;
mod signed;
mod sources;
mod tls;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;

/// The component of the example policy: no network.
fn component() -> Vec<u8> {
    std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap()
}

/// The digest of some bytes.
fn digest(bytes: &[u8]) -> String {
    smcp_model::digest::Digest::of(bytes).to_string()
}

/// A home with a package that asks for no network.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.publish(&Package::shell("acme/quiet@1.0.0", "echo runs").good());
    bed
}

/// Configures one custom policy with these keys.
fn configure(bed: &TestBed, keys: &str) {
    bed.configure(&format!("policy:\n  custom:\n    - {{name: shipped, {keys}}}\n"));
}
