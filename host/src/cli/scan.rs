//! `smcp scan`: which servers clients start, and whether smcp starts them.
//!
//! It reads the files of clients, starts nothing, and sends nothing; `wrap` alone changes files, when it is asked to.

mod change;
mod entry;
mod fit;
mod package;
mod read;
mod shown;
mod sort;
mod wrap;

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;
use clap::ValueEnum;
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::client::Client;
use crate::cli::client::EXTENSION;
use crate::cli::client::Profile;
use crate::cli::client::file;
use crate::cli::client::place::FileRow;
use crate::cli::client::place::Folders;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::AnswerFormat;
use crate::cli::scan::entry::ClientStart;
use crate::cli::scan::read::FoundServer;
use crate::cli::scan::sort::Sorter;
use crate::cli::scan::wrap::WrapOptions;
use smcp_authority as authority;
use smcp_model::ownership::Ownership;
use smcp_model::scan::FailOn;
use smcp_model::scan::MachineScan;
use smcp_model::scan::ScannedFile;
use smcp_model::scan::ScannedServer;
use smcp_model::scan::Scope;
use smcp_model::text::SafeText;
use smcp_report::json;
use smcp_report::scan;

/// See which servers the clients on this machine start, and whether smcp starts them.
///
/// It reads the files of every client it knows, for this user, for projects, and for the machine. It starts nothing and
/// sends nothing: what the policies say of a package is said from what is on this machine. Exits 1 when a server is
/// started past smcp, or a file can't be read. With --wrap it changes the files of clients, and with --import it has npm
/// or pip fetch packages first.
#[derive(Debug, Args)]
pub(super) struct ScanCommand {
    /// Only this client; may be given more than once
    #[arg(long, value_enum, value_name = "CLIENT")]
    client: Vec<Client>,
    /// A folder of a project, whose files are read up to the root of its repository; may be given more than once [default:
    /// the working directory]
    #[arg(long, value_name = "DIR")]
    dir: Vec<PathBuf>,
    /// What exits 1: ungated (started past smcp), or unpinned (also through smcp in whatever version is newest)
    #[arg(long, value_name = "WHAT", value_enum, default_value = "ungated", hide_possible_values = true)]
    fail_on: FailOnArgument,
    /// The form of the answer: human, json (as --json), or sarif (2.1.0)
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<AnswerFormat>,
    #[command(flatten)]
    wrap: WrapOptions,
}

/// What `--fail-on` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOnArgument {
    /// A server that is started past smcp.
    Ungated,
    /// That, and one that smcp starts in whatever version is newest.
    Unpinned,
}

/// A file of a client that is there.
struct ServerFile {
    client: Client,
    profile: Profile,
    row: FileRow,
    path: PathBuf,
    /// The same, with every link resolved: several clients may have links to one file.
    real: PathBuf,
    /// Its text, and the servers in it.
    content: Result<(String, Vec<FoundServer>), SafeText>,
}

