//! `smcp data`: lists what servers keep between runs, and removes it.

use clap::Args;
use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::chosen::Chosen;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::name::PackageId;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::server_data;

/// See and remove what servers keep between runs.
#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// List what each server keeps in its own folder
    #[command(visible_alias = "list")]
    Ls,
    /// Remove what servers keep
    Rm(Chosen<RemoveDataCommand>),
}

impl DataCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        match self {
            Self::Ls => list(app),
            Self::Rm(command) => command.then(|it| it.execute(app)),
        }
    }
}

/// Remove what servers keep.
///
/// It can't be had back. What belongs to a server that runs stays. Of two registries that have a package of one name,
/// --registry names one.
#[derive(Debug, Args)]
pub(super) struct RemoveDataCommand {
    /// Whose data
    #[arg(value_name = "ORG/NAME", required_unless_present = "all")]
    packages: Vec<PackageId>,
    /// Everything that any server keeps
    #[arg(short, long, conflicts_with = "packages")]
    all: bool,
}

fn list(app: &App) -> Result<Exit, Failure> {
    let entries = pipeline::list_server_data(&app.session(None)?)?;
    if app.json() {
        json::write(&server_data::document(&entries), &mut app.out())?;
    } else {
        server_data::human(&entries, app.system().now(), &mut app.out(), &app.output_style())?;
    }
    Ok(Exit::SUCCESS)
}

impl RemoveDataCommand {
    fn execute(self, app: &App) -> Result<Exit, Failure> {
        let registry = app.named_registry().map(|text| app.registry(text)).transpose()?;
        let removal = pipeline::remove_server_data(&app.session(None)?, &self.packages, registry.as_ref())?;
        if app.json() {
            json::write(&server_data::removal_document(&removal), &mut app.out())?;
        } else {
            server_data::removal(&removal, &mut app.err(), &app.error_style())?;
        }
        // The user named these, so one that stays is an error.
        Ok(if removal.in_use.is_empty() { Exit::SUCCESS } else { Exit::USAGE })
    }
}
