//! `smcp run`: start a server, if every policy allows it.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::cli::app::App;
use crate::cli::app::rules::Undertaking;
use crate::cli::decision::client_error_of;
use crate::cli::exit::EXIT_CODES;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::AnswerFormat;
use smcp_authority as authority;
use smcp_config::choice::AskedConfinement;
use smcp_config::choice::Strictness;
use smcp_model::client_error::ClientError;
use smcp_model::facts::Score;
use smcp_model::package::PackageRef;
use smcp_pipeline as pipeline;
use smcp_pipeline::ArgumentLimits;
use smcp_pipeline::Assignment;
use smcp_pipeline::LaunchRequest;
use smcp_report::Purpose;
use smcp_report::client_error;

/// Start a server, if every policy allows it.
///
/// Standard input and output belong to the server; everything smcp says goes to standard error.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct RunCommand {
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: PackageRef,
    /// Arguments for the server, after those of its manifest
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<OsString>,
    #[command(flatten)]
    options: DecisionOptions,
    /// Decide and report, but start nothing
    #[arg(long)]
    dry_run: bool,
    /// The form of the report of --dry-run: human, json, sarif or junit
    #[arg(long, value_name = "FORMAT", requires = "dry_run", hide_possible_values = true)]
    format: Option<AnswerFormat>,
    /// Read variables for the server from a file, or a pipe, in the format of dotenv
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Set a variable for the server; KEY alone passes smcp's own on
    #[arg(long, value_name = "KEY[=VALUE]")]
    env: Vec<OsString>,
    /// How long finding, downloading and starting may take, in place of `start_timeout`, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    timeout: Option<Duration>,
    /// How strictly the server is confined: required, best-effort or off; it can only tighten the configuration. With observe,
    /// what the server used is shown at its end, as permissions for its manifest
    #[arg(long, value_name = "HOW", value_parser = parse_confining)]
    confinement: Option<AskedConfinement>,
}

/// What `run`, `policy check` and `policy eval` have in common.
#[derive(Debug, Args)]
pub(super) struct DecisionOptions {
    /// Consent in advance to what would be asked; never overrides a refusal
    #[arg(long)]
    pub(super) trust: bool,
    /// Warn below this score; it can only raise the configured value
    #[arg(long, value_name = "SCORE")]
    pub(super) warning_threshold: Option<Score>,
}

/// A duration above zero, as `start_timeout` is.
fn parse_timeout(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("expected a duration above zero, such as 30s".to_owned()) } else { Ok(duration) }
}

fn parse_confining(text: &str) -> Result<AskedConfinement, String> {
    if text == AskedConfinement::OBSERVE {
        return Ok(AskedConfinement::Observed);
    }
    let known = Strictness::ALL.into_iter().find(|confining| confining.as_str() == text);
    known.map(AskedConfinement::Held).ok_or_else(|| {
        format!("expected {}, {}", Strictness::ALL.map(Strictness::as_str).join(", "), AskedConfinement::OBSERVE)
    })
}

fn useless_observation(why: &str) -> Failure {
    Failure::usage(anyhow::anyhow!("--confinement observe has no effect {why}\n  leave it out"))
}

/// Returns the variables of `--env`. They are parsed here and not by clap, whose error would print the value. A name
/// without a value passes on the variable of this process.
fn assignments(given: &[OsString], app: &App) -> Result<Vec<Assignment>, Failure> {
    let mut read = Vec::new();
    for text in given {
        let whole = if text.as_encoded_bytes().contains(&b'=') {
            text.clone()
        } else if let Some(value) = app.variable(text) {
            let mut whole = text.clone();
            whole.push("=");
            whole.push(value);
            whole
        } else if is_shown(text) {
            app.notice(&format!("`--env {}`: it is not set here, so the server does not get it", text.display()));
            continue;
        } else {
            text.clone()
        };
        read.push(Assignment::from_os(&whole).context("while reading --env").map_err(Failure::usage)?);
    }
    Ok(read)
}

/// Whether a text is certainly the name of a variable, and can be shown. Any other may be a value without its name.
fn is_shown(text: &OsStr) -> bool {
    let bytes = text.as_encoded_bytes();
    let proxy = bytes.ends_with(b"_proxy") && bytes.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    let shouted = bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    proxy || shouted && bytes.first().is_some_and(|first| !first.is_ascii_digit())
}

