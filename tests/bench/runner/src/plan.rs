//! What was built, and how thoroughly to measure; `xtask/src/bench.rs` writes it.

use std::fs;
use std::path::PathBuf;

use crate::Result;

/// The plan. What could not be built is `None`, and `left_out` says why.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Where `performance.md` goes.
    pub(crate) output: PathBuf,
    /// Where packages, configurations and caches go; made anew.
    pub(crate) work: PathBuf,
    /// How often each case is run as a process.
    pub(crate) rounds: usize,
    /// Whether this is only to see that everything works.
    pub(crate) quick: bool,
    /// What the person called.
    pub(crate) command: String,
    /// The compiler, as it names itself.
    pub(crate) rustc: String,
    /// The program.
    pub(crate) smcp: PathBuf,
    /// `host/benches/decisions.rs`.
    pub(crate) decisions: PathBuf,
    /// `host/benches/relay`.
    pub(crate) relay: PathBuf,
    /// `hello` and `bench-server`.
    pub(crate) hello: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) hello_c: Option<PathBuf>,
    pub(crate) native: Option<PathBuf>,
    pub(crate) rego: Option<PathBuf>,
    pub(crate) cedar: Option<PathBuf>,
    pub(crate) extism: Option<PathBuf>,
    pub(crate) plugin: Option<PathBuf>,
    /// Cedar's own command line, and its version.
    pub(crate) cedar_cli: Option<PathBuf>,
    pub(crate) cedar_cli_version: String,
    pub(crate) left_out: Vec<LeftOut>,
}

/// A peer that was not built.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeftOut {
    pub(crate) peer: String,
    pub(crate) reason: String,
}

impl Plan {
    pub(crate) fn read(file: &str) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(|error| format!("`{file}` can't be read: {error}"))?;
        Ok(serde_json::from_str(&text)?)
    }
}
