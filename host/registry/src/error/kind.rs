//! The exit kind of each error, and its code for scripts.

use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_bundle::BundleErrorKind;
use smcp_bundle::manifest::ManifestError;
use smcp_bundle::mcpb::McpbError;
use smcp_http::HttpProblemKind;
use smcp_model::exit::ExitKind;
use smcp_oci::OciError;

impl PackageError {
    /// The kind of the error, which decides the exit code.
    pub const fn exit_kind(&self) -> ExitKind {
        self.classify().0
    }

    /// The stable code of the error, for scripts.
    pub const fn code(&self) -> &'static str {
        self.classify().1
    }

    /// The only table of kinds and codes, including the errors of the crates below.
    const fn classify(&self) -> (ExitKind, &'static str) {
        use ExitKind::Integrity;
        use ExitKind::Refused;
        use ExitKind::Registry;
        use ExitKind::Timeout;
        use ExitKind::Usage;
        match self {
            Self::Registry(error) => match error.problem {
                RegistryProblem::NoSuchPackage { .. } => (Registry, "package-not-found"),
                RegistryProblem::NoSuchVersion { .. } => (Registry, "version-not-found"),
                RegistryProblem::MissingBlob { .. } => (Registry, "registry-file-missing"),
                RegistryProblem::Unusable { .. } => (Registry, "registry-unavailable"),
                RegistryProblem::NoCatalog => (Registry, "registry-answer-invalid"),
            },
            Self::Version(error) => match error.problem {
                VersionProblem::AmbiguousDigest { .. } => (Registry, "digest-ambiguous"),
                VersionProblem::FactsTooOld { .. } => (Registry, "facts-too-old"),
                VersionProblem::FactsOfTheFuture { .. } => (Registry, "facts-of-the-future"),
                VersionProblem::LatestUnknown { .. } => (Registry, "latest-unknown"),
                VersionProblem::NotInCache { .. } => (Registry, "registry-unavailable"),
                VersionProblem::NotRunnable(_) => (Registry, "package-kind-unsupported"),
                VersionProblem::Document(_) | VersionProblem::List(_) => (Integrity, "registry-entry-invalid"),
                VersionProblem::Statements(_) => (Integrity, "statements-unreadable"),
                VersionProblem::Signed => (Usage, "version-signed"),
                VersionProblem::Withdrawn(_) => (Refused, "version-withdrawn"),
                VersionProblem::Unstatable(_) => (Usage, "statement-impossible"),
                VersionProblem::DigestMismatch { .. } => (Integrity, "digest-mismatch"),
                VersionProblem::TooLarge(_) => (Integrity, "too-large"),
                VersionProblem::Immutable { .. } => (Usage, "version-immutable"),
            },
            Self::Identity { .. } => (Integrity, "identity-mismatch"),
            Self::Http(error) => match error.problem.kind() {
                HttpProblemKind::Unavailable => (Registry, "registry-unavailable"),
                HttpProblemKind::Login => (Registry, "registry-login"),
                HttpProblemKind::Untrusted => (Registry, "registry-untrusted"),
                HttpProblemKind::Redirect => (Registry, "registry-redirect"),
                HttpProblemKind::AnswerInvalid => (Registry, "registry-answer-invalid"),
                HttpProblemKind::Proxy => (Usage, "proxy-invalid"),
            },
            Self::Oci(error) => match **error {
                OciError::Denied { .. } => (Registry, "registry-login"),
                OciError::LogIn { .. } => (Usage, "credentials-unusable"),
                OciError::Missing { .. } => (Registry, "registry-file-missing"),
                OciError::Protocol { .. } | OciError::TooMany { .. } => (Registry, "registry-answer-invalid"),
                OciError::Digest { .. } => (Integrity, "digest-mismatch"),
                OciError::TooLarge { .. } => (Integrity, "too-large"),
                OciError::Artefact { .. } => (Integrity, "registry-entry-invalid"),
                OciError::Http(_) | OciError::Broken { .. } => (Registry, "registry-unavailable"),
                OciError::Silence { .. } | OciError::Halted(_) => (Timeout, "timeout"),
            },
            Self::Bundle(error) => match error.kind {
                BundleErrorKind::Manifest(ManifestError::NoEntrypoint { .. }) => (Integrity, "platform-unsupported"),
                BundleErrorKind::Manifest(ManifestError::Invalid(_) | ManifestError::Author(_)) => {
                    (Integrity, "manifest-invalid")
                }
                BundleErrorKind::Mcpb(McpbError::Manifest(_)) => (Integrity, "manifest-invalid"),
                BundleErrorKind::Mcpb(McpbError::Unfit(_)) => (Integrity, "mcpb-unfit"),
                BundleErrorKind::Archive(_)
                | BundleErrorKind::Mcpb(McpbError::Archive(_) | McpbError::Digest { .. }) => {
                    (Integrity, "bundle-invalid")
                }
                BundleErrorKind::Changed(_) => (Integrity, "digest-mismatch"),
                BundleErrorKind::Unpublishable(_) | BundleErrorKind::UnreadableSource { .. } => {
                    (Usage, "publish-refused")
                }
            },
            Self::Credentials(_) => (Usage, "credentials-unusable"),
            Self::Folder(_) => (Usage, "cache-unusable"),
            Self::Target(_) => (Usage, "not-cached"),
            Self::Timeout(_) | Self::Silence { .. } => (Timeout, "timeout"),
            Self::Interrupted => (Usage, "interrupted"),
        }
    }
}
