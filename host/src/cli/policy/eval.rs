//! `smcp policy eval`: decide about a facts document, with no registry at all.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::AnswerFormat;
use crate::cli::format::FormatOption;
use crate::cli::policy::alone;
use crate::cli::policy::settings::SettingsFile;
use crate::cli::run::DecisionOptions;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_model::verdict::Outcome;
use smcp_pipeline as pipeline;
use smcp_pipeline::Judged;
use smcp_pipeline::Notice;
use smcp_policy_cases::moment;
use smcp_report::Purpose;
use smcp_report::message;

/// Decide about a facts document, with no registry at all.
///
/// Exits 0 when the package could run, 4 when not.
///
/// The document is JSON: the fields of `subject` in wit/policy.wit in snake_case, all of them optional. What is absent
/// is unknown, what can't be a fact is an error; for example {"origin": "verified", "cert_level": 2, "score": 80}.
///
/// With --policy it tries one component alone, strictly: no configuration is read, and nothing recorded.
#[derive(Debug, Args)]
pub(crate) struct EvalCommand {
    /// The facts document, a file or a pipe; `-` reads standard input [with --policy, default: nothing is known]
    #[arg(long, value_name = "FILE", required_unless_present = "policy")]
    facts: Option<PathBuf>,
    /// Try this component, and no configuration
    #[arg(long, value_name = "FILE.wasm", conflicts_with = "warning_threshold")]
    policy: Option<PathBuf>,
    /// The settings of that component, YAML or JSON; `-` reads standard input [default: {}]
    #[arg(long, value_name = "FILE", requires = "policy")]
    settings: Option<PathBuf>,
    /// Decide as of this moment: a time such as 2026-12-24T09:00:00Z, or a date. A what-if, which is not recorded
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Option<u64>,
    #[command(flatten)]
    options: DecisionOptions,
    #[command(flatten)]
    format: FormatOption,
}

const NO_RULES: &str = "no rules are configured: what passes here passes only because there are none; \
                        `smcp config init` writes a file for them";

pub(super) fn parse_moment(text: &str) -> Result<u64, String> {
    let allowed = "a time such as 2026-01-05T09:00:00Z or 2026-01-05T10:00:00+01:00, or a date; from 1970 to 9999";
    moment(text).ok_or_else(|| format!("expected {allowed}"))
}

impl EvalCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        app.answer_in(self.format.format)?;
        if let Some(at) = self.at {
            app.decide_as_of(at);
        }
        match &self.policy {
            Some(policy) => self.try_alone(policy, app),
            None => self.decide(app),
        }
    }

    /// Decides by the configuration.
    fn decide(&self, app: &mut App) -> Result<Exit, Failure> {
        // The answer itself says when there are no rules, so that a pass is not taken for one by the user's own rules.
        let session = app.session(self.options.warning_threshold)?;
        let config = session.config();
        let subject = alone::subject(app, &alone::facts(app, self.facts.as_deref(), config.start_timeout())?)?;
        // A decision about another time is hypothetical: it is not recorded, and no record bounds its time.
        let mut recorder = match self.at {
            Some(_) => None,
            None => Some(app.recorder(&session, "policy eval", None)?),
        };
        let context = match &recorder {
            Some(recorder) => app.settled_context(&session, recorder, self.options.trust),
            None => app.context(self.options.trust),
        };
        let mut evaluated = pipeline::evaluate_facts(&session, subject, context, &mut *app.progress());
        if let (Some(at), Ok(judged)) = (self.at, &mut evaluated) {
            judged.notices.push(as_of(at));
        }
        if !config.is_configured() && app.format() == AnswerFormat::Human {
            message::notice(NO_RULES, &mut app.out(), &app.output_style())?;
        } else if let (false, Ok(judged)) = (config.is_configured(), &mut evaluated) {
            judged.notices.push(Notice { code: "unconfigured", message: NO_RULES.into() });
        }
        app.conclude(recorder.as_mut().map(|recorder| (&session, recorder)), context, evaluated, Purpose::Check)
    }

    /// Tries one component.
    fn try_alone(&self, policy: &Path, app: &mut App) -> Result<Exit, Failure> {
        alone::not_both(self.facts.as_deref(), self.settings.as_deref())?;
        let session = app.session_alone()?;
        let tested = alone::component(app, policy)?;
        let settings = self.settings.as_deref().map(|path| SettingsFile::read(app, path)).transpose()?;
        let subject = alone::subject(app, &alone::facts(app, self.facts.as_deref(), limits::START_TIMEOUT_DEFAULT)?)?;
        let value = settings.as_ref().map_or_else(|| serde_json::json!({}), |file| file.value.clone());
        let context = app.context(self.options.trust);
        let evaluated = pipeline::evaluate_alone(&session, &tested, value, subject, context, &mut *app.progress());
        if let (Some(file), Ok(judged)) = (&settings, &evaluated)
            && let Some(failure) = refused_settings(file, judged)
        {
            return Err(failure);
        }
        app.conclude(None, context, evaluated, Purpose::Check)
    }
}

/// Returns the failure of settings that the component refuses: each problem with its place.
fn refused_settings(file: &SettingsFile, judged: &Judged) -> Option<Failure> {
    let outcome = judged.ruling.policies().first().map(|policy| &policy.outcome);
    let Some(Outcome::Fault(fault)) = outcome else { return None };
    (!fault.settings.is_empty()).then(|| file.refused(&fault.settings))
}

fn as_of(at: u64) -> Notice {
    let time = time::utc_of(at).unwrap_or_default();
    let message = format!("decided as of {time}, and not as of now: a what-if, which is not recorded");
    Notice { code: "as-of", message: SafeText::new(&message) }
}
