//! `smcp scan --wrap`: puts what npx and uvx start behind smcp.
//!
//! Everything is asked, imported and checked before the first file changes; when one can't be changed, those before it
//! are put back.

use std::path::Path;

use anyhow::anyhow;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::import;
use crate::cli::import::ImportCommand;
use crate::cli::registry::opened;
use crate::cli::scan::ServerFile;
use crate::cli::scan::change::changed_files;
use crate::cli::scan::change::open;
use crate::cli::scan::change::replace_all;
use crate::cli::scan::entry::ClientStart;
use crate::cli::scan::fit::obstacle;
use crate::cli::scan::fit::unfit;
use crate::cli::scan::package;
use crate::cli::scan::package::PackagedLine;
use crate::cli::scan::read::FoundServer;
use crate::cli::scan::shown;
use smcp_authority as authority;
use smcp_model::deadline::Deadline;
use smcp_model::facts::Status;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::scan::shown_name;
use smcp_model::text::SafeText;
use smcp_registry::PackageError;
use smcp_registry::RegistryClient as _;
use smcp_registry::RegistryProblem;
use smcp_report::prompt;
use smcp_report::style::Span;

/// What `--wrap` needs to know.
#[derive(Debug, Args)]
pub(super) struct WrapOptions {
    /// Put what npx and uvx start behind smcp, where the package was imported; asks for each, and keeps a backup
    #[arg(long)]
    wrap: bool,
    /// Import first what was not imported yet
    #[arg(long, requires = "wrap")]
    import: bool,
    /// Your word on who stands behind what is imported: verified, community, or another word, but not official
    #[arg(long, value_name = "ORIGIN", requires = "import", value_parser = import::parse_origin)]
    origin: Option<String>,
    /// Answer every question with yes
    #[arg(long, requires = "wrap")]
    yes: bool,
}

/// A server that can be put behind smcp.
pub(super) struct WrappableServer<'f> {
    pub(super) file: &'f ServerFile,
    /// What other clients have a link to the same file.
    also: Vec<&'f ServerFile>,
    pub(super) server: &'f FoundServer,
    pub(super) line: PackagedLine,
    /// The names of its variables.
    pub(super) variables: Vec<String>,
    /// The package that was imported; `None` when it has to be.
    pub(super) package: Option<PackageRef>,
}

/// What the registry has of what a line starts.
enum KnownImport {
    /// This can be started.
    Ready(PackageRef),
    /// This may not run.
    Refused {
        package: PackageRef,
        status: SafeText,
    },
    /// Versions of which none is the newest.
    NotPublished,
    None,
}

/// A line whose package was imported now, or why it was not.
type ImportedLine = (PackagedLine, Result<PackageRef, String>);

impl WrapOptions {
    /// Whether files are changed.
    pub(super) const fn is_given(&self) -> bool {
        self.wrap
    }

    /// Puts servers behind smcp, when that is asked for. Returns how the command ends if it was interrupted.
    pub(super) fn execute(&self, app: &mut App, found: &[ServerFile]) -> Result<Option<Exit>, Failure> {
        if !self.wrap {
            return Ok(None);
        }
        if !self.yes && !app.terminals().person() {
            return Err(Failure::usage(anyhow!(
                "--wrap asks for each server, and there is nobody to ask: --yes answers"
            )));
        }
        let registry = import::registry(app)?;
        let mut chosen = Vec::new();
        for wrappable in self.wrappable(app, found, &registry)? {
            if self.asked(app, &wrappable)? {
                chosen.push(wrappable);
            }
        }
        // What can be known before is known before anything is imported.
        for WrappableServer { file, .. } in &chosen {
            if let Ok((text, _)) = &file.content {
                open(&file.path, text).map_err(Failure::usage)?;
            }
        }
        let mut done: Vec<ImportedLine> = Vec::new();
        for wrappable in chosen.iter_mut().filter(|wrappable| wrappable.package.is_none()) {
            match self.import_for(app, &wrappable.line, &mut done) {
                Ok(Ok(package)) => wrappable.package = Some(package),
                Ok(Err(why)) => wrappable.stays(app, &why),
                Err(exit) => {
                    app.notice("no file was changed");
                    return Ok(Some(exit));
                }
            }
        }
        chosen.retain(|wrappable| wrappable.package.is_some());
        let changed = changed_files(app, found, &chosen)?;
        let backups = replace_all(&changed).map_err(Failure::usage)?;
        for wrappable in &chosen {
            let WrappableServer { file, also, server, package, .. } = wrappable;
            let replaced = changed.iter().zip(&backups).find(|(it, _)| it.file.real == file.real);
            let backup = replaced.and_then(|(_, backup)| backup.as_ref());
            let readers = || std::iter::once(file).chain(also);
            let rows = [
                Some(("file", Span::plain(file.path.display().to_string()))),
                backup.map(|backup| ("backup", Span::plain(backup.display().to_string()))),
            ];
            let next = readers().map(|file| ("next", Span::plain(file.profile.reload)));
            let rows: Vec<_> = rows.into_iter().flatten().chain(next).collect();
            let reference = package.as_ref().map(ToString::to_string).unwrap_or_default();
            let name = shown_name(&server.name);
            let clients: Vec<_> = readers().map(|file| file.profile.name).collect();
            app.done(&format!("{name} in {} starts {reference} through smcp", clients.join(" and ")), &rows)?;
        }
        Ok(None)
    }

