//! The options that every command understands.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The configuration of the user layer [default: $SMCP_CONFIG, then ~/.mcp/config.yaml]
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// The registry to ask, in place of `registry_url` [default: $SMCP_REGISTRY]
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
    /// Say only what is wrong: refusals, questions, errors, and what was accepted under warn
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Colours: always, never, or auto (on a terminal, unless NO_COLOR is set) [default: auto]
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub(super) color: ColorArgument,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorArgument {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
