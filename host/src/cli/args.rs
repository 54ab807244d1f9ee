//! The grammar of the command line.

use std::ffi::OsString;
use std::io::Write;

use clap::Args as _;
use clap::CommandFactory as _;
use clap::FromArgMatches as _;
use clap::Parser;
use clap::Subcommand;
use clap::error::ErrorKind;

use crate::cli::app::App;
use crate::cli::audit::AuditCommand;
use crate::cli::cache::CacheCommand;
use crate::cli::chosen::Chosen;
use crate::cli::completions::CompletionsCommand;
use crate::cli::config::ConfigCommand;
use crate::cli::data::DataCommand;
use crate::cli::doctor::DoctorCommand;
use crate::cli::exit::EXIT_CODES;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::AnswerFormat;
use crate::cli::global::ColorArgument;
use crate::cli::global::Global;
use crate::cli::import::ImportCommand;
use crate::cli::info::InfoCommand;
use crate::cli::invocation::Invocation;
use crate::cli::invocation::TerminalWidth;
use crate::cli::login::LoginCommand;
use crate::cli::login::LogoutCommand;
use crate::cli::man::ManCommand;
use crate::cli::mcp_config::McpConfigCommand;
use crate::cli::policy::PolicyCommand;
use crate::cli::pull::PullCommand;
use crate::cli::registry::RegistryCommand;
use crate::cli::run::RunCommand;
use crate::cli::scan::ScanCommand;
use crate::cli::version::VersionCommand;
use smcp_pipeline as pipeline;
use smcp_report::client_error;

/// Starts an MCP server only after every security policy has allowed it.
#[derive(Debug, Parser)]
#[command(name = "smcp", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

// What the list of commands says of each; the struct has the rest of its help.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a server, if every policy allows it
    Run(Chosen<RunCommand>),
    /// See what policies say, and which there are
    #[command(subcommand)]
    Policy(Chosen<PolicyCommand>),
    /// Begin, show or check the configuration
    #[command(subcommand)]
    Config(Chosen<ConfigCommand>),
    /// Work on a registry: a directory, or a place in a registry of images
    #[command(subcommand)]
    Registry(Chosen<RegistryCommand>),
    /// Make a package of a server that npx, uvx or a desktop client starts today, in a registry directory
    Import(Chosen<ImportCommand>),
    /// Show what the registry says of a package, after verifying it
    Info(Chosen<InfoCommand>),
    /// Download and verify a package without running it
    Pull(Chosen<PullCommand>),
    /// Print what makes a client start a package through smcp, or write it into the client's file
    McpConfig(Chosen<McpConfigCommand>),
    /// See which servers the clients on this machine start, and whether smcp starts them
    Scan(Chosen<ScanCommand>),
    /// Keep a token for a registry
    Login(Chosen<LoginCommand>),
    /// Forget the token for a registry
    Logout(Chosen<LogoutCommand>),
    /// See and clear the cache of downloads
    #[command(subcommand)]
    Cache(Chosen<CacheCommand>),
    /// See and remove what servers keep between runs
    #[command(subcommand)]
    Data(Chosen<DataCommand>),
    /// Verify or read the audit log
    #[command(subcommand)]
    Audit(Chosen<AuditCommand>),
    /// Look whether `run` could work, and say what to do if not
    Doctor(Chosen<DoctorCommand>),
    /// Print what makes a shell complete command lines of smcp
    Completions(Chosen<CompletionsCommand>),
    /// Print a manual page, or write all of them into a folder
    Man(Chosen<ManCommand>),
    /// Print which version this is; with -v, what it is made of
    Version(Chosen<VersionCommand>),
}

impl Command {
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::Run(command) => command.then(|it| it.execute(app)),
            Self::Policy(command) => command.then(|it| it.execute(app)),
            Self::Config(command) => command.then(|it| it.execute(app)),
            Self::Registry(command) => command.then(|it| it.execute(app)),
            Self::Import(command) => command.then(|it| it.execute(app)),
            Self::Info(command) => command.then(|it| it.execute(app)),
            Self::Pull(command) => command.then(|it| it.execute(app)),
            Self::McpConfig(command) => command.then(|it| it.execute(app)),
            Self::Scan(command) => command.then(|it| it.execute(app)),
            Self::Login(command) => command.then(|it| it.execute(app)),
            Self::Logout(command) => command.then(|it| it.execute(app)),
            Self::Cache(command) => command.then(|it| it.execute(app)),
            Self::Data(command) => command.then(|it| it.execute(app)),
            Self::Audit(command) => command.then(|it| it.execute(app)),
            Self::Doctor(command) => command.then(|it| it.execute(app)),
            Self::Completions(command) => command.then(|it| it.execute(app)),
            Self::Man(command) => command.then(|it| it.execute(app)),
            Self::Version(command) => command.then(|it| it.execute(app)),
        }
    }
}

/// Parses a command line. Its errors and the help have the colours that it asks for.
pub(super) fn parse(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let whole = Arguments::command();
    let chosen = part_for(arguments, &whole).and_then(|part| parse_by(part, arguments).ok());
    chosen.map_or_else(|| parse_by(whole.color(requested_color(arguments)), arguments), Ok)
}

/// Returns the part of the grammar that has only the command which a command line seems to name: every other one would be
/// given a copy of all global options. What the part accepts, the whole accepts as the same; its errors count for nothing.
fn part_for(arguments: &[OsString], whole: &clap::Command) -> Option<clap::Command> {
    let named = own_arguments(arguments).skip(1).find_map(|word| whole.find_subcommand(word))?;
    let root = clap::Command::default().name("smcp").version(env!("CARGO_PKG_VERSION")).propagate_version(true);
    let part = part_of_group(arguments, named.get_name()).unwrap_or_else(|| named.clone());
    Some(Global::augment_args(root).subcommand_required(true).subcommand(part))
}

