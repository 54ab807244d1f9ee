//! `smcp config`: show or check the configuration.

use std::io::Write as _;

use clap::Subcommand;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::config;
use crate::pipeline;
use crate::report::json;
use crate::report::listing;

/// Show or check the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print what is in force, defaults included, and who chose it
    Show,
    /// Check the file, and every policy that it names
    Validate,
    /// Print the JSON Schema of the file, for editors
    Schema,
}

impl ConfigCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        match self {
            Self::Show => show(world),
            Self::Validate => validate(world),
            Self::Schema => schema(world),
        }
    }
}

fn show(world: &World) -> Result<Exit, Failure> {
    let view = world.config(None)?.view();
    if world.json() {
        let document = serde_json::to_value(&view).map_err(anyhow::Error::from)?;
        json::write(&document, &mut world.out())?;
    } else {
        write!(world.out(), "{view}")?;
    }
    Ok(Exit::Success)
}

fn validate(world: &World) -> Result<Exit, Failure> {
    let config = world.config(None)?;
    let rows = pipeline::examine(&config)?;
    let works = rows.iter().all(|row| row.state.works());
    let exit = if works { Exit::Success } else { Exit::Usage };
    if world.json() {
        json::write(&listing::validation_document(&rows, exit.code()), &mut world.out())?;
    } else {
        listing::policies(&rows, &mut world.out(), &world.output_style())?;
        writeln!(world.out())?;
        listing::validation(&rows, &mut world.out(), &world.output_style())?;
    }
    Ok(exit)
}

fn schema(world: &World) -> Result<Exit, Failure> {
    let schema = config::schema::schema();
    let text = serde_json::to_string_pretty(&schema).map_err(anyhow::Error::from)?;
    writeln!(world.out(), "{text}")?;
    Ok(Exit::Success)
}
