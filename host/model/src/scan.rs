//! What `scan` finds in the files of clients: servers, and who starts them.

use crate::text::SafeText;
use crate::word::serialize_as_word;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A user's, for all their projects.
    User,
    /// A project's, or what a user's file has for one project.
    Project,
    /// Of whoever manages the machine.
    Managed,
}

impl Scope {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Project => "project",
            Self::Managed => "managed",
        }
    }
}

serialize_as_word!(Scope);

/// How a server is started that smcp does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastKind {
    /// By a program that fetches from npm.
    Npx,
    /// By a program that fetches from PyPI.
    Uvx,
    /// In a container.
    Docker,
    /// By another command.
    Command,
    /// Elsewhere, behind a URL.
    Url,
    /// It is a part of the client, and no program of its own.
    BuiltIn,
    /// What the file says is not understood.
    Unknown,
}

impl PastKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npx => "npx",
            Self::Uvx => "uvx",
            Self::Docker => "docker",
            Self::Command => "command",
            Self::Url => "url",
            Self::BuiltIn => "built-in",
            Self::Unknown => "unknown",
        }
    }
}

serialize_as_word!(PastKind);

/// What the policies say of a package today, as far as that is known without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Today {
    /// `allowed`, `asks`, `refused`, `missing` or `unknown`.
    pub state: &'static str,
    /// The reason; `None` when it is allowed.
    pub message: Option<SafeText>,
}

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartWay {
    /// Through smcp.
    Gated {
        /// The package.
        package: SafeText,
        /// Whether it is named with its version or digest.
        pinned: bool,
        /// What the policies say.
        today: Today,
    },
    /// Past smcp.
    Past {
        /// The kind of start.
        kind: PastKind,
        /// What is started: no argument that could be a secret.
        what: SafeText,
        /// Whether it fetches what it runs at every start.
        fetches: bool,
        /// What is odd about it.
        remark: Option<SafeText>,
    },
}

/// A server in the file of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedServer {
    /// Its name there.
    pub name: SafeText,
    /// The project for which a user's file has it.
    pub project: Option<SafeText>,
    /// The line of the file in which its name stands; 0 when that is not known.
    pub line: usize,
    /// Why the client does not start it; `None` when it does.
    pub off: Option<SafeText>,
    /// How it is started.
    pub way: StartWay,
    /// The names of the variables that it is given.
    pub variables: Vec<SafeText>,
}

/// A server's name as people see it: one without a letter stands between quotation marks.
pub fn shown_name(name: &str) -> SafeText {
    if name.trim().is_empty() { SafeText::quoted_value(&format!("\"{name}\"")) } else { SafeText::quoted_value(name) }
}

impl ScannedServer {
    /// For whom it is started, where it stands in a file of that scope.
    pub const fn scope(&self, of_file: Scope) -> Scope {
        if self.project.is_some() { Scope::Project } else { of_file }
    }

    /// Whether it counts: a client starts it, and it is no part of the client.
    pub const fn is_started(&self) -> bool {
        self.off.is_none() && !matches!(&self.way, StartWay::Past { kind: PastKind::BuiltIn, .. })
    }

    /// Whether a client starts it, and smcp has no part in that.
    pub const fn is_ungated(&self) -> bool {
        self.is_started() && matches!(&self.way, StartWay::Past { .. })
    }

    /// Whether a client starts it through smcp, and another version may start tomorrow.
    pub const fn is_unpinned(&self) -> bool {
        matches!(&self.way, StartWay::Gated { pinned: false, .. }) && self.off.is_none()
    }
}

/// A file of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedFile {
    /// The client, as the command line names it.
    pub client: String,
    /// Its name for people.
    pub client_name: &'static str,
    /// Whose file it is.
    pub scope: Scope,
    /// Its path.
    pub path: String,
    /// The path that it is a link to.
    pub link: Option<SafeText>,
    /// Which other users could change it, and how.
    pub exposure: Vec<SafeText>,
    /// Why it can't be read; what is in it is then not known.
    pub problem: Option<SafeText>,
    /// The servers in it.
    pub servers: Vec<ScannedServer>,
}

/// What counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A server that is started past smcp.
    Ungated,
    /// That, and one that smcp starts in whatever version is newest.
    Unpinned,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineScan {
    /// The files that are there.
    pub files: Vec<ScannedFile>,
    /// What counts as a failure.
    pub fail_on: FailOn,
    /// Whether smcp itself can put one of the servers behind it.
    pub wrappable: bool,
}

impl MachineScan {
    /// Every server.
    pub fn servers(&self) -> impl Iterator<Item = &ScannedServer> {
        self.files.iter().flat_map(|file| &file.servers)
    }

    /// Whether a server counts as a failure.
    pub const fn fails(&self, server: &ScannedServer) -> bool {
        match self.fail_on {
            FailOn::Ungated => server.is_ungated(),
            FailOn::Unpinned => server.is_ungated() || server.is_unpinned(),
        }
    }

    /// Whether something counts as a failure: a server, or a file that can't be read.
    pub fn failed(&self) -> bool {
        self.files.iter().any(|file| file.problem.is_some()) || self.servers().any(|server| self.fails(server))
    }
}