    /// Returns what can be put behind smcp, and says why the rest of what npx and uvx start can't.
    fn wrappable<'f>(
        &self,
        app: &App,
        found: &'f [ServerFile],
        registry: &Registry,
    ) -> Result<Vec<WrappableServer<'f>>, Failure> {
        let mut wrappable: Vec<WrappableServer<'f>> = Vec::new();
        let mut left: Vec<(&Path, &[String])> = Vec::new();
        for file in found {
            let Ok((_, servers)) = &file.content else { continue };
            for server in servers.iter().filter(|server| server.off.is_none()) {
                let ClientStart::Command { words, variables, has_file, .. } = ClientStart::of(&server.entry) else {
                    continue;
                };
                let line = shown::whole_line(&words);
                if package::fetcher(line.as_ref().unwrap_or(&words)).is_none() {
                    continue;
                }
                let variables: Vec<_> = variables.into_iter().map(|(name, _)| name).collect();
                let unfit = unfit(file, server, &words, &variables, has_file);
                let judged = match unfit.map_or_else(|| obstacle(app, file, server), |why| Ok(Some(why)))? {
                    Some(why) => Err(why),
                    None => self.judged(&words, registry)?,
                };
                let place = (file.real.as_path(), server.keys.as_slice());
                let known = wrappable.iter().position(|it| (it.file.real.as_path(), &*it.server.keys) == place);
                match (judged, known) {
                    // What one client can't have, none gets by its link.
                    (Ok(_), None) if left.contains(&place) => {}
                    (Ok(_), Some(at)) => wrappable.get_mut(at).into_iter().for_each(|it| it.also.push(file)),
                    (Ok((line, package)), None) => {
                        let also = Vec::new();
                        wrappable.push(WrappableServer { file, also, server, line, variables, package });
                    }
                    (Err(why), known) => {
                        left.push(place);
                        known.map(|at| wrappable.remove(at));
                        stays(app, file, server, &why);
                    }
                }
            }
        }
        Ok(wrappable)
    }

    /// Returns the package of a line, or why it can't be put behind smcp.
    fn judged(
        &self,
        words: &[String],
        registry: &Registry,
    ) -> Result<Result<(PackagedLine, Option<PackageRef>), String>, Failure> {
        let line = match PackagedLine::of(words) {
            Ok(line) => line,
            Err(why) => return Ok(Err(why.to_owned())),
        };
        let what = match &line.bin {
            Some(bin) => format!("the program `{}` of {}", SafeText::quoted(bin), line.source),
            None => line.source.to_string(),
        };
        Ok(match imported(registry, &line)? {
            KnownImport::Ready(package) => Ok((line, Some(package))),
            KnownImport::Refused { package, status } => Err(format!(
                "{package} was imported and is {status} now: `smcp import --status` is what says otherwise"
            )),
            KnownImport::NotPublished | KnownImport::None if self.import => Ok((line, None)),
            KnownImport::NotPublished => Err(format!(
                "{what} was imported, and no version of it is published and SemVer: --import looks for the newest one"
            )),
            KnownImport::None => Err(format!("{what} was not imported: --import does that first")),
        })
    }

    /// Imports what a line starts, once for all lines that start the same. Returns why it can't be, or how the command ends if it
    /// was interrupted.
    fn import_for(
        &self,
        app: &mut App,
        line: &PackagedLine,
        done: &mut Vec<ImportedLine>,
    ) -> Result<Result<PackageRef, String>, Exit> {
        if let Some((_, outcome)) = done.iter().find(|(it, _)| it.source == line.source && it.bin == line.bin) {
            return Ok(outcome.clone());
        }
        // No variables: a version has one content, whichever client has it imported.
        let command = ImportCommand::of(line.source.clone(), line.bin.clone(), self.origin.clone());
        let outcome = match command.import(app) {
            Ok(Ok((_, imported, published))) => {
                let remarks = imported.remarks.iter().chain(&published.remarks);
                remarks.for_each(|remark| app.notice(remark.as_str()));
                Ok(PackageRef { id: imported.id, selector: Selector::Exact(imported.version) })
            }
            Ok(Err(exit)) => return Err(exit),
            Err(failure) => Err(failure.whole_message()),
        };
        done.push((line.clone(), outcome.clone()));
        Ok(outcome)
    }

    /// Asks whether a server is to be put behind smcp.
    fn asked(&self, app: &App, wrappable: &WrappableServer<'_>) -> Result<bool, Failure> {
        if self.yes {
            return Ok(true);
        }
        let WrappableServer { file, server, line, package, .. } = wrappable;
        let becomes = match package {
            Some(package) => format!("start {package} through smcp"),
            None => format!("import {}, and start it through smcp", line.source),
        };
        let name = shown_name(&server.name);
        let question = format!("{name} in {}: {becomes}?", file.path.display());
        let mut input = (app.system().stdin)()?;
        let answer = prompt::question(&question, &mut input, &mut app.err());
        answer.ok_or_else(|| Failure::usage(anyhow!("the question was not answered; nothing was changed")))
    }
}

