//! `smcp policy list`: the policies of every layer, and which would work.

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::listing;

/// List the policies of every layer, and whether each would work.
///
/// Every enabled policy is loaded and asked whether it accepts its settings; nothing is evaluated.
#[derive(Debug, Args)]
pub(crate) struct ListPoliciesCommand {}

impl ListPoliciesCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session_to_decide(None, None)?;
        let rows = pipeline::examine_policies(&session, &mut *app.progress())?;
        let sets = pipeline::sets::in_force(session.config(), app.system().now());
        if app.json() {
            json::write(&listing::with_sets(listing::policies_document(&rows), &sets), &mut app.out())?;
        } else {
            listing::policies(&rows, &mut app.out(), &app.output_style())?;
            listing::sets(&sets, &mut app.out(), &app.output_style())?;
        }
        Ok(Exit::SUCCESS)
    }
}
