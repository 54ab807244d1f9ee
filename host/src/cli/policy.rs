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
    /// Decide about a package, and start nothing
    Check(check::CheckCommand),
    /// Decide about a facts document, with no registry at all
    Eval(eval::EvalCommand),
    /// List the policies of every layer
    List(list::ListCommand),
    /// Show what a component is
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
