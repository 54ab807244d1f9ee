//! Why nothing was imported.

use std::io;

use crate::lock::ImportLockError;
use crate::program::ClientProgramError;
use smcp_bundle::mcpb::McpbError;
use smcp_model::exit::ExitKind;
use smcp_model::text::SafeText;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A client is missing, or failed.
    #[error(transparent)]
    Tool(#[from] ClientProgramError),
    /// The package, or what a client says of it, can't be used.
    #[error("{0}")]
    Package(String),
    /// The client's registry does not have it, or has nothing that fits together.
    #[error("{0}")]
    Registry(String),
    /// It is not what the lock says, or has no integrity.
    #[error("{0}")]
    Integrity(String),
    /// The lock is for something else.
    #[error("the lock does not fit: {0}")]
    Lock(String),
    /// The lock can't be read.
    #[error(transparent)]
    LockFile(#[from] ImportLockError),
    /// It is no MCP bundle that can be used.
    #[error(transparent)]
    Mcpb(#[from] McpbError),
    /// The scratch folder can't be used.
    #[error("can't {doing} in the scratch folder")]
    Scratch {
        /// What was attempted.
        doing: &'static str,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// An MCP bundle is imported from its bytes.
    #[error("an MCP bundle is imported from its bytes")]
    NoBytes,
}

/// Makes each line of a message harmless: names in it are others'.
pub(crate) fn safe_lines(text: &str) -> String {
    text.lines().map(|line| SafeText::new(line).to_string()).collect::<Vec<_>>().join("\n")
}

impl ImportError {
    pub(crate) fn package(problem: impl AsRef<str>) -> Self {
        Self::Package(safe_lines(problem.as_ref()))
    }

    pub(crate) fn registry(problem: impl AsRef<str>) -> Self {
        Self::Registry(safe_lines(problem.as_ref()))
    }

    pub(crate) fn integrity(problem: impl AsRef<str>) -> Self {
        Self::Integrity(safe_lines(problem.as_ref()))
    }

    pub(crate) fn lock(problem: impl AsRef<str>) -> Self {
        Self::Lock(safe_lines(problem.as_ref()))
    }

    pub(crate) fn scratch(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Scratch { doing, cause }
    }

    /// The number of the signal that has ended it; `None` when it ended by itself.
    pub const fn signal(&self) -> Option<i32> {
        match self {
            Self::Tool(ClientProgramError::Interrupted { signal, .. }) => Some(*signal),
            Self::Tool(
                ClientProgramError::Failed { .. }
                | ClientProgramError::Missing { .. }
                | ClientProgramError::NotStarted { .. }
                | ClientProgramError::Unfit(_),
            )
            | Self::Package(_)
            | Self::Registry(_)
            | Self::Integrity(_)
            | Self::Lock(_)
            | Self::LockFile(_)
            | Self::Mcpb(_)
            | Self::Scratch { .. }
            | Self::NoBytes => None,
        }
    }

    /// What it is for the exit code.
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Tool(ClientProgramError::Failed { .. }) | Self::Registry(_) => ExitKind::Registry,
            Self::Tool(
                ClientProgramError::Missing { .. }
                | ClientProgramError::NotStarted { .. }
                | ClientProgramError::Unfit(_)
                | ClientProgramError::Interrupted { .. },
            )
            | Self::Package(_)
            | Self::Lock(_)
            | Self::Scratch { .. }
            | Self::NoBytes => ExitKind::Usage,
            Self::Integrity(_) => ExitKind::Integrity,
            Self::LockFile(error) => error.exit_kind(),
            Self::Mcpb(McpbError::Digest { .. } | McpbError::Archive(_) | McpbError::Manifest(_)) => {
                ExitKind::Integrity
            }
            Self::Mcpb(McpbError::Unfit(_)) => ExitKind::Usage,
        }
    }
}
