//! Where clients have their files: of a user, a project, and the machine.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::client::Profile;
use crate::cli::client::merge::FileFormat;
use smcp_authority as authority;
use smcp_model::scan::Scope;

/// The most folders that `**` stands for: more than anybody has agents in, and an end for links that lead in a circle.
const FOLDERS: usize = 1_000;

/// Where a user's files are, and those of the machine.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Folders {
    /// `HOME`.
    pub(in crate::cli) home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, when it is an absolute path.
    pub(in crate::cli) xdg_config: Option<PathBuf>,
    /// `CLAUDE_CONFIG_DIR`, when it is an absolute path.
    pub(in crate::cli) claude_config: Option<PathBuf>,
    /// `CODEX_HOME`, when it is an absolute path.
    pub(in crate::cli) codex_home: Option<PathBuf>,
    /// The machine's settings: `/etc`.
    pub(in crate::cli) machine: PathBuf,
    /// Whether applications keep their files where macOS has them.
    pub(in crate::cli) macos: bool,
}

impl Folders {
    /// Returns those of this user and machine.
    pub(in crate::cli) fn of(app: &App) -> Self {
        let folder = |name| app.system().variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
        let places = app.places();
        Self {
            home: places.home.clone(),
            xdg_config: folder("XDG_CONFIG_HOME"),
            claude_config: folder("CLAUDE_CONFIG_DIR"),
            codex_home: folder("CODEX_HOME"),
            // smcp's own settings are in it, too.
            machine: places.system_folder.parent().unwrap_or(Path::new("/")).to_owned(),
            macos: cfg!(target_os = "macos"),
        }
    }
}

/// In which folders above its own a client looks for the files of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ProjectReach {
    /// Up to the root of the repository; outside one it looks in its own folder alone.
    Repository,
    /// Up to the root of the repository; outside one in every folder.
    RepositoryOrAll,
    /// In every folder.
    All,
}

impl ProjectReach {
    /// Returns the folders with the files of the project that `folder` is in, itself first.
    pub(in crate::cli) fn folders(self, folder: &Path) -> Vec<PathBuf> {
        // What stands before `..` is not above it.
        let real = folder.components().any(|part| part == Component::ParentDir).then(|| authority::resolve(folder));
        let folder = real.and_then(Result::ok).unwrap_or_else(|| folder.to_owned());
        let folder = folder.as_path();
        let is_root = |folder: &&Path| authority::exists(&folder.join(".git")).unwrap_or_default();
        let root = if self == Self::All { None } else { folder.ancestors().find(is_root) };
        let last = match (root, self) {
            (Some(root), _) => root,
            (None, Self::Repository) => folder,
            (None, Self::RepositoryOrAll | Self::All) => Path::new("/"),
        };
        folder.ancestors().take_while(|above| above.starts_with(last)).map(Path::to_owned).collect()
    }
}

