//! `smcp policy`: what policies say, and which there are.

mod check;
mod eval;
mod inspect;
mod list;

use clap::Subcommand;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;

/// See what policies say, and which there are.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    Check(check::CheckCommand),
    Eval(eval::EvalCommand),
    List(list::ListCommand),
    Inspect(inspect::InspectCommand),
}

impl PolicyCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.execute(world),
            Self::Eval(command) => command.execute(world),
            Self::List(command) => command.execute(world),
            Self::Inspect(command) => command.execute(world),
        }
    }
}