impl ScanCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if self.format == Some(AnswerFormat::Junit) {
            return Err(Failure::usage(anyhow!("scan answers as human, json or sarif")));
        }
        app.answer_in(self.format)?;
        let mut found = self.found(app)?;
        if let Some(exit) = self.wrap.execute(app, &found)? {
            return Ok(exit);
        }
        if self.wrap.is_given() {
            found = self.found(app)?;
        }
        let sorter = Sorter::new(app);
        let judge = || found.iter().map(|file| scanned(file, &sorter)).collect();
        let files = match user(app) {
            None => judge(),
            Some(owner) => {
                let whose = format!("the home belongs to the user with uid {}", owner.uid);
                app.notice(&format!("{whose}: what is said is what that user gets"));
                let judged = authority::acting_as(owner, judge);
                judged
                    .map_err(|error| Failure::usage(anyhow!("{whose}, and can't be scanned for that user: {error}")))?
            }
        };
        let fail_on = match self.fail_on {
            FailOnArgument::Ungated => FailOn::Ungated,
            FailOnArgument::Unpinned => FailOn::Unpinned,
        };
        let scan = MachineScan { files, fail_on, wrappable: found.iter().any(fit::is_wrappable) };
        let exit = if scan.failed() { Exit::USAGE } else { Exit::SUCCESS };
        match app.format() {
            AnswerFormat::Json => json::write(&scan::document(&scan, exit.code()), &mut app.out())?,
            AnswerFormat::Sarif => {
                let root = &app.places().working_directory;
                json::write(&scan::sarif::log(&scan, root, exit.code()), &mut app.out())?;
            }
            AnswerFormat::Human | AnswerFormat::Junit => {
                scan::human(&scan, &mut app.out(), &app.output_style())?;
            }
        }
        Ok(exit)
    }

    /// Returns every file that is there.
    fn found(&self, app: &App) -> Result<Vec<ServerFile>, Failure> {
        let folders = Folders::of(app);
        let here = [app.places().working_directory.clone()];
        if folders.home.is_none() {
            let unknown = "HOME is not an absolute path, so the files of clients can't be found";
            return Err(Failure::usage(anyhow!(unknown)));
        }
        let projects: Vec<PathBuf> = self.dir.iter().map(|dir| project(app, dir)).collect::<Result<_, _>>()?;
        let projects = if projects.is_empty() { here.as_slice() } else { &projects };
        let nowhere = [PathBuf::new()];
        let mut found: Vec<ServerFile> = Vec::new();
        for client in Client::value_variants() {
            if !self.client.is_empty() && !self.client.contains(client) {
                continue;
            }
            let profile = client.profile();
            let climbed: Vec<_> = projects.iter().flat_map(|folder| profile.reach.folders(folder)).collect();
            for row in profile.files() {
                let projects = if row.scope() == Scope::Project { &climbed } else { &nowhere[..] };
                for (path, problem) in projects.iter().flat_map(|project| row.paths(&folders, project)) {
                    // The home may be the folder of a project.
                    let is_known = found.iter().any(|file| file.client == *client && file.path == path);
                    let content = match problem {
                        Some(error) => Some(Err(SafeText::one_line(&error.to_string()))),
                        None => content(&path, &profile, &row),
                    };
                    if let Some(content) = content.filter(|_| !is_known) {
                        let real = authority::resolve(&path).unwrap_or_else(|_| path.clone());
                        found.push(ServerFile { client: *client, profile, row, path, real, content });
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Returns a folder that `--dir` names. One that is not there has no files, and nothing would be wrong with it.
fn project(app: &App, dir: &Path) -> Result<PathBuf, Failure> {
    let path = app.path(dir)?;
    authority::open_dir(&path)
        .with_context(|| format!("while reading --dir {}", dir.display()))
        .map_err(Failure::usage)?;
    Ok(path)
}

/// Returns the user whose home root scans.
fn user(app: &App) -> Option<Ownership> {
    let owner = authority::ownership(app.places().home.as_ref()?)?;
    (authority::caller().uid() == 0 && owner.uid != 0).then_some(owner)
}

/// Returns what is in a file; `None` when there is none.
fn content(path: &Path, profile: &Profile, row: &FileRow) -> Option<Result<(String, Vec<FoundServer>), SafeText>> {
    let text = match read::text(path) {
        Ok(text) => text?,
        Err(problem) => return Some(Err(problem)),
    };
    let servers = read::document(&text, row.format).and_then(|document| read::servers(&document, profile, row));
    Some(servers.map(|mut servers| {
        if row.sections == EXTENSION && is_switched_off(path) {
            servers.iter_mut().for_each(|server| server.off = Some(SafeText::new("isEnabled: false")));
        }
        (text, servers)
    }))
}

/// Whether the client's settings switch an installed MCP bundle off: they lie beside the folder of all bundles.
fn is_switched_off(manifest: &Path) -> bool {
    let settings = || {
        let bundle = manifest.parent()?;
        let mut name = bundle.file_name()?.to_owned();
        name.push(".json");
        let file = bundle.parent()?.with_file_name("Claude Extensions Settings").join(name);
        let text = read::text(&file).ok()??;
        let document: Value = serde_json::from_str(&text).ok()?;
        document.get("isEnabled")?.as_bool()
    };
    settings() == Some(false)
}

fn scanned(file: &ServerFile, sorter: &Sorter<'_>) -> ScannedFile {
    let ServerFile { client, profile, row, path, real, content } = file;
    let (problem, servers) = match content {
        Ok((text, servers)) => {
            let keys: Vec<&[String]> = servers.iter().map(|server| server.keys.as_slice()).collect();
            let lines = row.format.lines(text, &keys);
            (None, servers.iter().zip(lines).map(|(server, line)| sorted(server, line, sorter)).collect())
        }
        Err(problem) => (Some(problem.clone()), Vec::new()),
    };
    let client = client.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    ScannedFile {
        client,
        client_name: profile.name,
        scope: row.scope(),
        path: path.display().to_string(),
        link: (real != path).then(|| SafeText::quoted(&real.display().to_string())),
        exposure: file::exposure(path).iter().map(|exposed| SafeText::new(exposed)).collect(),
        problem,
        servers,
    }
}

fn sorted(server: &FoundServer, line: usize, sorter: &Sorter<'_>) -> ScannedServer {
    let FoundServer { name, project, keys: _, entry, off } = server;
    let started = ClientStart::of(entry);
    ScannedServer {
        name: SafeText::quoted_value(name),
        project: project.as_deref().map(SafeText::quoted),
        line,
        off: off.clone(),
        way: sorter.way(&started),
        variables: started.variable_names().into_iter().map(SafeText::quoted_value).collect(),
    }
}
