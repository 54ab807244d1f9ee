//! The errors of a cleared package that was not started, or not left running.

use std::io;
use std::path::PathBuf;

use crate::proxy::Evasion;
use crate::search::Searched;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// Why a launch failed. What the manifest says is shown as it was typed, made harmless and cut.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The server uses another transport than stdio.
    #[error("the manifest's transport is `http`, and only `stdio` servers can be started")]
    Transport,
    /// Nobody has set what the server can't start without.
    #[error(
        "the server needs {needed}, which nobody has set\n  set it where smcp is started, or pass it on with --env {name}=…"
    )]
    NotSet {
        /// The variables, with what they are for.
        needed: SafeText,
        /// The name of the first one.
        name: SafeText,
    },
    /// The command leads out of the bundle.
    #[error(
        "the manifest's command `{command}` leads out of the bundle; \
         it must be a path inside the bundle, or a name without a slash that is looked up on PATH"
    )]
    CommandEscapes {
        /// As typed in the manifest.
        command: SafeText,
    },
    /// The working directory leads out of the bundle.
    #[error("the manifest's workdir `{workdir}` leads out of the bundle; it must be a directory inside the bundle")]
    WorkdirEscapes {
        /// As typed in the manifest.
        workdir: SafeText,
    },
    /// No directory of PATH has the command.
    #[error("the server's command `{command}` was not found on PATH{searched}")]
    NotOnPath {
        /// As typed in the manifest.
        command: SafeText,
        /// Where it was sought, and what to do, on lines of their own.
        searched: Searched,
    },
    /// The bundle doesn't have the command.
    #[error("the server's command `{command}` is not in the bundle; the package is not usable as published")]
    NotInBundle {
        /// As typed in the manifest.
        command: SafeText,
    },
    /// The command is there and can't be run.
    #[error("the server's command `{command}` is not an executable file")]
    NotExecutable {
        /// As typed in the manifest.
        command: SafeText,
    },
    /// The command is there, and where it was unpacked nothing can be run.
    #[error(
        "the server's command `{command}` can't be started: {} is on a file system mounted noexec\n  \
         name another folder with `runtime_dir` in the configuration, or with --cache-dir",
        folder.display()
    )]
    NoExec {
        /// As typed in the manifest.
        command: SafeText,
        /// Where the bundle was unpacked.
        folder: PathBuf,
    },
    /// The working directory isn't there.
    #[error(
        "the manifest's workdir `{workdir}` is not a directory of the bundle; the package is not usable as published"
    )]
    NoWorkdir {
        /// As typed in the manifest.
        workdir: SafeText,
    },
    /// A path of the manifest could not be looked at.
    #[error("`{path}`, which the manifest names, can't be read in the bundle")]
    Unreadable {
        /// As typed in the manifest.
        path: SafeText,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Resolving and downloading took all the time that there was.
    #[error(
        "the time for the start was over before `{command}` was started; allow more with --timeout or start_timeout"
    )]
    Timeout {
        /// As typed in the manifest.
        command: SafeText,
    },
    /// The file is there and its interpreter isn't.
    #[error(
        "`{command}` could not be started: its first line names the interpreter `{interpreter}`, which is not there\n  {hint}"
    )]
    NoInterpreter {
        /// As typed in the manifest.
        command: SafeText,
        /// As its first line has it.
        interpreter: SafeText,
        /// What to do.
        hint: &'static str,
    },
    /// The file is there and its dynamic loader isn't.
    #[error(
        "`{command}` could not be started: it asks for the loader `{loader}`, which is not there\n  \
         it was built for another system, or another C library (glibc, musl)"
    )]
    NoLoader {
        /// As typed in the manifest.
        command: SafeText,
        /// As the program has it.
        loader: SafeText,
    },
    /// The file is not a program that this machine starts.
    #[error("`{command}` could not be started: {what}\n  the package needs a version for this machine")]
    NoProgram {
        /// As typed in the manifest.
        command: SafeText,
        /// What it is instead.
        what: SafeText,
    },
    /// Its arguments and variables are longer than the system allows.
    #[error(
        "`{command}` could not be started: {what}\n  hand over long values in a file, and its name in the variable"
    )]
    TooLong {
        /// As typed in the manifest.
        command: SafeText,
        /// Which of them, and what is allowed.
        what: SafeText,
    },
    /// The system refused to start it.
    #[error("`{command}` could not be started")]
    Spawn {
        /// As typed in the manifest.
        command: SafeText,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The system refused a lock that the server was to be behind.
    #[error("`{command}` could not be confined, so it was not started")]
    Unconfined {
        /// As typed in the manifest.
        command: SafeText,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It may start no other program, and is one that does nothing else.
    #[error(
        "the server's command `{command}` is a script that starts another program ({} for {interpreter}), and its manifest \
         says `subprocess: false`\n  put the folder of the real program first: --env PATH=…",
        path.display()
    )]
    Wrapper {
        /// As typed in the manifest.
        command: SafeText,
        /// The script.
        path: PathBuf,
        /// What reads it.
        interpreter: SafeText,
    },
    /// Its streams could not be made.
    #[error("the server's input and output can't be made ready, so it was not started")]
    Streams {
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The server tried to keep its warning from the model.
    #[error("the server was ended: {0}")]
    Evaded(Evasion),
    /// The server could not be watched, so it was ended.
    #[error("the server can't be supervised, so it does not run")]
    Watching {
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl LaunchError {
    /// The error about variables that nobody has set; `None` when all of them are set.
    pub(crate) fn not_set<'v>(missing: impl Iterator<Item = (&'v str, Option<&'v str>)>) -> Option<Self> {
        let missing: Vec<_> = missing.collect();
        let (name, _) = missing.first()?;
        let named = missing.iter().map(|(name, about)| {
            let about = about.map(|about| format!(" ({})", SafeText::within(about, limits::NAME_SHOWN)));
            format!("`{name}`{}", about.unwrap_or_default())
        });
        let needed = SafeText::new(&named.collect::<Vec<_>>().join(", "));
        Some(Self::NotSet { needed, name: SafeText::new(name) })
    }

    /// The exit code's reason.
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::CommandEscapes { .. } | Self::WorkdirEscapes { .. } | Self::Evaded(_) => ExitKind::Integrity,
            Self::Timeout { .. } => ExitKind::Timeout,
            Self::Transport
            | Self::NotSet { .. }
            | Self::NotOnPath { .. }
            | Self::NotInBundle { .. }
            | Self::NotExecutable { .. }
            | Self::NoExec { .. }
            | Self::NoWorkdir { .. }
            | Self::Unreadable { .. }
            | Self::NoInterpreter { .. }
            | Self::NoLoader { .. }
            | Self::NoProgram { .. }
            | Self::TooLong { .. }
            | Self::Spawn { .. }
            | Self::Unconfined { .. }
            | Self::Wrapper { .. }
            | Self::Streams { .. }
            | Self::Watching { .. } => ExitKind::Start,
        }
    }

    /// A stable name for machines. `launch-failed` is what only the system can explain.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Transport => "transport-unsupported",
            Self::NotSet { .. } => "variable-not-set",
            Self::CommandEscapes { .. } => "command-escapes",
            Self::WorkdirEscapes { .. } => "workdir-escapes",
            Self::NotOnPath { .. } => "command-not-on-path",
            Self::NotInBundle { .. } => "command-not-in-bundle",
            Self::NotExecutable { .. } => "command-not-executable",
            Self::NoExec { .. } => "command-on-noexec",
            Self::NoWorkdir { .. } => "workdir-missing",
            Self::Timeout { .. } => "timeout",
            Self::NoInterpreter { .. } => "interpreter-missing",
            Self::NoLoader { .. } => "loader-missing",
            Self::NoProgram { .. } => "not-a-program",
            Self::TooLong { .. } => "arguments-too-long",
            Self::Evaded(_) => "warning-evaded",
            Self::Watching { .. } => "supervision-failed",
            Self::Unconfined { .. } => "not-confined",
            Self::Wrapper { .. } => "command-is-wrapper",
            Self::Unreadable { .. } | Self::Spawn { .. } | Self::Streams { .. } => "launch-failed",
        }
    }

    /// Whether the server had been started before the failure.
    pub const fn was_started(&self) -> bool {
        match self {
            Self::Evaded(_) | Self::Watching { .. } => true,
            Self::Transport
            | Self::NotSet { .. }
            | Self::CommandEscapes { .. }
            | Self::WorkdirEscapes { .. }
            | Self::NotOnPath { .. }
            | Self::NotInBundle { .. }
            | Self::NotExecutable { .. }
            | Self::NoExec { .. }
            | Self::NoWorkdir { .. }
            | Self::Unreadable { .. }
            | Self::Timeout { .. }
            | Self::NoInterpreter { .. }
            | Self::NoLoader { .. }
            | Self::NoProgram { .. }
            | Self::TooLong { .. }
            | Self::Streams { .. }
            | Self::Unconfined { .. }
            | Self::Wrapper { .. }
            | Self::Spawn { .. } => false,
        }
    }

    pub(crate) fn timeout(command: &str) -> Self {
        Self::Timeout { command: SafeText::quoted(command) }
    }

    pub(crate) const fn streams(cause: io::Error) -> Self {
        Self::Streams { cause }
    }

    pub(crate) const fn watching(cause: io::Error) -> Self {
        Self::Watching { cause }
    }
}