/// Returns the package that was imported for a line: its version where the line names one, else the newest.
fn imported(registry: &Registry, line: &PackagedLine) -> Result<KnownImport, Failure> {
    let Registry::Directory(path) = registry else { return Ok(KnownImport::None) };
    if !authority::exists(path).unwrap_or_default() {
        return Ok(KnownImport::None);
    }
    let selector = match line.source.version().map(str::parse) {
        None => Selector::Latest,
        Some(Ok(version)) => Selector::Exact(version),
        // A tag or a range: what it means today, only its registry knows.
        Some(Err(_)) => return Ok(KnownImport::None),
    };
    let ids = match &line.bin {
        Some(bin) => line.source.program_ids(bin),
        None => line.source.package_id().into_iter().collect(),
    };
    let registry = opened(registry, path)?;
    let mut known = KnownImport::None;
    for id in ids {
        let wanted = PackageRef { id, selector: selector.clone() };
        match registry.resolve(&wanted, &Deadline::none()) {
            Ok(Resolution { id, version, facts, .. }) => {
                let package = PackageRef { id, selector: Selector::Exact(version) };
                return Ok(match facts.status {
                    Some(Status::Refused(word)) => KnownImport::Refused { package, status: SafeText::quoted(&word) },
                    Some(Status::Published | Status::Deprecated) | None => KnownImport::Ready(package),
                });
            }
            Err(PackageError::Registry(error)) => {
                let has_versions = matches!(error.problem, RegistryProblem::NoSuchVersion { .. });
                if has_versions && selector == Selector::Latest {
                    known = KnownImport::NotPublished;
                }
            }
            Err(_) => {}
        }
    }
    Ok(known)
}

impl WrappableServer<'_> {
    fn stays(&self, app: &App, why: &str) {
        stays(app, self.file, self.server, why);
    }
}

/// Says of a server that it stays as it is.
fn stays(app: &App, file: &ServerFile, server: &FoundServer, why: &str) {
    let name = shown_name(&server.name);
    app.notice(&format!("{name} in {} stays as it is: {why}", file.path.display()));
}
