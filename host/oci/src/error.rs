//! The errors of registries of images.

use std::io;

use smcp_http::HttpError;
use smcp_http::HttpProblemKind;
use smcp_http::ServerError;
use smcp_model::deadline::Expired;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// Why an artefact can't be had, or is not what it should be, or can't be put there.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// The registry can't be asked, or its answer is none.
    #[error(transparent)]
    Http(#[from] Box<ServerError>),
    /// The deadline has passed while a server did not answer.
    #[error("{expired}, {place}")]
    Silence {
        /// The time limit.
        expired: Expired,
        /// The server that did not answer, and its addresses.
        place: SafeText,
    },
    /// The deadline has passed, or the user has interrupted it.
    #[error(transparent)]
    Halted(#[from] Halted),
    /// The answer breaks off.
    #[error(
        "{what} breaks off: {cause}\n  try again; a registry that does so again is broken, or the network before it"
    )]
    Broken {
        /// What was read.
        what: String,
        /// The error of reading.
        cause: io::Error,
    },
    /// The registry has no such thing.
    #[error("{what} is not there{said}\n  check the name, and whether it is public or you are logged in: {advice}")]
    Missing {
        /// The reference.
        what: String,
        /// What the registry says about it.
        said: SafeText,
        /// How to log in.
        advice: String,
    },
    /// The registry doesn't let us.
    #[error("{host} does not let {who} {doing}: status {status}{said}\n  {advice}")]
    Denied {
        /// The registry.
        host: String,
        /// Us, by whether it knew who asks.
        who: &'static str,
        /// What we wanted.
        doing: String,
        /// The status code.
        status: u16,
        /// What the registry says about it.
        said: SafeText,
        /// What helps.
        advice: String,
    },
    /// A log-in that is there can't be used.
    #[error("the log-in for {host} can't be used: {problem}")]
    LogIn {
        /// The registry.
        host: String,
        /// What is wrong.
        problem: LogInProblem,
    },
    /// The registry answers in a way that the protocol doesn't have.
    #[error("{host} answers with {found} when asked {doing}{said}\n  expected {allowed}")]
    Protocol {
        /// The registry.
        host: String,
        /// What we wanted.
        doing: String,
        /// What came.
        found: String,
        /// What the registry says about it.
        said: SafeText,
        /// What may come.
        allowed: &'static str,
    },
    /// Bytes are not those that were asked for.
    #[error(
        "{what} is not what its digest promises\n  expected {expected}\n  found    {found}\n  \
             the registry, or whoever stands between, has changed it"
    )]
    Digest {
        /// What was read.
        what: String,
        /// The digest by which it was asked for.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// It is longer than it may be.
    #[error("{what} has more than {limit} bytes, the most that is read")]
    TooLarge {
        /// What was read.
        what: String,
        /// The limit, bytes.
        limit: usize,
    },
    /// There is more of something than is read.
    #[error("{what} has more than {limit} entries, the most that are read")]
    TooMany {
        /// What was listed.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// A document of the artefact is not what it should be.
    #[error("{what} is not what it should be: {problem}\n  expected {allowed}")]
    Artefact {
        /// The reference.
        what: String,
        /// What is wrong.
        problem: SafeText,
        /// What may stand there.
        allowed: &'static str,
    },
}

/// Why a log-in can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}\n  {advice}")]
pub struct LogInProblem {
    /// What is wrong.
    pub problem: SafeText,
    /// What helps.
    pub advice: SafeText,
}

impl LogInProblem {
    /// A problem, and what helps.
    pub fn new(problem: &str, advice: &str) -> Self {
        Self { problem: SafeText::new(problem), advice: SafeText::new(advice) }
    }
}

impl OciError {
    /// How the program ends after it (spec section 4).
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Digest { .. } | Self::TooLarge { .. } | Self::Artefact { .. } => ExitKind::Integrity,
            Self::Silence { .. } | Self::Halted(_) => ExitKind::Timeout,
            Self::LogIn { .. } => ExitKind::Usage,
            Self::Http(_)
            | Self::Broken { .. }
            | Self::Missing { .. }
            | Self::Denied { .. }
            | Self::TooMany { .. }
            | Self::Protocol { .. } => ExitKind::Registry,
        }
    }

    /// Whether something came that is not what it should be, and not only nothing.
    pub fn is_wrong(&self) -> bool {
        self.exit_kind() == ExitKind::Integrity
    }

    /// Whether the registry can't be asked at all now.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Http(error) => error.problem.kind() == HttpProblemKind::Unavailable,
            Self::Silence { .. } | Self::Halted(_) | Self::Broken { .. } => true,
            Self::Missing { .. }
            | Self::Denied { .. }
            | Self::LogIn { .. }
            | Self::Protocol { .. }
            | Self::Digest { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Artefact { .. } => false,
        }
    }

    /// A stable name for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "oci-digest-mismatch",
            Self::TooLarge { .. } | Self::Artefact { .. } => "oci-artefact-invalid",
            Self::Silence { .. } | Self::Halted(_) => "timeout",
            Self::Missing { .. } => "oci-not-found",
            Self::Denied { .. } | Self::LogIn { .. } => "oci-denied",
            Self::Http(_) | Self::Broken { .. } | Self::Protocol { .. } | Self::TooMany { .. } => "oci-unavailable",
        }
    }
}

impl From<HttpError> for OciError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Server(error) => Self::Http(error),
            HttpError::Silence { expired, place } => Self::Silence { expired, place },
            HttpError::Halted(halted) => Self::Halted(halted),
        }
    }
}

/// What a server says about a failure, as the end of a sentence.
pub(crate) fn said(message: &smcp_http::ServerMessage) -> SafeText {
    SafeText::new(&message.to_string())
}
