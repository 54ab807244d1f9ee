//! `smcp registry schema`: what an author's `manifest.json` may hold.

use std::io::Write as _;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use smcp_bundle::manifest;

/// Print the JSON Schema of the manifest.json that a published directory has, for editors.
#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaCommand {}

impl SchemaCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &World) -> Result<Exit, Failure> {
        let Self {} = self;
        writeln!(world.out(), "{:#}", manifest::schema())?;
        Ok(Exit::SUCCESS)
    }
}
