//! `smcp registry list`: what a registry has.

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::opened;
use smcp_model::deadline::Deadline;
use smcp_model::registry::Registry;
use smcp_pipeline::PipelineError;
use smcp_pipeline::shipping;
use smcp_registry::Listed;
use smcp_report::json;
use smcp_report::style::Span;
use smcp_report::table;

/// List the packages of the registry that --registry names, with their latest versions.
///
/// A registry of images (oci://HOST/PREFIX) has to list its repositories, which not every one does.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListPackagesCommand {}

impl ListPackagesCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self {} = self;
        let Some(text) = app.named_registry() else {
            return Err(Failure::usage(anyhow::anyhow!("--registry must name the registry to list")));
        };
        let registry = app.registry(text)?;
        let listed = match &registry {
            Registry::Directory(path) => {
                let deadline = Deadline::none();
                let listed: Result<Vec<Listed>, _> =
                    opened(&registry, path)?.catalog(&deadline).and_then(Iterator::collect);
                listed.map_err(PipelineError::from)?
            }
            Registry::Oci(place) => shipping::list_images(&app.session(None)?, place)?,
            Registry::Url(url) => {
                let error = anyhow::anyhow!("`{url}` can't be listed: only a directory and a registry of images can");
                return Err(Failure::usage(error));
            }
        };
        let rows =
            listed.iter().map(|package| (package.id.to_string(), package.latest.as_ref().map(ToString::to_string)));
        if app.json() {
            let packages: Vec<_> =
                rows.map(|(package, latest)| json!({"package": package, "latest_version": latest})).collect();
            let registry = registry.to_string();
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
