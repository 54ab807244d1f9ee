//! `smcp doctor`: could `run` work here, and if not, why.

mod rules;
mod surroundings;

use clap::Args;

use crate::audit;
use crate::audit::Bounds;
use crate::audit::Part;
use crate::authority;
use crate::cli::audit::log;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::failure::told;
use crate::cli::world::World;
use crate::config::Config;
use crate::config::choice::Audit;
use crate::model::deadline::Deadline;
use crate::model::diagnosis::Check;
use crate::model::diagnosis::Health;
use crate::model::diagnosis::worst;
use crate::pipeline;
use crate::pipeline::Activity;
use crate::pipeline::Ledger;
use crate::report::diagnosis;
use crate::report::json;

/// Look whether `run` could work, and say what to do if not.
///
/// Exits 0 if it could, 1 if not, or if the audit log was changed. It reads the configuration, loads every policy, asks
/// the registry, and writes to the cache; it starts nothing.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DoctorCommand {}

impl DoctorCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &World) -> Result<Exit, Failure> {
        let mut checks = vec![surroundings::versions()];
        match world.config_to_start(None) {
            Ok(config) => {
                checks.extend(configuration(&config));
                checks.extend(rules::checks(&config));
                checks.push(registry(&config));
                checks.push(surroundings::token(&config));
                checks.push(surroundings::cache(&config));
                checks.push(writable(&config));
            }
            Err(failure) => {
                let said = std::iter::once(failure.message()).chain(failure.details).collect::<Vec<_>>().join("\n");
                checks.push(Check::failed("configuration", Health::Problem, &said));
            }
        }
        checks.push(chain(world));
        checks.push(surroundings::clock());
        let exit = if worst(&checks) == Health::Problem { Exit::Usage } else { Exit::Success };
        if world.json() {
            json::write(&diagnosis::document(&checks, exit.code()), &mut world.out())?;
        } else {
            diagnosis::human(&checks, &mut world.out(), &world.output_style())?;
        }
        Ok(exit)
    }
}

/// Which layers there are, and where they are written.
fn configuration(config: &Config) -> Vec<Check> {
    let layers = config.view().layers.into_iter();
    layers
        .map(|layer| match layer.file {
            Some(file) => {
                Check::new("configuration", Health::Ok, format!("{} layer: {}", layer.layer.as_str(), file.display()))
            }
            None => Check::new("configuration", Health::Warning, "there is no configuration; the defaults hold")
                .advice("`smcp config init` writes a file with every key in it"),
        })
        .collect()
}

fn registry(config: &Config) -> Check {
    let registry = config.registry();
    match pipeline::reach(config, &Deadline::after(config.start_timeout())) {
        Ok(()) => Check::new("registry", Health::Ok, format!("{registry} answers")),
        Err(stop) => Check::failed("registry", Health::Problem, &told(&stop.into())),
    }
}

/// Whether the audit log can be written.
fn writable(config: &Config) -> Check {
    match Ledger::open(config, Activity { command: "doctor", asked: None }) {
        Ok((_, None)) => Check::new("audit log", Health::Ok, "it can be written"),
        Ok((_, Some(notice))) => Check::new("audit log", Health::Warning, notice.message.as_str())
            .advice(format!("`audit: {}` lets smcp go on without it", Audit::BestEffort.as_str())),
        Err(stop) => Check::failed("audit log", Health::Problem, &told(&stop.into())),
    }
}

/// Whether the chain of the newest file holds.
fn chain(world: &World) -> Check {
    let advice = "see `smcp audit verify`";
    let mut parts = match log(world) {
        Ok(parts) => parts,
        Err(failure) => return Check::failed("audit chain", Health::Problem, &failure.message()),
    };
    let newest: &mut [Part] = parts.last_mut().map_or(&mut [], std::slice::from_mut);
    match audit::verify(newest, Bounds { partial: true, ..Bounds::default() }) {
        Ok(found) if found.records == 0 => Check::new("audit chain", Health::Ok, "there are no records yet"),
        Ok(found) => match found.breaks.first() {
            None if surroundings::stands_before(authority::clock(), found.last_time.as_deref()) => {
                let message = "the chain holds, but its last record is of a later time than now";
                Check::new("audit chain", Health::Warning, message).advice("see whether the clock was set back")
            }
            None => {
                let message = format!("it holds: {} records in the newest file", found.records);
                Check::new("audit chain", Health::Ok, message)
            }
            Some(first) => {
                let message = format!("it is broken in line {} of {}: {}", first.line, first.file, first.message);
                Check::new("audit chain", Health::Problem, message).advice(advice)
            }
        },
        Err(error) => Check::failed("audit chain", Health::Problem, &error.to_string()),
    }
}
