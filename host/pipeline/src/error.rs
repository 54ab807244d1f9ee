//! The errors of all stages: why a launch ends before its server runs.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::remote::SourceError;
use crate::sets::SetError;
use crate::signed::SignatureMismatch;
use crate::signed::SignerFile;
use crate::statements::StatementError;
use smcp_audit::AuditError;
use smcp_bundle::UnpackError;
use smcp_decide::Conclusion;
use smcp_decide::Notice;
use smcp_decide::Refusal;
use smcp_launch::error::LaunchError;
use smcp_model::deadline::Expired;
use smcp_model::decision::DecisionDocument;
use smcp_model::error_chain;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::request::Subject;
use smcp_model::suspect::Suspect;
use smcp_oci::OciError;
use smcp_policy::HostError;
use smcp_policy::PinMismatch;
use smcp_registry::PackageError;
use smcp_signature::SignerFileError;
use smcp_store::StoreError;

/// An error, and as much of the package as was known when it happened.
#[derive(Debug, thiserror::Error)]
#[error("{} is stopped", subject.label())]
pub struct Failed {
    /// The package.
    pub subject: Box<Subject>,
    /// The error.
    #[source]
    pub error: Box<PipelineError>,
    /// What else the user should know, such as that the registry could not be asked.
    pub notices: Vec<Notice>,
}

impl Failed {
    pub(super) fn new(subject: Subject, error: PipelineError) -> Self {
        Self { subject: Box::new(subject), error: Box::new(error), notices: Vec::new() }
    }

    /// The decision that this error amounts to, although no policy was evaluated; `None` when it is a failure. An error
    /// that the registry or the package causes is a decision; every other one is a failure.
    pub fn conclusion<'a>(&'a self, message: &'a str) -> Option<Conclusion<'a>> {
        let code = self.error.code();
        match self.error.exit_kind() {
            ExitKind::Registry => Some(Conclusion::Unavailable { code, message }),
            ExitKind::Integrity | ExitKind::Refused => Some(Conclusion::Refused { code, message }),
            ExitKind::Success | ExitKind::Usage | ExitKind::Timeout | ExitKind::Start => None,
        }
    }

    /// The same decision as a document for machines.
    pub fn document(&self) -> Option<DecisionDocument> {
        let message = self.error.explained();
        let conclusion = self.conclusion(&message)?;
        Some(smcp_decide::document(&self.subject, conclusion, &self.notices, self.error.exit_kind()))
    }
}

