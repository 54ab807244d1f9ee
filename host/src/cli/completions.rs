//! `smcp completions`: what makes a shell complete command lines.

use std::io::Write as _;

use clap::Args;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::app::App;
use crate::cli::args::Arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

const PLACES: &str = "Where shells look for it:
  bash  ~/.local/share/bash-completion/completions/smcp
  zsh   _smcp in a folder of $fpath
  fish  ~/.config/fish/completions/smcp.fish
for example: smcp completions fish > ~/.config/fish/completions/smcp.fish";

/// Print what makes a shell complete command lines of smcp
#[derive(Debug, Args)]
#[command(after_help = PLACES)]
pub(super) struct CompletionsCommand {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        // Generated first and then written: the generator can't report that the reader has left.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "smcp", &mut script);
        app.out().write_all(&script)?;
        Ok(Exit::SUCCESS)
    }
}