/// Returns the part of a group of commands that has only the command which a command line seems to name; `None` for what
/// is no group that decides.
fn part_of_group(arguments: &[OsString], name: &str) -> Option<clap::Command> {
    if name != "policy" {
        return None;
    }
    let group = PolicyCommand::augment_subcommands(clap::Command::default().name("policy"));
    let named = own_arguments(arguments).skip(1).find_map(|word| group.find_subcommand(word))?;
    Some(clap::Command::default().name("policy").subcommand_required(true).subcommand(named.clone()))
}

fn parse_by(mut command: clap::Command, arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let parsed = Arguments::from_arg_matches_mut(&mut command.try_get_matches_from_mut(arguments)?)?;
    // Not by `conflicts_with`, which misses the two when a command's name is between them.
    if parsed.global.quiet() && parsed.global.verbose > 0 {
        let message = "the argument '--quiet' cannot be used with '--verbose'";
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    // Thousands of small pieces, which the end of the process releases at once.
    std::mem::forget(command);
    Ok(parsed)
}

/// Returns the arguments for smcp; those after `--` are for the server.
fn own_arguments(arguments: &[OsString]) -> impl Iterator<Item = &str> {
    arguments.iter().take_while(|argument| *argument != "--").filter_map(|argument| argument.to_str())
}

/// Returns the value of an option before the command line is parsed; empty without it. A wrong value is reported later.
fn option_value<'a>(arguments: &'a [OsString], option: &str) -> &'a str {
    let mut words = own_arguments(arguments);
    let mut value = "";
    while let Some(word) = words.next() {
        match word.strip_prefix(option) {
            Some("") => value = words.next().unwrap_or_default(),
            Some(rest) => value = rest.strip_prefix('=').unwrap_or(value),
            None => {}
        }
    }
    value
}

/// Returns the value of `--color` before the command line is parsed.
fn requested_color(arguments: &[OsString]) -> clap::ColorChoice {
    option_value(arguments, "--color").parse().unwrap_or_default()
}

/// Returns the form of an error on standard output. A command line that would have started a server leaves that stream
/// to it.
fn requested_format(arguments: &[OsString]) -> AnswerFormat {
    let has = |word: &str| own_arguments(arguments).any(|argument| argument == word);
    if has("run") && !has("--dry-run") {
        return AnswerFormat::Human;
    }
    let named = option_value(arguments, "--format").parse().ok();
    named.unwrap_or(if has("--json") { AnswerFormat::Json } else { AnswerFormat::Human })
}

/// Whether a correct command line would have started a server.
fn is_launch(arguments: &[OsString]) -> bool {
    let words = command_words(arguments);
    words.first() == Some(&"run") && !words.contains(&"--dry-run")
}

/// Whether a command line seems to ask for a decision, so that policies will be needed. When it is wrong, they were begun
/// in vain, or are begun later.
pub(super) fn asks_for_decision(arguments: &[OsString]) -> bool {
    matches!(*command_words(arguments), ["run", ..] | ["policy", "check" | "eval", ..])
}

/// Returns the words of a command line from the command's name on: the first that is neither an option nor the value of
/// one.
fn command_words(arguments: &[OsString]) -> Vec<&str> {
    let mut words = own_arguments(arguments).skip(1).peekable();
    while let Some(option) = words.next_if(|word| word.starts_with('-')) {
        if matches!(option, "--config" | "--registry" | "--cache-dir" | "--color") {
            words.next();
        }
    }
    words.collect()
}

/// Returns what is wrong with a command line, without the usage and the hint that follow it.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let parts = text.split("\n\n").take_while(|part| !part.starts_with("Usage:") && !part.starts_with("For more"));
    parts.collect::<Vec<_>>().join("\n")
}

/// Reports what is wrong with a command line, or prints the help or version that it asks for.
pub(super) fn explain(error: &clap::Error, invocation: &Invocation) -> Exit {
    let (arguments, streams) = (&invocation.arguments, &invocation.streams);
    if !error.use_stderr() {
        // Help and version are an answer. A reader that has left is not an error.
        drop(print(error, invocation, streams.out_terminal, &mut streams.out()));
        return Exit::SUCCESS;
    }
    let failure = Failure::usage(anyhow::anyhow!(sentence(error)));
    // A stream that can't be written changes nothing.
    if !requested_format(arguments).failure(&failure, &mut streams.out()).is_ok_and(|written| written) {
        drop(print(error, invocation, streams.err_terminal, &mut streams.err()));
    }
    if is_launch(arguments) && !streams.stdin_is_terminal {
        pipeline::refuse(&invocation.system, &client_error::failure(None, Exit::USAGE.code(), &sentence(error)));
    }
    Exit::USAGE
}

/// Writes clap's text, with colours where other output has them.
fn print(
    error: &clap::Error,
    invocation: &Invocation,
    terminal: Option<TerminalWidth>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let choice = match requested_color(&invocation.arguments) {
        clap::ColorChoice::Auto => ColorArgument::Auto,
        clap::ColorChoice::Always => ColorArgument::Always,
        clap::ColorChoice::Never => ColorArgument::Never,
    };
    let text = error.render();
    if invocation.style(choice, terminal).is_coloured() {
        write!(out, "{}", text.ansi())?
    } else {
        write!(out, "{text}")?
    }
    out.flush()
}

#[cfg(test)]
mod tests;
