//! Real servers of npm and PyPI, and MCP bundles of the format's own tool: imported, started through a real client, called.
//!
//! The packages are downloaded with the machine's own npm and pip, so this is no part of `cargo test`; `cargo xtask check
//! --all` runs it. A client that is missing on this machine is said, and its servers are skipped; what is there and fails,
//! fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/bed.rs"]
mod bed;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../peers/install.rs"]
mod install;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../confinement/hosts/outside.rs"]
mod outside;
#[path = "../support/redact.rs"]
mod redact;

mod bundles;
mod clients;
mod servers;
mod session;

use std::io::Write as _;
use std::process::Command;

/// Says something to whoever waits for the tests, whether they pass or not.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether a program is on this machine; says so when it is not.
fn has(program: &str, version: &[&str]) -> bool {
    let is_there = Command::new(program).args(version).output().is_ok_and(|output| output.status.success());
    if !is_there {
        say(&format!("skipped: what needs `{program}`, which is not on this machine"));
    }
    is_there
}
