//! `smcp doctor`: whether `run` could work here, and if not, why.

mod lockdown;
mod records;
mod rules;
mod surroundings;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_config::Config;
use smcp_model::deadline::Deadline;
use smcp_model::diagnosis::Check;
use smcp_model::diagnosis::Health;
use smcp_model::diagnosis::worst;
use smcp_model::error_chain::error_chain;
use smcp_model::registry::Registry;
use smcp_pipeline as pipeline;
use smcp_pipeline::Session;
use smcp_report::diagnosis;
use smcp_report::json;

/// Look whether `run` could work, and say what to do if not.
///
/// Exits 0 if it could, 1 if not, or if the audit log was changed. It reads the configuration, loads every policy, asks
/// the registry, and writes to the cache and beside the audit log, where it leaves nothing; it starts nothing.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DoctorCommand {}

impl DoctorCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let mut checks = vec![surroundings::versions()];
        match app.session_to_start(None, None) {
            Ok(session) => {
                let config = session.config();
                checks.extend(configuration(config, app.system().now()));
                checks.extend(rules::checks(&session, &mut *app.progress()));
                let deadline = Deadline::after(config.start_timeout());
                checks.push(registry(&session, &deadline));
                checks.push(surroundings::token(&session));
                checks.push(surroundings::cache(&session));
                checks.extend(surroundings::start_timeout(config, &deadline));
                checks.extend(records::checks(app, &session));
            }
            Err(failure) => {
                let message = std::iter::once(failure.message()).chain(failure.details).collect::<Vec<_>>().join("\n");
                let name = if failure.code.starts_with("set-") { "policy set" } else { "configuration" };
                checks.push(Check::failed(name, Health::Problem, &message));
            }
        }
        checks.extend(surroundings::limits());
        checks.extend(surroundings::kernel());
        checks.extend(surroundings::confinement());
        checks.extend(surroundings::compiler(app.system()));
        checks.extend(lockdown::checks(app));
        checks.push(surroundings::clock(app.system().time()));
        let exit = if worst(&checks) == Health::Problem { Exit::USAGE } else { Exit::SUCCESS };
        if app.json() {
            json::write(&diagnosis::document(&checks, exit.code()), &mut app.out())?;
        } else {
            diagnosis::human(&checks, &mut app.out(), &app.output_style())?;
        }
        Ok(exit)
    }
}

/// Checks which layers there are, and where their files are. `now` is in seconds since the Unix epoch.
fn configuration(config: &Config, now: u64) -> Vec<Check> {
    let (layers, sets) = (config.view().layers.into_iter(), pipeline::sets::in_force(config, now));
    layers
        .map(|layer| match (sets.iter().find(|set| set.layer == layer.layer), layer.file) {
            (Some(set), _) => Check::new("policy set", Health::Ok, format!("{} layer: {set}", layer.layer.as_str())),
            (None, Some(file)) => {
                Check::new("configuration", Health::Ok, format!("{} layer: {}", layer.layer.as_str(), file.display()))
            }
            (None, None) => {
                Check::new("configuration", Health::Warning, "there is no configuration; the defaults hold")
                    .advice("`smcp config init` writes a file with every key in it")
            }
        })
        .collect()
}

fn registry(session: &Session, deadline: &Deadline) -> Check {
    let registry = session.config().registry();
    match pipeline::probe_registry(session, deadline) {
        Ok(()) if is_empty(registry) => {
            Check::new("registry", Health::Warning, format!("{registry} is a folder without packages"))
                .advice("publish one with `smcp registry publish`, or name another registry")
        }
        Ok(()) => Check::new("registry", Health::Ok, format!("{registry} answers")),
        Err(error) => Check::failed("registry", Health::Problem, &error_chain(&error)),
    }
}

/// Whether the registry is a folder without packages.
fn is_empty(registry: &Registry) -> bool {
    let Registry::Directory(path) = registry else { return false };
    let packages = authority::open_dir(&path.join("packages")).and_then(|packages| packages.entries());
    packages.map_or(true, |mut packages| packages.next().is_none())
}
