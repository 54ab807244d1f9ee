//! `smcp pull`: download and verify a package without running it.

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::deadline::Deadline;
use smcp_model::package::PackageRef;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::style::Span;

/// Download and verify a package without running it.
///
/// A package that was pulled is not a package that may run: policies decide at every start.
#[derive(Debug, Args)]
pub(super) struct PullCommand {
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: PackageRef,
}

impl PullCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session(None)?;
        let deadline = Deadline::after(session.config().start_timeout());
        let package = pipeline::fetch(&session, &self.reference, &deadline, &mut *app.progress())?;
        if app.json() {
            let document = json!({
                "schema": "smcp.pull/1",
                "package": package.label(),
                "registry": package.registry.to_string(),
                "manifest_digest": package.manifest_digest,
                "manifest_size": package.manifest.text.len(),
                "bundle_digest": package.bundle_digest,
                "bundle_size": package.bundle_size,
            });
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let rows = [
            ("registry", Span::plain(package.registry.to_string())),
            ("manifest", Span::plain(package.manifest_digest.to_string())),
            ("bundle", Span::plain(format!("{}, {} bytes", package.bundle_digest, package.bundle_size))),
        ];
        app.done(&format!("{} is here and verified", package.label()), &rows)?;
        Ok(Exit::SUCCESS)
    }
}
