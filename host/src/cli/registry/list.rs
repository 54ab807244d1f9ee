//! `smcp registry list`: what a registry directory has.

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::directory;
use smcp_model::deadline::Deadline;
use smcp_pipeline::PipelineError;
use smcp_registry::Listed;
use smcp_registry::RegistryClient as _;
use smcp_report::json;
use smcp_report::style::Span;
use smcp_report::table;

/// List the packages of the registry directory that --registry names, with their latest versions.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListPackagesCommand {}

impl ListPackagesCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self {} = self;
        let registry = directory(app, "list")?;
        let deadline = Deadline::none();
        let listed: Result<Vec<Listed>, _> = registry.catalog(&deadline).and_then(Iterator::collect);
        let listed = listed.map_err(PipelineError::from)?;
        let rows =
            listed.iter().map(|package| (package.id.to_string(), package.latest.as_ref().map(ToString::to_string)));
        if app.json() {
            let packages: Vec<_> =
                rows.map(|(package, latest)| json!({"package": package, "latest_version": latest})).collect();
            let registry = registry.registry().to_string();
            let document = json!({"schema": "smcp.registry/1", "registry": registry, "packages": packages});
            json::write(&document, &mut app.out())?;
        } else {
            let cells: Vec<_> = rows
                .map(|(package, latest)| vec![Span::plain(package), Span::plain(latest.as_deref().unwrap_or("-"))])
                .collect();
            table::table(&mut app.out(), &app.output_style(), &["PACKAGE", "LATEST"], &cells)?;
        }
        for Listed { id, problem, .. } in &listed {
            if let Some(problem) = problem {
                app.notice(&format!("{id}: {problem}"));
            }
        }
        Ok(Exit::SUCCESS)
    }
}
