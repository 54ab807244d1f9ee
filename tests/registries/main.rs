//! Policies and packages in a real registry of images: Debian's `docker-registry`; `skopeo` and `wkg` on the other side.
//!
//! The registry is version 2.8, which has no list of referrers, so the tag in its place is tried here. The programs are the
//! system's (`apt-get install docker-registry skopeo`, `cargo install wkg`), so this is no part of `cargo test`; `cargo
//! xtask check --all` runs it. What is missing on this machine is skipped, and said; what is there and fails, fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, and starts the registry")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod others;
mod packages;
mod registry;
mod shipped;

use std::io::Write as _;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::registry::RealRegistry;

/// Says something to whoever waits for the tests, whether they pass or not.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The component of the example policy: no network.
fn component() -> Vec<u8> {
    std::fs::read(format!("{}/examples/policies/dist/no_network.wasm", bed::ROOT)).unwrap()
}

/// Runs smcp where the registry is reached: on this machine, or as another through the proxy.
fn run(bed: &TestBed, registry: &RealRegistry, proxy: Option<&str>, line: &str) -> Ran {
    let mut smcp = bed.smcp(line).input("hunter2\n");
    if let Some(proxy) = proxy {
        smcp = smcp.env("HTTPS_PROXY", proxy).env("SSL_CERT_FILE", registry.authority());
    }
    smcp.run()
}
