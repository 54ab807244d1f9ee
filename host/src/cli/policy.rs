//! `smcp policy`: what policies say, and which there are.

mod alone;
mod bench;
mod build;
mod check;
mod compile;
mod diff;
mod eval;
mod explain;
mod inspect;
mod list;
mod new;
mod pull;
mod push;
mod replay;
mod schema;
mod set;
mod settings;
mod sign;
mod test;
mod verify;
pub(in crate::cli) mod write;

use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::chosen::Chosen;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// See what policies say, and which there are.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Decide about a package, and start nothing
    Check(Chosen<check::CheckCommand>),
    /// Decide about a facts document, with no registry at all
    Eval(Chosen<eval::EvalCommand>),
    /// Say why a package may run or not: each rule with its place, and what would change it
    Explain(Chosen<explain::ExplainCommand>),
    /// Decide the decisions of the audit log again, and say what would come out otherwise
    Replay(Chosen<replay::ReplayCommand>),
    /// Judge a catalogue of packages by two configurations, and say what changes
    Diff(Chosen<diff::DiffCommand>),
    /// Run the cases of a policy in the sandbox that every start uses
    Test(Chosen<test::TestCommand>),
    /// Measure what a policy costs: load, first call, further calls, memory, sizes
    Bench(Chosen<bench::BenchCommand>),
    /// List the policies of every layer, and whether each would work
    List(Chosen<list::ListPoliciesCommand>),
    /// Show what a component is, and what it says of itself
    Inspect(Chosen<inspect::InspectCommand>),
    /// Compile policies ahead, so that no start waits for a compiler
    Compile(Chosen<compile::CompileCommand>),
    /// Get the components of policies that are elsewhere, ahead of any start
    Pull(Chosen<pull::PullPolicyCommand>),
    /// Put a component into a registry of images
    Push(Chosen<push::PushCommand>),
    /// Begin a policy: a project that builds and passes its cases as it stands
    New(Chosen<new::NewPolicyCommand>),
    /// Make NAME.wasm of a project, of a core module, or of a finished component
    Build(Chosen<build::BuildCommand>),
    /// Sign a component or a policy set, so that a configuration can say who must have signed it
    Sign(Chosen<sign::SignCommand>),
    /// Say who has signed a component or a policy set, and whether that is enough
    Verify(Chosen<verify::VerifySignatureCommand>),
    /// Make, ship and look at policy sets: rules that an organisation publishes whole
    #[command(subcommand)]
    Set(set::PolicySetCommand),
    /// Print the JSON Schema of a document about policies, for editors and for programs that read it
    Schema(Chosen<schema::PolicySchemaCommand>),
}

impl PolicyCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.then(|it| it.execute(app)),
            Self::Eval(command) => command.then(|it| it.execute(app)),
            Self::Explain(command) => command.then(|it| it.execute(app)),
            Self::Replay(command) => command.then(|it| it.execute(app)),
            Self::Diff(command) => command.then(|it| it.execute(app)),
            Self::Test(command) => command.then(|it| it.execute(app)),
            Self::Bench(command) => command.then(|it| it.execute(app)),
            Self::List(command) => command.then(|it| it.execute(app)),
            Self::Inspect(command) => command.then(|it| it.execute(app)),
            Self::Compile(command) => command.then(|it| it.execute(app)),
            Self::Pull(command) => command.then(|it| it.execute(app)),
            Self::Push(command) => command.then(|it| it.execute(app)),
            Self::New(command) => command.then(|it| it.execute(app)),
            Self::Build(command) => command.then(|it| it.execute(app)),
            Self::Sign(command) => command.then(|it| it.execute(app)),
            Self::Verify(command) => command.then(|it| it.execute(app)),
            Self::Set(command) => command.execute(app),
            Self::Schema(command) => command.then(|it| it.execute(app)),
        }
    }
}