/// Why a launch ends before its server runs.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The package could not be found, or its bytes are not what they should be.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The package's status, a policy or the user refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A policy's component is not the one that the configuration pins.
    #[error(transparent)]
    Pin(#[from] PinMismatch),
    /// A policy's component is not signed as the configuration says.
    #[error(transparent)]
    Signature(Box<SignatureMismatch>),
    /// A file that `signed_by` names can't be used.
    #[error(transparent)]
    SignerFile(#[from] SignerFile),
    /// Another user could have written a policy's component.
    #[error("policy `{name}` could be somebody else's: {suspect}")]
    Untrusted {
        /// The policy.
        name: PolicyName,
        /// What is wrong, and with which file or folder.
        suspect: Suspect,
    },
    /// The component of a policy is elsewhere, and what came is not right, or it can't be had.
    #[error("policy `{name}`: {error}")]
    Source {
        /// The policy.
        name: PolicyName,
        /// What is wrong.
        error: Box<SourceError>,
    },
    /// An artefact can't be read or written.
    #[error(transparent)]
    Artefact(Box<SourceError>),
    /// A policy set can't be used.
    #[error(transparent)]
    Set(#[from] Box<SetError>),
    /// A layer names a policy set, and whoever made the session has not added it ([`crate::sets::add_sets`]).
    #[error("the policy set of {} was not added to the configuration: nothing is decided without it", layer.as_str())]
    SetMissing {
        /// The layer of the set.
        layer: LayerName,
    },
    /// Another user could have written a policy set, or what was seen of it.
    #[error("the policy set of the {} layer could be somebody else's: {suspect}", layer.as_str())]
    UntrustedSet {
        /// The layer of the set.
        layer: LayerName,
        /// What is wrong, and with which file or folder.
        suspect: Suspect,
    },
    /// A layer goes by signed statements, and those about the package are not what it demands.
    #[error(transparent)]
    Statement(Box<StatementError>),
    /// Another user could have written the keys of those whose statements a layer believes, or what was seen of them.
    #[error("the signed statements that the {} layer goes by could be somebody else's: {suspect}", layer.as_str())]
    UntrustedStatements {
        /// The layer.
        layer: LayerName,
        /// What is wrong, and with which file or folder.
        suspect: Suspect,
    },
    /// There is no sandbox to evaluate policies in.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A policy was still being compiled when the time for the start was over.
    #[error(
        "compiling the policy `{policy}` is not finished: {expired}\n  compile it ahead with `smcp config validate`, or give \
         it more time with `--timeout` or `start_timeout`"
    )]
    Compiling {
        /// The policy.
        policy: PolicyName,
        /// The deadline.
        expired: Expired,
    },
    /// The system's compiled code can't be written.
    #[error(
        "the system's compiled code can't be written: {0}\n  only root writes it, and every folder on the way belongs to root"
    )]
    SystemCode(io::Error),
    /// The server could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// There is no place for downloads.
    #[error(
        "there is no place for the cache: HOME is not set\n  name one with --cache-dir, or `cache_dir` in the configuration"
    )]
    NoCache,
    /// There is no place for tokens.
    #[error("there is no place for tokens: HOME is not set")]
    NoHome,
    /// The clock is before 1970, so no record could say when something was decided.
    #[error("{}", limits::CLOCK_BEFORE_EPOCH)]
    Clock,
    /// The decision can't be recorded, and the configuration says that it must be.
    #[error("{0}\n  nothing runs unrecorded; with `audit: best-effort` in the configuration smcp says so and goes on")]
    Audit(AuditError),
    /// The local system reports an error.
    #[error("can't {doing} at {}: {cause}", path.display())]
    Local {
        /// What smcp was doing.
        doing: &'static str,
        /// The path it was doing it at.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// The local system lacks what a launch needs.
    #[error("can't {doing}: {cause}")]
    System {
        /// What smcp was doing.
        doing: &'static str,
        /// The system's error.
        cause: io::Error,
    },
    /// Another process removed the package's files from the cache each time they were fetched.
    #[error("the cache is being emptied by somebody else; try again")]
    CacheBusy,
    /// The environment variable for the registry's token does not hold a token.
    #[error("{variable} holds no token: expected one word, on one line")]
    TokenVariable {
        /// The variable's name.
        variable: &'static str,
    },
}

impl From<StoreError> for PipelineError {
    fn from(error: StoreError) -> Self {
        PackageError::from(error).into()
    }
}

impl From<OciError> for PipelineError {
    fn from(error: OciError) -> Self {
        Self::Artefact(Box::new(error.into()))
    }
}

impl From<SignerFileError> for PipelineError {
    fn from(error: SignerFileError) -> Self {
        SignerFile::from(error).into()
    }
}

impl From<UnpackError> for PipelineError {
    fn from(error: UnpackError) -> Self {
        PackageError::from(error).into()
    }
}

impl PipelineError {
    pub(super) fn local(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Local { doing, path: path.to_path_buf(), cause }
    }

