//! The grammar of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

use crate::cli::config::ConfigCommand;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::info::InfoCommand;
use crate::cli::policy::PolicyCommand;
use crate::cli::pull::PullCommand;
use crate::cli::registry::RegistryCommand;
use crate::cli::run::RunCommand;
use crate::cli::world::World;
use crate::report::json;

const EXIT_CODES: &str = "Exit codes:
  0  the server ran and exited 0; the check passed
  1  usage or configuration error
  2  registry or network error
  3  integrity error: a digest, an identity, an archive or a manifest is not what it should be
  4  refused: by policy, for want of consent, or for the package's status
  5  timeout
  6  the server could not be started
  other: the server's own (a server that exits 4 is reported as 1; a signal is 128+n)";

/// Starts an MCP server only after every security policy has allowed it.
#[derive(Debug, Parser)]
#[command(name = "smcp", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// The configuration of the user layer [default: $SMCP_CONFIG, then ~/.mcp/config.yaml]
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// The registry to ask, in place of `registry_url`
    #[arg(long, global = true, value_name = "URL|DIR")]
    pub(super) registry: Option<String>,
    /// Where downloads are kept, in place of `cache_dir`
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a server, if every policy allows it
    Run(RunCommand),
    /// See what policies say, and which there are
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Work on a registry directory
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Show what the registry says of a package
    Info(InfoCommand),
    /// Download and verify a package without running it
    Pull(PullCommand),
}

impl Command {
    pub(super) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        match self {
            Self::Run(command) => command.execute(world),
            Self::Policy(command) => command.execute(world),
            Self::Config(command) => command.execute(world),
            Self::Registry(command) => command.execute(world),
            Self::Info(command) => command.execute(world),
            Self::Pull(command) => command.execute(world),
        }
    }
}

/// Says what is wrong with a command line, or prints the help or version that it asked for.
pub(super) fn explain(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let json = arguments.iter().any(|argument| argument == "--json");
    if !error.use_stderr() {
        // Help and version are an answer. A closed pipe behind them is nobody's error.
        drop(error.print());
        return Exit::Success;
    }
    if json {
        let document = json::error("usage", &error.render().to_string(), Exit::Usage.code(), Vec::new());
        drop(json::write(&document, &mut std::io::stdout().lock()));
    } else {
        // A standard error that nobody reads changes nothing.
        drop(error.print());
    }
    Exit::Usage
}
