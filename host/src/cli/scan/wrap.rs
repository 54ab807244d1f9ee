//! `smcp scan --wrap`: puts what npx and uvx start behind smcp.
//!
//! Everything is asked, imported and checked before the first file changes; when one can't be changed, those before it
//! are put back.

use std::path::Path;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;

use crate::cli::app::App;
use crate::cli::client::EXTENSION;
use crate::cli::client::line::SmcpLine;
use crate::cli::client::merge::ClientCommand;
use crate::cli::client::merge::FileFormat;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::import;
use crate::cli::import::ImportCommand;
use crate::cli::registry::opened;
use crate::cli::scan::ServerFile;
use crate::cli::scan::entry::ClientStart;
use crate::cli::scan::package;
use crate::cli::scan::package::PackagedLine;
use crate::cli::scan::read;
use crate::cli::scan::read::FoundServer;
use crate::cli::scan::replace::ChangedFile;
use crate::cli::scan::replace::open;
use crate::cli::scan::replace::replace_all;
use crate::cli::scan::shown;
use crate::cli::scan::sort;
use smcp_authority as authority;
use smcp_import::ImportSource;
use smcp_model::code_variable::changes_code;
use smcp_model::deadline::Deadline;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::scan::Scope;
use smcp_model::text::SafeText;
use smcp_registry::RegistryClient as _;
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
struct WrappableServer<'f> {
    file: &'f ServerFile,
    /// What other clients have a link to the same file.
    also: Vec<&'f ServerFile>,
    server: &'f FoundServer,
    line: PackagedLine,
    /// The names of its variables.
    variables: Vec<String>,
    /// The package that was imported; `None` when it has to be.
    package: Option<PackageRef>,
}

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
        let mut done: Vec<(PackagedLine, PackageRef)> = Vec::new();
        for wrappable in chosen.iter_mut().filter(|wrappable| wrappable.package.is_none()) {
            let line = &wrappable.line;
            let same = |(it, _): &&(PackagedLine, _)| it.source == line.source && it.bin == line.bin;
            if let Some((_, package)) = done.iter().find(same) {
                wrappable.package = Some(package.clone());
                continue;
            }
            // No variables: a version has one content, whichever client has it imported.
            match ImportCommand::of(line.source.clone(), line.bin.clone(), self.origin.clone()).import(app)? {
                Ok((_, imported, published)) => {
                    let remarks = imported.remarks.iter().chain(&published.remarks);
                    remarks.for_each(|remark| app.notice(remark.as_str()));
                    let selector = Selector::Exact(imported.version.clone());
                    let package = PackageRef { id: imported.id.clone(), selector };
                    done.push((line.clone(), package.clone()));
                    wrappable.package = Some(package);
                }
                Err(exit) => return Ok(Some(exit)),
            }
        }
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
            let name = SafeText::quoted_value(&server.name);
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
                let ClientStart::Command { words, variables, has_file } = ClientStart::of(&server.entry) else {
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
                        app.notice(&format!(
                            "{} in {} stays as it is: {why}",
                            SafeText::quoted_value(&server.name),
                            file.path.display()
                        ));
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
        let Some(line) = PackagedLine::of(words) else {
            return Ok(Err("a word of its command is not understood".to_owned()));
        };
        let package = imported(registry, &line.source)?;
        Ok(match package {
            // Which program of several was imported, nothing says.
            Some(package) if line.bin.is_none() => Ok((line, Some(package))),
            _ if self.import => Ok((line, None)),
            Some(_) => Err("it names a program of its package: --import imports that one".to_owned()),
            None => Err(format!("{} was not imported: --import does that first", line.source)),
        })
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
        let name = SafeText::quoted_value(&server.name);
        let question = format!("{name} in {}: {becomes}?", file.path.display());
        let mut input = (app.system().stdin)()?;
        let answer = prompt::question(&question, &mut input, &mut app.err());
        answer.ok_or_else(|| Failure::usage(anyhow!("the question was not answered; nothing was changed")))
    }
}

/// Returns why a server can't be put behind smcp whatever its package is.
fn unfit(
    file: &ServerFile,
    server: &FoundServer,
    words: &[String],
    variables: &[String],
    has_file: bool,
) -> Option<String> {
    if file.row.scope() == Scope::Managed || file.row.sections == EXTENSION {
        return Some("the file is not yours to change by hand".to_owned());
    }
    if file.row.format == FileFormat::Yaml {
        return Some("smcp changes no YAML, because it could not keep comments and layout".to_owned());
    }
    if shown::whole_line(words).is_some() {
        return Some("its `command` is a whole line, and no program".to_owned());
    }
    if has_file {
        return Some("its `envFile` has variables that smcp does not know to pass on".to_owned());
    }
    // A package starts in the folder of its bundle.
    if server.entry.get("cwd").is_some_and(|folder| !folder.is_null()) {
        return Some("its `cwd` would not be the folder that it starts in".to_owned());
    }
    if words.iter().skip(1).any(|word| is_relative(word)) {
        return Some("an argument is a path below the folder that it starts in, which would be another".to_owned());
    }
    let is_name = |name: &&String| !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if let Some(name) = variables.iter().find(|name| !is_name(name)) {
        return Some(format!("it has a variable with the name `{}`", SafeText::quoted_value(name)));
    }
    if let Some(name) = variables.iter().find(|name| changes_code(name)) {
        return Some(sort::code_changed(name));
    }
    if let Some(name) = variables.iter().find(|name| name.starts_with("SMCP_")) {
        return Some(format!("the variable {} would change smcp itself", SafeText::quoted_value(name)));
    }
    None
}

