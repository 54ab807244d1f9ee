//! `smcp policy`: what policies say, and which there are.

mod alone;
mod bench;
mod build;
mod check;
mod compile;
mod eval;
mod inspect;
mod list;
mod new;
mod schema;
mod settings;
mod test;
mod write;

use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// See what policies say, and which there are.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    Check(check::CheckCommand),
    Eval(eval::EvalCommand),
    Test(test::TestCommand),
    Bench(bench::BenchCommand),
    List(list::ListPoliciesCommand),
    Inspect(inspect::InspectCommand),
    Compile(compile::CompileCommand),
    New(new::NewPolicyCommand),
    Build(build::BuildCommand),
    Schema(schema::PolicySchemaCommand),
}

impl PolicyCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.execute(app),
            Self::Eval(command) => command.execute(app),
            Self::Test(command) => command.execute(app),
            Self::Bench(command) => command.execute(app),
            Self::List(command) => command.execute(app),
            Self::Inspect(command) => command.execute(app),
            Self::Compile(command) => command.execute(app),
            Self::New(command) => command.execute(app),
            Self::Build(command) => command.execute(app),
            Self::Schema(command) => command.execute(app),
        }
    }
}