/// Where a file with a client's servers is. A `*` in it is any text of a name, and `**` any folders below each other.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum FileLocation {
    /// In the home.
    Home(&'static str),
    /// In `XDG_CONFIG_HOME` or `~/.config`, on macOS as well.
    Config(&'static str),
    /// Where applications keep their files: as [`Self::Config`], and in `~/Library/Application Support` on macOS.
    Application(&'static str),
    /// In `CLAUDE_CONFIG_DIR` or the home.
    Claude(&'static str),
    /// In `CLAUDE_CONFIG_DIR` or `~/.claude`.
    ClaudeFolder(&'static str),
    /// In `CODEX_HOME` or `~/.codex`.
    Codex(&'static str),
    /// In the folder of a project.
    Project(&'static str),
    /// In `/etc`, on macOS as well.
    Machine(&'static str),
    /// In `/etc`, and in `/Library/Application Support` on macOS.
    MachineApplication {
        /// Below `/etc`.
        linux: &'static str,
        /// Below `/Library/Application Support`.
        macos: &'static str,
    },
}

/// A file in which a client may have servers.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct FileRow {
    /// Where it is.
    pub(in crate::cli) place: FileLocation,
    /// Its format.
    pub(in crate::cli) format: FileFormat,
    /// The keys that lead to each mapping of servers in it; `*` is any key, and names the project.
    pub(in crate::cli) sections: &'static [&'static [&'static str]],
}

impl FileRow {
    /// A JSON file with one mapping of servers at its top.
    pub(super) const fn json(place: FileLocation, sections: &'static [&'static [&'static str]]) -> Self {
        Self { place, format: FileFormat::Json, sections }
    }

    /// Whose file it is.
    pub(in crate::cli) const fn scope(&self) -> Scope {
        match self.place {
            FileLocation::Home(_)
            | FileLocation::Config(_)
            | FileLocation::Application(_)
            | FileLocation::Claude(_)
            | FileLocation::ClaudeFolder(_)
            | FileLocation::Codex(_) => Scope::User,
            FileLocation::Project(_) => Scope::Project,
            FileLocation::Machine(_) | FileLocation::MachineApplication { .. } => Scope::Managed,
        }
    }

    /// Returns its path; `None` when the folder is not known. `project` is the folder of a project.
    pub(in crate::cli) fn path(&self, folders: &Folders, project: &Path) -> Option<PathBuf> {
        let home = |below: &str| folders.home.as_ref().map(|home| home.join(below));
        let config = || folders.xdg_config.clone().or_else(|| home(".config"));
        let (folder, below) = match self.place {
            FileLocation::Home(below) => (home(""), below),
            FileLocation::Config(below) => (if folders.macos { home(".config") } else { config() }, below),
            FileLocation::Application(below) if folders.macos => (home("Library/Application Support"), below),
            FileLocation::Application(below) => (config(), below),
            FileLocation::Claude(below) => (folders.claude_config.clone().or_else(|| home("")), below),
            FileLocation::ClaudeFolder(below) => (folders.claude_config.clone().or_else(|| home(".claude")), below),
            FileLocation::Codex(below) => (folders.codex_home.clone().or_else(|| home(".codex")), below),
            FileLocation::Project(below) => (Some(project.to_owned()), below),
            FileLocation::MachineApplication { macos, .. } if folders.macos => {
                (Some(PathBuf::from("/Library/Application Support")), macos)
            }
            FileLocation::Machine(below) | FileLocation::MachineApplication { linux: below, .. } => {
                (Some(folders.machine.clone()), below)
            }
        };
        folder.map(|folder| folder.join(below))
    }

    /// Returns every path that it stands for: one for each name where it has a `*`. With a folder that can't be listed
    /// comes the system's error.
    pub(in crate::cli) fn paths(&self, folders: &Folders, project: &Path) -> Vec<(PathBuf, Option<io::Error>)> {
        let mut found = vec![(PathBuf::new(), None)];
        for part in self.path(folders, project).iter().flat_map(|path| path.iter()) {
            found = found.into_iter().flat_map(|(folder, problem)| below(folder, problem, part)).collect();
        }
        found.retain(|(path, _)| path.is_absolute());
        found
    }
}

/// Returns what one part of a path stands for in a folder.
fn below(folder: PathBuf, problem: Option<io::Error>, part: &OsStr) -> Vec<(PathBuf, Option<io::Error>)> {
    if problem.is_some() {
        return vec![(folder, problem)];
    }
    if part == "**" {
        return tree(folder);
    }
    let Some((begin, end)) = part.to_str().and_then(|part| part.split_once('*')) else {
        return vec![(folder.join(part), None)];
    };
    match authority::names(&folder) {
        Ok(mut names) => {
            names.sort();
            let rest =
                |name: &OsString| Some(name.as_bytes().strip_prefix(begin.as_bytes())?.ends_with(end.as_bytes()));
            names.retain(|name| rest(name) == Some(true));
            names.into_iter().map(|name| (folder.join(name), None)).collect()
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Vec::new(),
        Err(error) => vec![(folder, Some(error))],
    }
}

/// Returns a folder and every folder below it, those that links lead to included.
fn tree(folder: PathBuf) -> Vec<(PathBuf, Option<io::Error>)> {
    let (mut waiting, mut found) = (vec![folder], Vec::new());
    while let Some(folder) = waiting.pop() {
        if found.len() >= FOLDERS {
            let problem = io::Error::other(format!("more than {FOLDERS} folders are there"));
            found.push((folder, Some(problem)));
            break;
        }
        match authority::names(&folder) {
            Ok(names) => {
                waiting.extend(names.iter().map(|name| folder.join(name)));
                found.push((folder, None));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => found.push((folder, Some(error))),
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

impl Profile {
    /// Returns the user's own file, for all their projects; `None` when the home is not known.
    pub(in crate::cli) fn file(&self, folders: &Folders) -> Option<PathBuf> {
        self.main.path(folders, Path::new(""))
    }

    /// Every file in which it may have servers.
    pub(in crate::cli) fn files(&self) -> impl Iterator<Item = FileRow> + use<> {
        std::iter::once(self.main).chain(self.more.iter().copied())
    }

    /// The format of the user's own file.
    pub(in crate::cli) const fn format(&self) -> FileFormat {
        self.main.format
    }

    /// The key of the mapping of servers in the user's own file.
    pub(super) fn section(&self) -> &'static str {
        self.main.sections.first().and_then(|keys| keys.first()).copied().unwrap_or_default()
    }
}