impl RunCommand {
    /// The package that is to be started, and whether consent is given in advance; `None` when nothing is started.
    pub(super) fn asked(&self) -> Option<(&PackageRef, bool)> {
        (!self.dry_run).then_some((&self.reference, self.options.trust))
    }

    /// The names of the variables that the line sets for the server, and the file with more of them.
    pub(super) fn variable_names(&self) -> (impl Iterator<Item = String>, Option<&Path>) {
        let name = |given: &OsString| given.to_string_lossy().split('=').next().unwrap_or_default().to_owned();
        (self.env.iter().map(name), self.env_file.as_deref())
    }

    /// Carries the command out. When nothing was started, the client is told why in the stream that it reads.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if self.dry_run {
            return self.decide(app);
        }
        app.cede_stdout();
        let package = self.reference.to_string();
        let (exit, refusal) = self.launch(app).unwrap_or_else(|failure| {
            let exit = app.fail(&failure);
            (exit, Some(client_error::failure(Some(&package), exit.code(), &failure.whole_message())))
        });
        if let Some(refusal) = refusal {
            app.refuse(&refusal);
        }
        Ok(exit)
    }

    /// Carries out `--dry-run`.
    fn decide(self, app: &mut App) -> Result<Exit, Failure> {
        app.answer_in(self.format)?;
        if self.observes() {
            return Err(useless_observation("with --dry-run, which starts nothing"));
        }
        let about = Undertaking {
            command: "run --dry-run",
            package: &self.reference,
            timeout: self.timeout,
            confining: self.confinement,
        };
        let session = app.session_to_start(self.options.warning_threshold, Some(about))?;
        let timeout = self.timeout.unwrap_or(session.config().start_timeout());
        // A dry run reports what a run would, so variables that can't be read are an error here, too.
        self.variables(app, timeout)?;
        app.dry_run(&session, &self.reference, self.options.trust, timeout, Purpose::DryRun)
    }

    fn observes(&self) -> bool {
        self.confinement == Some(AskedConfinement::Observed)
    }

    /// Starts the server. Returns the exit code, and what a client is told when no server was started.
    fn launch(self, app: &mut App) -> Result<(Exit, Option<ClientError>), Failure> {
        if self.observes() && !cfg!(target_os = "linux") {
            return Err(useless_observation("on this system: it takes Linux"));
        }
        let about = Undertaking {
            command: "run",
            package: &self.reference,
            timeout: self.timeout,
            confining: self.confinement,
        };
        let session = app.session_to_start(self.options.warning_threshold, Some(about))?;
        let timeout = self.timeout.unwrap_or(session.config().start_timeout());
        let (env_file, env) = self.variables(app, timeout)?;
        let mut recorder = app.recorder(&session, "run", Some(&self.reference))?;
        let observe = self.observes();
        let (reference, arguments) = (self.reference, self.arguments);
        let request = LaunchRequest { reference, timeout, arguments, env_file, env, observe };
        let context = app.settled_context(&session, &recorder, self.options.trust);
        let mut progress = app.progress();
        let mut audience = app.audience(context.trust);
        let result = pipeline::run(&session, &request, context, &mut recorder, &mut audience, &mut *progress);
        let shown = audience.into_refusal();
        match result {
            Ok(ended) => Ok((app.ended(ended), None)),
            Err(failed) => {
                let refusal = (!failed.error.was_started()).then(|| shown.unwrap_or_else(|| client_error_of(&failed)));
                let exit = app.report_failure(failed, Purpose::Launch).unwrap_or_else(|failure| app.fail(&failure));
                Ok((exit, refusal))
            }
        }
    }

    /// Returns the variables that the command line names for the server: those of `--env-file`, and those of `--env`.
    fn variables(&self, app: &App, patience: Duration) -> Result<(Vec<Assignment>, Vec<Assignment>), Failure> {
        let env_file = self.env_file.as_deref().map_or(Ok(Vec::new()), |file| app.variables(file, patience))?;
        let env = assignments(&self.env, app)?;
        let room = ArgumentLimits { one: authority::longest_argument(), all: authority::room_for_arguments() };
        room.check(env_file.iter().chain(&env), &self.arguments).map_err(Failure::usage)?;
        Ok((env_file, env))
    }
}
