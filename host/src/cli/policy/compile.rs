//! `smcp policy compile`: compile policies ahead, so that no start waits.

use std::path::PathBuf;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_pipeline as pipeline;
use smcp_pipeline::Destination;
use smcp_report::ahead;
use smcp_report::json;

/// Compile policies ahead, so that no start waits for a compiler.
///
/// A start compiles what it does not find, and keeps it. This does so before, for the given components or for all of the
/// configuration. Exits 0 when all are compiled.
#[derive(Debug, Args)]
pub(crate) struct CompileCommand {
    /// Components; none compiles those that the configuration names
    #[arg(value_name = "FILE.wasm")]
    files: Vec<PathBuf>,
    /// For every user of this machine, into /var/cache/smcp: needs root
    #[arg(long)]
    system: bool,
}

impl CompileCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session_to_decide(None, None)?;
        let destination = if self.system { Destination::System } else { Destination::Cache };
        let files = self.files.iter().map(|file| app.path(file)).collect::<Result<Vec<_>, Failure>>()?;
        let rows = pipeline::compile_policies(&session, &files, destination, &mut *app.progress())?;
        let exit = if rows.iter().all(|row| row.state.is_kept()) { Exit::SUCCESS } else { Exit::USAGE };
        let folder = pipeline::destination_folder(&session, destination);
        if app.json() {
            json::write(&ahead::document(&rows, folder.as_deref(), exit.code()), &mut app.out())?;
        } else {
            ahead::human(&rows, folder.as_deref(), &mut app.out(), &app.output_style())?;
        }
        Ok(exit)
    }
}
