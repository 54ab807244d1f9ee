//! `smcp registry schema`: what an author's `manifest.json` may hold.

use std::io::Write as _;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_bundle::manifest;

/// Print the JSON Schema of the manifest.json that a published directory has, for editors.
#[derive(Debug, Args)]
pub(in crate::cli) struct RegistrySchemaCommand {}

impl RegistrySchemaCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self {} = self;
        writeln!(app.out(), "{:#}", manifest::schema())?;
        Ok(Exit::SUCCESS)
    }
}
