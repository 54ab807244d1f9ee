//! `smcp policy eval`: decide about a facts document, with no registry at all.

use std::path::PathBuf;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::run::DecisionOptions;
use smcp_authority as authority;
use smcp_model::facts_document;
use smcp_model::limits;
use smcp_pipeline as pipeline;
use smcp_pipeline::Notice;
use smcp_report::Purpose;
use smcp_report::message;

/// Decide about a facts document, with no registry at all.
///
/// Exits 0 when the package could run, 4 when not.
///
/// The document is JSON: the fields of `subject` in wit/policy.wit in snake_case, all of them optional. What is absent
/// is unknown, what can't be a fact is an error; for example {"origin": "verified", "cert_level": 2, "score": 80}.
#[derive(Debug, Args)]
pub(crate) struct EvalCommand {
    /// The facts document, a file or a pipe; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
    #[command(flatten)]
    options: DecisionOptions,
}

const NO_RULES: &str = "no rules are configured: what passes here passes only because there are none; \
                        `smcp config init` writes a file for them";

impl EvalCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        // The answer itself says when there are no rules, so that a pass is not taken for one by the user's own rules.
        let session = app.session(self.options.warning_threshold)?;
        let config = session.config();
        let document = app.read_document(&self.facts, limits::FACTS_FILE, config.start_timeout())?;
        let places = app.places();
        let mut subject = facts_document::read(&document, &places.working_directory, places.home.as_deref())
            .map_err(Failure::from)?;
        subject.registry.iter_mut().for_each(|registry| registry.resolve(|path| authority::resolve(path).ok()));
        let mut recorder = app.recorder(&session, "policy eval", None)?;
        let context = app.settled_context(&session, &recorder, self.options.trust);
        let mut evaluated = pipeline::evaluate_facts(&session, subject, context, &mut *app.progress());
        if !config.is_configured() && !app.json() {
            message::notice(NO_RULES, &mut app.out(), &app.output_style())?;
        } else if let (false, Ok(judged)) = (config.is_configured(), &mut evaluated) {
            judged.notices.push(Notice { code: "unconfigured", message: NO_RULES.into() });
        }
        app.conclude(&session, &mut recorder, context, evaluated, Purpose::Check)
    }
}
