//! `smcp policy check`: decide about a package, and start nothing.

use clap::Args;

use crate::cli::app::App;
use crate::cli::app::rules::Undertaking;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::FormatOption;
use crate::cli::run::DecisionOptions;
use smcp_model::package::PackageRef;
use smcp_report::Purpose;

/// Decide about a package, and start nothing.
///
/// Exits 0 when it may run, 4 when it may not.
#[derive(Debug, Args)]
pub(crate) struct CheckCommand {
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: PackageRef,
    #[command(flatten)]
    options: DecisionOptions,
    #[command(flatten)]
    format: FormatOption,
}

impl CheckCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        app.answer_in(self.format.format)?;
        let about = Undertaking { command: "policy check", package: &self.reference, timeout: None, confining: None };
        let session = app.session_to_decide(self.options.warning_threshold, Some(about))?;
        let timeout = session.config().start_timeout();
        app.dry_run(&session, &self.reference, self.options.trust, timeout, Purpose::Check)
    }
}
