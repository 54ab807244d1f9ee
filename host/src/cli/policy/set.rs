//! `smcp policy set`: rules that are published whole.

mod build;
mod pull;
mod push;
mod show;

use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::chosen::Chosen;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Make, ship and look at policy sets: rules that an organisation publishes whole.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicySetCommand {
    /// Make the archive of a set of a folder, after checking it as a start does
    Build(Chosen<build::BuildSetCommand>),
    /// Show what is in a set, or which sets are in force
    Show(Chosen<show::ShowSetCommand>),
    /// Put a set into a registry of images
    Push(Chosen<push::PushSetCommand>),
    /// Get the sets that the configuration names, ahead of any start
    Pull(Chosen<pull::PullSetCommand>),
}

impl PolicySetCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::Build(command) => command.then(|it| it.execute(app)),
            Self::Show(command) => command.then(|it| it.execute(app)),
            Self::Push(command) => command.then(|it| it.execute(app)),
            Self::Pull(command) => command.then(|it| it.execute(app)),
        }
    }
}
