//! `smcp config`: begin, show or check the configuration.

use std::io;
use std::io::Write as _;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use smcp_authority as authority;
use smcp_config as config;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::listing;
use smcp_report::message;
use smcp_report::style::Span;

/// Begin, show or check the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a file with every key in it, commented out; never over another
    Init,
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
            Self::Init => init(world),
            Self::Show => show(world),
            Self::Validate => validate(world),
            Self::Schema => schema(world),
        }
    }
}

fn init(world: &World) -> Result<Exit, Failure> {
    let file = world.location()?.file;
    let text = config::template::template();
    authority::create_private(&file, text.as_bytes()).map_err(|error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        let context = if is_there { "is there already, and was not changed" } else { "can't be written" };
        Failure::usage(anyhow!(error).context(format!("{} {context}", file.display())))
    })?;
    if world.json() {
        let document = json!({"schema": "smcp.config-init/1", "file": SafeText::new(&file.to_string_lossy())});
        json::write(&document, &mut world.out())?;
        return Ok(Exit::Success);
    }
    let rows = [
        ("now", Span::plain("take the `#` away before the keys that you want, and give them your values")),
        ("then", Span::plain("`smcp config validate` checks the file, `smcp doctor` looks whether a run could work")),
    ];
    message::done(&format!("{} is written", file.display()), &rows, &mut world.out(), &world.output_style())?;
    Ok(Exit::Success)
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
    let rows = pipeline::examine(&config, world.host())?;
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
