//! `smcp policy list`: the policies of every layer, and which would work.

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::listing;

/// List the policies of every layer, and whether each would work.
///
/// Every enabled policy is loaded and asked whether it accepts its settings; nothing is evaluated.
#[derive(Debug, Args)]
pub(crate) struct ListCommand {}

impl ListCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        let rows = pipeline::examine(&world.config_to_decide(None)?, world.host())?;
        if world.json() {
            json::write(&listing::policies_document(&rows), &mut world.out())?;
        } else {
            listing::policies(&rows, &mut world.out(), &world.output_style())?;
        }
        Ok(Exit::Success)
    }
}