/// Whether an argument, or the value of an option, is the path of something in the folder that a server starts in.
fn is_relative(word: &str) -> bool {
    let path = word.split_once('=').map_or(word, |(_, value)| value);
    [".", ".."].contains(&path) || path.starts_with("./") || path.starts_with("../")
}

/// Whether a file has a server that can be put behind smcp, as far as its words tell.
pub(super) fn is_wrappable(file: &ServerFile) -> bool {
    let fits = |server: &FoundServer| match ClientStart::of(&server.entry) {
        ClientStart::Command { words, variables, has_file } if server.off.is_none() => {
            let variables: Vec<_> = variables.into_iter().map(|(name, _)| name).collect();
            PackagedLine::of(&words).is_some() && unfit(file, server, &words, &variables, has_file).is_none()
        }
        ClientStart::Command { .. } | ClientStart::Url(_) | ClientStart::BuiltIn(_) | ClientStart::Unknown(_) => false,
    };
    file.content.as_ref().is_ok_and(|(_, servers)| servers.iter().any(fits))
}

/// Returns why the place of a server takes no line of smcp.
fn obstacle(app: &App, file: &ServerFile, server: &FoundServer) -> Result<Option<String>, Failure> {
    let own = SmcpLine::of(app, &[], "")?;
    if let Err(failure) = own.check_expansion(&file.profile) {
        return Ok(Some(failure.message().lines().next().unwrap_or_default().to_owned()));
    }
    // Whether the layout takes another command does not depend on its words.
    let command = ClientCommand { program: own.program, args: own.args };
    let text = file.content.as_ref().map_or("", |(text, _)| text);
    Ok(file.row.format.rewrite(text, &server.keys, &command).err().map(|error| error.to_string()))
}

/// Returns the package that was imported from a source: its version where the source names one, else the newest.
fn imported(registry: &Registry, source: &ImportSource) -> Result<Option<PackageRef>, Failure> {
    let (Registry::Directory(path), Some(id)) = (registry, source.package_id()) else { return Ok(None) };
    if !authority::exists(path).unwrap_or_default() {
        return Ok(None);
    }
    let selector = match source.version().map(str::parse) {
        None => Selector::Latest,
        Some(Ok(version)) => Selector::Exact(version),
        // A tag or a range: what it means today, only its registry knows.
        Some(Err(_)) => return Ok(None),
    };
    let wanted = PackageRef { id, selector };
    let Ok(resolution) = opened(registry, path)?.resolve(&wanted, &Deadline::none()) else { return Ok(None) };
    Ok(Some(PackageRef { id: wanted.id, selector: Selector::Exact(resolution.version) }))
}

/// Returns the new text of every file that changes, each read again to see whether it says what it should.
fn changed_files<'f>(
    app: &App,
    found: &'f [ServerFile],
    chosen: &[WrappableServer<'_>],
) -> Result<Vec<ChangedFile<'f>>, Failure> {
    let mut changed: Vec<ChangedFile<'_>> = Vec::new();
    for file in found {
        let Ok((old, _)) = &file.content else { continue };
        if changed.iter().any(|it| it.file.real == file.real) {
            continue;
        }
        let unchanged = || format!("{} was not changed, and no other file", file.path.display());
        let mut new = old.clone();
        let mut commands = Vec::new();
        for wrappable in chosen.iter().filter(|wrappable| wrappable.file.real == file.real) {
            let command = command_of(app, wrappable)?;
            let keys = &wrappable.server.keys;
            new = file.row.format.rewrite(&new, keys, &command).with_context(unchanged).map_err(Failure::usage)?;
            commands.push((keys, command));
        }
        if new == *old {
            continue;
        }
        for reader in found.iter().filter(|it| it.real == file.real) {
            let Ok((_, servers)) = &reader.content else { continue };
            let mut expected = servers.clone();
            for server in &mut expected {
                let command = commands.iter().find(|(keys, _)| **keys == server.keys);
                command.iter().for_each(|(_, command)| command.put_into(&mut server.entry));
            }
            let read = read::document(&new, reader.row.format)
                .and_then(|document| read::servers(&document, &reader.profile, &reader.row));
            if read.as_ref() != Ok(&expected) {
                let error = anyhow!("it would not say what it should").context(unchanged());
                return Err(Failure::usage(error));
            }
        }
        changed.push(ChangedFile { file, old, new });
    }
    Ok(changed)
}

/// Returns the line of smcp that takes the place of another.
fn command_of(app: &App, wrappable: &WrappableServer<'_>) -> Result<ClientCommand, Failure> {
    let WrappableServer { file, line, variables, package, .. } = wrappable;
    // The server gets what the client has given it until now, whatever its manifest asks for.
    let options: Vec<_> = variables.iter().flat_map(|name| ["--env".to_owned(), name.clone()]).collect();
    let reference = package.as_ref().map(ToString::to_string).unwrap_or_default();
    let own = SmcpLine::of(app, &options, &reference)?;
    own.check_expansion(&file.profile)?;
    let SmcpLine { program, mut args } = own;
    if !line.args.is_empty() {
        args.push("--".to_owned());
        args.extend(line.args.iter().cloned());
    }
    Ok(ClientCommand { program, args })
}
