//! `smcp cache`: what downloads take, and how to get it back.

use std::time::Duration;

use clap::Args;
use clap::Subcommand;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use smcp_authority as authority;
use smcp_model::cache::CacheRemoval;
use smcp_model::cache::CacheRules;
use smcp_model::cache::CacheTarget;
use smcp_model::exit::ExitKind;
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
    Rm(RemoveCommand),
    Gc(CollectCommand),
}

impl CacheCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &World) -> Result<Exit, Failure> {
        match self {
            Self::Ls => list(world),
            Self::Rm(command) => command.execute(world),
            Self::Gc(command) => command.execute(world),
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

fn list(world: &World) -> Result<Exit, Failure> {
    let config = world.config(None)?;
    let entries = pipeline::cached(&config)?;
    let place = config.cache_dir().map(|path| path.display().to_string()).unwrap_or_default();
    if world.json() {
        json::write(&cache::document(&place, &entries), &mut world.out())?;
    } else {
        cache::human(&place, &entries, authority::now(), &mut world.out(), &world.output_style())?;
    }
    Ok(Exit::Success)
}

impl RemoveCommand {
    fn execute(self, world: &World) -> Result<Exit, Failure> {
        let removal = pipeline::uncache(&world.config(None)?, &self.targets)?;
        say(world, &removal, false)?;
        // Somebody who names a file wants it gone.
        Ok(if removal.in_use.is_empty() { Exit::Success } else { Exit::Failed(ExitKind::Usage) })
    }
}

impl CollectCommand {
    fn execute(self, world: &World) -> Result<Exit, Failure> {
        let rules = CacheRules { older_than: self.older_than, max_size: self.max_size };
        let removal = pipeline::collect(&world.config(None)?, &rules, self.dry_run)?;
        say(world, &removal, self.dry_run)?;
        Ok(Exit::Success)
    }
}

fn say(world: &World, removal: &CacheRemoval, dry_run: bool) -> Result<(), Failure> {
    if world.json() {
        json::write(&cache::removal_document(removal, dry_run), &mut world.out())?;
    } else {
        cache::removal(removal, dry_run, &mut world.err(), &world.error_style())?;
    }
    Ok(())
}
