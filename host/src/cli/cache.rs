//! `smcp cache`: lists downloads, and removes them.

use std::time::Duration;

use clap::Args;
use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::chosen::Chosen;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::cache::CacheRemoval;
use smcp_model::cache::CacheRules;
use smcp_model::cache::CacheTarget;
use smcp_model::size::ByteSize;
use smcp_pipeline as pipeline;
use smcp_report::cache;
use smcp_report::json;

/// See and clear the cache of downloads.
#[derive(Debug, Subcommand)]
pub(super) enum CacheCommand {
    /// List what is in the cache, the last used first
    #[command(visible_alias = "list")]
    Ls,
    /// Remove files from the cache
    Rm(Chosen<RemoveCommand>),
    /// Remove what nobody knows any more: unfinished downloads, and files that no package has
    Gc(Chosen<CollectCommand>),
}

impl CacheCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        match self {
            Self::Ls => list(app),
            Self::Rm(command) => command.then(|it| it.execute(app)),
            Self::Gc(command) => command.then(|it| it.execute(app)),
        }
    }
}

/// Remove files from the cache.
///
/// What belongs to a server that runs stays. A package that is removed is downloaded again when it is needed.
#[derive(Debug, Args)]
pub(super) struct RemoveCommand {
    /// Digests (12 hex digits or more) and packages (ORG/NAME, ORG/NAME@VERSION)
    #[arg(value_name = "DIGEST|PACKAGE", required_unless_present = "all")]
    targets: Vec<CacheTarget>,
    /// Everything
    #[arg(short, long, conflicts_with = "targets")]
    all: bool,
}

/// Remove what nobody knows any more: unfinished downloads, and files that no package has.
///
/// What belongs to a server that runs stays.
#[derive(Debug, Args)]
pub(super) struct CollectCommand {
    /// And what was not used for this long, such as 30d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
    /// And what was used longest ago, until no more than this is left, such as 500MiB
    #[arg(long, value_name = "SIZE")]
    max_size: Option<ByteSize>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

fn list(app: &App) -> Result<Exit, Failure> {
    let session = app.session(None)?;
    let entries = pipeline::list_cache(&session)?;
    let place = session.config().cache_dir().map(|path| path.display().to_string()).unwrap_or_default();
    if app.json() {
        json::write(&cache::document(&place, &entries), &mut app.out())?;
    } else {
        cache::human(&place, &entries, app.system().now(), &mut app.out(), &app.output_style())?;
    }
    Ok(Exit::SUCCESS)
}

impl RemoveCommand {
    fn execute(self, app: &App) -> Result<Exit, Failure> {
        let removal = pipeline::remove_from_cache(&app.session(None)?, &self.targets)?;
        print(app, &removal, false)?;
        // The user named these files, so one that could not be removed is an error.
        Ok(if removal.in_use.is_empty() { Exit::SUCCESS } else { Exit::USAGE })
    }
}

impl CollectCommand {
    fn execute(self, app: &App) -> Result<Exit, Failure> {
        let rules = CacheRules { older_than: self.older_than, max_size: self.max_size };
        let removal = pipeline::collect_garbage(&app.session(None)?, &rules, self.dry_run)?;
        print(app, &removal, self.dry_run)?;
        Ok(Exit::SUCCESS)
    }
}

fn print(app: &App, removal: &CacheRemoval, dry_run: bool) -> Result<(), Failure> {
    if app.json() {
        json::write(&cache::removal_document(removal, dry_run), &mut app.out())?;
    } else {
        cache::removal(removal, dry_run, &mut app.err(), &app.error_style())?;
    }
    Ok(())
}