    /// The exit code's reason for this error (spec section 4).
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Package(error) => error.exit_kind(),
            Self::Refused(_) => ExitKind::Refused,
            Self::Pin(_) | Self::Signature(_) | Self::Statement(_) => ExitKind::Integrity,
            Self::Source { error, .. } | Self::Artefact(error) => error.exit_kind(),
            Self::Launch(error) => error.exit_kind(),
            Self::Compiling { .. } => ExitKind::Timeout,
            Self::Set(error) => error.problem.exit_kind(),
            Self::Untrusted { .. }
            | Self::SignerFile(_)
            | Self::UntrustedSet { .. }
            | Self::UntrustedStatements { .. }
            | Self::SetMissing { .. }
            | Self::Host(_)
            | Self::NoCache
            | Self::NoHome
            | Self::Clock
            | Self::Audit(_)
            | Self::SystemCode(_)
            | Self::Local { .. }
            | Self::System { .. }
            | Self::CacheBusy
            | Self::TokenVariable { .. } => ExitKind::Usage,
        }
    }

    /// A stable name for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Package(error) => error.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::Pin(_) => "policy-digest-mismatch",
            Self::Source { error, .. } | Self::Artefact(error) => error.code(),
            Self::Signature(_) => "policy-signature-invalid",
            Self::Statement(error) => error.problem.code(),
            Self::Untrusted { .. }
            | Self::UntrustedSet { .. }
            | Self::UntrustedStatements { .. }
            | Self::SetMissing { .. }
            | Self::SignerFile(_) => "config",
            Self::Host(_) => "sandbox-unavailable",
            Self::Set(error) => error.problem.code(),
            Self::Compiling { .. } => "compiling",
            Self::Launch(error) => error.code(),
            Self::NoCache | Self::NoHome | Self::Local { .. } | Self::System { .. } | Self::SystemCode(_) => "local",
            Self::Clock => "clock",
            Self::Audit(_) => "audit-unwritable",
            Self::CacheBusy => "cache-busy",
            Self::TokenVariable { .. } => "token-invalid",
        }
    }

    /// The error with every cause, on one line; then what helps, on lines of its own.
    pub fn explained(&self) -> String {
        error_chain::error_chain(self)
    }

    /// Whether the server had been started, so that standard input and output belonged to it.
    pub const fn was_started(&self) -> bool {
        match self {
            Self::Launch(error) => error.was_started(),
            Self::Refused(_)
            | Self::Package(_)
            | Self::Pin(_)
            | Self::Source { .. }
            | Self::Artefact(_)
            | Self::Signature(_)
            | Self::SignerFile(_)
            | Self::Untrusted { .. }
            | Self::Set(_)
            | Self::UntrustedSet { .. }
            | Self::Statement(_)
            | Self::UntrustedStatements { .. }
            | Self::SetMissing { .. }
            | Self::Host(_)
            | Self::Compiling { .. }
            | Self::NoCache
            | Self::NoHome
            | Self::Clock
            | Self::Audit(_)
            | Self::SystemCode(_)
            | Self::Local { .. }
            | Self::System { .. }
            | Self::CacheBusy
            | Self::TokenVariable { .. } => false,
        }
    }

    /// Whether the audience has been shown the decision already, with every reason.
    pub const fn was_shown(&self) -> bool {
        match self {
            Self::Refused(Refusal::ByPolicy | Refusal::Declined | Refusal::NobodyToAsk) => true,
            Self::Refused(
                Refusal::Status { .. }
                | Refusal::StatedStatus { .. }
                | Refusal::Unstated { .. }
                | Refusal::Unconfined { .. }
                | Refusal::NoPolicies,
            )
            | Self::Package(_)
            | Self::Pin(_)
            | Self::Source { .. }
            | Self::Artefact(_)
            | Self::Signature(_)
            | Self::SignerFile(_)
            | Self::Untrusted { .. }
            | Self::Set(_)
            | Self::UntrustedSet { .. }
            | Self::Statement(_)
            | Self::UntrustedStatements { .. }
            | Self::SetMissing { .. }
            | Self::Host(_)
            | Self::Compiling { .. }
            | Self::NoCache
            | Self::NoHome
            | Self::Clock
            | Self::Audit(_)
            | Self::SystemCode(_)
            | Self::Launch(_)
            | Self::Local { .. }
            | Self::System { .. }
            | Self::CacheBusy
            | Self::TokenVariable { .. } => false,
        }
    }
}
