//! `smcp info`: what the registry says of a package.

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::deadline::Deadline;
use smcp_model::package::PackageRef;
use smcp_pipeline as pipeline;
use smcp_pipeline::StatementReport;
use smcp_report::json;
use smcp_report::package;

/// Show what the registry says of a package, after verifying it.
///
/// No policy is asked.
#[derive(Debug, Args)]
pub(super) struct InfoCommand {
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: PackageRef,
}

impl InfoCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session(None)?;
        let deadline = Deadline::after(session.config().start_timeout());
        let (subject, notices, statements) =
            pipeline::describe_package(&session, &self.reference, &deadline, &mut *app.progress())?;
        let shown: Vec<_> = statements.into_iter().map(|StatementReport { layer, found }| (layer, found)).collect();
        if app.json() {
            json::write(&package::document(&subject, &notices, &shown), &mut app.out())?;
        } else {
            notices.iter().for_each(|notice| app.notice(notice.message.as_str()));
            package::human(&subject, &shown, &mut app.out(), &app.output_style())?;
        }
        Ok(Exit::SUCCESS)
    }
}
