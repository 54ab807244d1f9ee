//! Notes the time of the build, which no decision is dated before.

#![expect(clippy::disallowed_methods, reason = "a build script asks the environment and the clock")]

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // Distributions set it, so that two builds of one source are the same.
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse::<u64>().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    println!("cargo::rustc-env=SMCP_BUILT_AT={}", fixed.unwrap_or_else(now));
}
