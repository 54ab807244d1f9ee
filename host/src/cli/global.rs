//! The options that every command understands.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

/// What every command understands.
///
/// What has a default is copied by clap from each command to the one below it, and back. So what can have none has none.
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
    #[arg(long, global = true, num_args = 0, default_missing_value = "true")]
    json: Option<bool>,
    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say only what is wrong: refusals, questions, errors, and what was accepted under warn
    #[arg(short, long, global = true, num_args = 0, default_missing_value = "true")]
    quiet: Option<bool>,
    /// Colours: always, never, or auto (on a terminal, unless NO_COLOR is set) [default: auto]
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    color: Option<ColorArgument>,
}

impl Global {
    pub(super) const fn json(&self) -> bool {
        matches!(self.json, Some(true))
    }

    pub(super) const fn quiet(&self) -> bool {
        matches!(self.quiet, Some(true))
    }

    pub(super) fn color(&self) -> ColorArgument {
        self.color.unwrap_or(ColorArgument::Auto)
    }
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
