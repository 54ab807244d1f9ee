//! `smcp version`: which smcp this is.

use std::io::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_pipeline as pipeline;
use smcp_report::json;

/// Print which version this is; with -v, what it is made of.
#[derive(Debug, Args)]
pub(super) struct VersionCommand {}

impl VersionCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let version = env!("CARGO_PKG_VERSION");
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        if app.json() {
            let document = json!({
                "schema": "smcp.version/1",
                "version": version,
                "interface": pipeline::INTERFACE,
                "wasmtime": pipeline::RUNTIME_VERSION,
                "target": target,
            });
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let mut out = app.out();
        writeln!(out, "smcp {version}")?;
        if app.is_verbose() {
            writeln!(out, "interface {}", pipeline::INTERFACE)?;
            writeln!(out, "wasmtime {}", pipeline::RUNTIME_VERSION)?;
            writeln!(out, "target {target}")?;
        }
        Ok(Exit::SUCCESS)
    }
}
