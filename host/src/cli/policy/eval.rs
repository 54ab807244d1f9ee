//! `smcp policy eval`: decide about a facts document, with no registry at all.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::run::Judging;
use crate::cli::world::World;
use crate::model::limits;
use crate::pipeline;
use crate::report::Purpose;

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
    judging: Judging,
}

impl EvalCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        let config = world.config(self.judging.warning_threshold)?;
        let document = world.read_document(&self.facts, limits::FACTS_FILE, config.start_timeout())?;
        let places = world.places();
        let subject = pipeline::subject_from_document(&document, &places.working_directory, places.home.as_deref())
            .map_err(Failure::from)?;
        let context = world.context(self.judging.trust);
        let mut ledger = world.ledger(&config, "policy eval", None)?;
        let considered = pipeline::consider_facts(&config, subject, context);
        world.conclude(&config, &mut ledger, context, considered, Purpose::Check)
    }
}
