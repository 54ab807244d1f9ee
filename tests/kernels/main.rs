//! Real kernels of distributions, booted in `qemu-system-x86_64` without the help of the processor: what the table of kernels in
//! `docs/confinement.md` says of each is what smcp says there, and what servers that try to get out find.
//!
//! The kernels come by the machine's own apt and are kept in `target/kernels`; nothing is installed. It takes minutes, so
//! this is no part of `cargo test`; `cargo xtask check --all` runs it. What can't be had is skipped, and said.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, and starts the machines")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

mod further;
mod image;
mod machine;
mod packages;
mod said;
mod table;
#[path = "../confinement/tries.rs"]
mod tries;
mod world;

use std::io::Write as _;

/// Says something to whoever waits for the tests, whether they pass or not.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
