//! Tests of the whole binary, as its users run it.
//!
//! Every test has its own home and registry; nothing here sleeps or uses a network. Output for people is compared with
//! snapshots, in which paths, digests, sizes and times are replaced.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the client and the file system")]

#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/terminal.rs"]
mod terminal;
#[cfg(target_os = "linux")]
#[path = "../support/witness.rs"]
mod witness;

mod bad_input;
#[cfg(target_os = "linux")]
mod begin;
mod check;
mod config;
#[cfg(target_os = "linux")]
mod cramped;
mod custom;
mod example_policies;
mod help;
mod inputs;
mod interrupt;
#[cfg(target_os = "linux")]
mod machine;
mod manifest;
mod mcp_config;
#[cfg(target_os = "linux")]
mod life;
mod prompt;
mod policy_sets;
mod publish;
mod reader;
mod refusal;
#[cfg(target_os = "linux")]
mod registries;
mod run;
mod scan;
mod scan_files;
mod scan_lines;
mod scan_places;
mod scan_sarif;
mod summary;
#[cfg(target_os = "linux")]
mod system;
mod variables;
mod what_if;
mod team;
mod trees;
mod trust;
mod wrap;
