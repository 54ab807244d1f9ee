//! `smcp policy explain`: why a decision comes about, and what changes it.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;

use crate::cli::app::App;
use crate::cli::audit;
use crate::cli::decision;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::alone;
use crate::cli::policy::replay::one;
use smcp_model::audit::Break;
use smcp_model::deadline::Deadline;
use smcp_model::decision::Consent;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::package::PackageRef;
use smcp_model::record::Body;
use smcp_model::record::Record;
use smcp_model::text::SafeText;
use smcp_pipeline::Failed;
use smcp_pipeline::explain;
use smcp_pipeline::explain::Explained;
use smcp_report::Purpose;
use smcp_report::explanation;
use smcp_report::json;

/// Say why a package may run or not: each rule with its place, and what would change it.
///
/// Exits 0 when it could explain, whatever the decision is. Nothing is started, recorded or applied.
///
/// For each policy that refuses, it looks for the smallest change of the package's facts that would pass, by asking the
/// policy again, and says so when it finds none within its bound. It prints the exception that would lift the refusal, for
/// whoever may approve it.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("what").args(["reference", "facts", "record"]).required(true))]
pub(crate) struct ExplainCommand {
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: Option<PackageRef>,
    /// A facts document, a file or a pipe; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// A decision of the audit log, by its number: by the rules of its time, as far as they are still known
    #[arg(long, value_name = "NUMBER", conflicts_with = "trust")]
    record: Option<u64>,
    /// The digest of the record before the first one of the log, when older files are elsewhere
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["reference", "facts"])]
    after: Option<Digest>,
    /// Consent in advance to what would be asked
    #[arg(long)]
    trust: bool,
}

impl ExplainCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if let Some(number) = self.record {
            return explain_record(app, number, self.after);
        }
        let context = app.context(self.trust);
        let session = app.session_to_decide(None, None)?;
        let timeout = session.config().start_timeout();
        let explained = match (&self.reference, &self.facts) {
            (Some(reference), _) => {
                let deadline = Deadline::after(timeout);
                explain::of_package(&session, reference, context, &deadline, &mut *app.progress())
            }
            (None, facts) => {
                let subject = alone::subject(app, &alone::facts(app, facts.as_deref(), timeout)?)?;
                explain::of_facts(&session, subject, context, &mut *app.progress())
            }
        };
        show(app, explained, self.trust)
    }
}

/// Explains a decision of the audit log.
fn explain_record(app: &App, number: u64, after: Option<Digest>) -> Result<Exit, Failure> {
    let session = app.session(None)?;
    let (record, found) = one(&mut audit::log(app)?, number, after)?;
    for Break { file, line, message } in &found.breaks {
        app.warn_always(&format!("the audit log is damaged: {file}, line {line}: {message}"));
    }
    let exit = if found.breaks.is_empty() { Exit::SUCCESS } else { Exit::Own(ExitKind::Integrity) };
    let unexplained = |why: &str| Failure::usage(anyhow::anyhow!("record {number} can't be explained: {why}"));
    let record =
        Record::read(&record).map_err(|error| unexplained(&SafeText::one_line(&error.to_string()).to_string()))?;
    let Body::Decision(decision) = record.body else {
        let (event, run) = (record.place.event.as_str(), record.place.run);
        let why = format!("it is no decision, but of the kind `{event}`; see `smcp audit show --run {run}`");
        return Err(unexplained(&why));
    };
    let trust = decision.request.context.as_ref().is_some_and(|context| context.trust);
    match explain::of_record(&session, &decision, &mut *app.progress())? {
        Ok(explained) => show(app, Ok(explained), trust).map(|_| exit),
        Err(why) => Err(unexplained(why.as_str())),
    }
}

/// Shows an explanation. A package that is refused before any policy is explained by that alone.
fn show(app: &App, explained: Result<Explained, Failed>, trust: bool) -> Result<Exit, Failure> {
    let (out, style) = (&mut app.out(), app.output_style());
    match explained {
        Ok(Explained { judged, explanation }) => {
            let consent = trust.then_some(Consent::Trusted);
            let asked = (judged.ruling.effect() == Effect::Ask).then_some(consent.unwrap_or(Consent::NobodyToAsk));
            let report = decision::report(&judged, consent, Purpose::Check, judged.exit(asked));
            if app.json() {
                json::write(&explanation::document(&report, &explanation), out)?;
            } else {
                explanation::human(&report, &explanation, out, &style)?;
            }
            Ok(Exit::SUCCESS)
        }
        Err(failed) => {
            let message = failed.error.explained();
            let report = decision::failed_report(&failed, &message, Purpose::Check);
            let Some(report) = report.filter(|report| report.exit == ExitKind::Refused) else {
                return Err((*failed.error).into());
            };
            if app.json() {
                json::write(&explanation::refusal_document(&report), out)?;
            } else {
                explanation::refusal(&report, out, &style)?;
            }
            Ok(Exit::SUCCESS)
        }
    }
}
