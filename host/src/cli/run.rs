//! `smcp run`: start a server, if every policy allows it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::cli::args::EXIT_CODES;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::model::facts::Score;
use crate::model::package::PackageRef;
use crate::pipeline;
use crate::pipeline::Assignment;
use crate::pipeline::Order;
use crate::report::Purpose;

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
    judging: Judging,
    /// Decide and report, but start nothing
    #[arg(long)]
    dry_run: bool,
    /// Read variables for the server from a file of KEY=VALUE lines
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Set a variable for the server
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<OsString>,
    /// How long finding, downloading and starting may take, in place of `start_timeout`, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    timeout: Option<Duration>,
}

/// What `run`, `policy check` and `policy eval` have in common.
#[derive(Debug, Args)]
pub(super) struct Judging {
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

/// The variables of `--env`. Read here and not by clap, whose error would print the value.
fn assignments(given: &[OsString]) -> Result<Vec<Assignment>, Failure> {
    let read = given.iter().map(|text| Assignment::from_os(text));
    read.collect::<Result<_, _>>().context("while reading --env").map_err(Failure::usage)
}

impl RunCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        if !self.dry_run {
            world.cede_stdout();
        }
        let config = world.config_to_start(self.judging.warning_threshold)?;
        let timeout = self.timeout.unwrap_or(config.start_timeout());
        // A dry run says what a run would: variables that can't be read are wrong in both.
        let env_file = self.env_file.map_or(Ok(Vec::new()), |file| world.variables(&file))?;
        let env = assignments(&self.env)?;
        if self.dry_run {
            return world.dry_run(&config, &self.reference, self.judging.trust, timeout, Purpose::DryRun);
        }
        let mut ledger = world.ledger(&config, "run", Some(&self.reference))?;
        let order = Order { reference: self.reference, timeout, arguments: self.arguments, env_file, env };
        let context = world.context(self.judging.trust);
        let mut progress = world.progress();
        let mut audience = world.audience(self.judging.trust);
        match pipeline::run(&config, &order, context, &mut ledger, &mut audience, &mut *progress) {
            Ok(ended) => Ok(world.ended(ended)),
            Err(stopped) => world.stopped(stopped, Purpose::Launch),
        }
    }
}
