//! Why a cleared package was not started, or not left running.

use std::io;
use std::path::PathBuf;

use crate::launch::proxy::Evasion;
use crate::model::text::SafeText;

/// Why a launch failed. What the manifest says is shown as it was typed, made harmless and cut.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It is no stdio server.
    #[error("the manifest's transport is `http`, and only `stdio` servers can be started")]
    Transport,
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
    #[error(
        "the server's command `{command}` was not found in any absolute directory of PATH; install it, or set PATH"
    )]
    NotOnPath {
        /// As typed in the manifest.
        command: SafeText,
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
    #[error("`{command}` could not be started: the interpreter that its first line names is not installed")]
    NoInterpreter {
        /// As typed in the manifest.
        command: SafeText,
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
    /// It did what would have kept the warning from the model.
    #[error("the server was ended: {0}")]
    Evaded(Evasion),
    /// It could not be watched, so it was not left running.
    #[error("the server can't be supervised, so it does not run")]
    Watching {
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// What kind of failure it is; each has its exit code (spec section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The package is not what it should be, or its server does what it must not: 3.
    Integrity,
    /// It took too long: 5.
    Timeout,
    /// The server could not be started: 6.
    Start,
}

impl LaunchError {
    /// What kind of failure it is.
    pub const fn failure(&self) -> Failure {
        match self {
            Self::CommandEscapes { .. } | Self::WorkdirEscapes { .. } | Self::Evaded(_) => Failure::Integrity,
            Self::Timeout { .. } => Failure::Timeout,
            Self::Transport
            | Self::NotOnPath { .. }
            | Self::NotInBundle { .. }
            | Self::NotExecutable { .. }
            | Self::NoExec { .. }
            | Self::NoWorkdir { .. }
            | Self::Unreadable { .. }
            | Self::NoInterpreter { .. }
            | Self::Spawn { .. }
            | Self::Watching { .. } => Failure::Start,
        }
    }

    pub(crate) fn timeout(command: &str) -> Self {
        Self::Timeout { command: shown(command) }
    }

    pub(crate) fn spawn(command: &str, cause: io::Error) -> Self {
        let command = shown(command);
        if cause.kind() == io::ErrorKind::NotFound {
            // The file was there a moment ago, so it is what the kernel looked for on its behalf.
            return Self::NoInterpreter { command };
        }
        Self::Spawn { command, cause }
    }

    pub(crate) const fn watching(cause: io::Error) -> Self {
        Self::Watching { cause }
    }
}

/// What a message quotes of a manifest: at most 200 characters.
pub(crate) fn shown(text: &str) -> SafeText {
    SafeText::new(&text.chars().take(200).collect::<String>())
}
