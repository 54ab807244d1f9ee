//! What kind of failure each error is, and its name for machines.

use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_bundle::BundleErrorKind;
use smcp_bundle::manifest::ManifestError;
use smcp_http::HttpProblemKind;

/// What kind of failure it is; the command line gives each its exit code (spec section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageErrorKind {
    /// No such package or version.
    NotFound,
    /// The registry can't be asked, or is not in order.
    Registry,
    /// Something is not what it should be: digest, identity, archive, manifest.
    Integrity,
    /// It took too long.
    Timeout,
    /// Something on this machine, or in what the user gave.
    Local,
}

impl PackageError {
    /// What kind of failure it is.
    pub const fn kind(&self) -> PackageErrorKind {
        self.classify().0
    }

    /// A stable name for machines.
    pub const fn code(&self) -> &'static str {
        self.classify().1
    }

    /// The only table of kinds and codes, of the crates below too.
    const fn classify(&self) -> (PackageErrorKind, &'static str) {
        use PackageErrorKind::{Integrity, Local, NotFound, Registry, Timeout};
        match self {
            Self::Registry(error) => match error.problem {
                RegistryProblem::NoSuchPackage { .. } => (NotFound, "package-not-found"),
                RegistryProblem::NoSuchVersion { .. } => (NotFound, "version-not-found"),
                RegistryProblem::MissingBlob { .. } => (Registry, "registry-file-missing"),
                RegistryProblem::Unusable { .. } => (Registry, "registry-unavailable"),
            },
            Self::Version(error) => match error.problem {
                VersionProblem::AmbiguousDigest { .. } => (NotFound, "digest-ambiguous"),
                VersionProblem::FactsTooOld { .. } => (Registry, "facts-too-old"),
                VersionProblem::FactsOfTheFuture { .. } => (Registry, "facts-of-the-future"),
                VersionProblem::LatestUnknown { .. } => (Registry, "latest-unknown"),
                VersionProblem::NotInCache { .. } => (Registry, "registry-unavailable"),
                VersionProblem::Document(_) => (Integrity, "registry-entry-invalid"),
                VersionProblem::DigestMismatch { .. } => (Integrity, "digest-mismatch"),
                VersionProblem::TooLarge(_) => (Integrity, "too-large"),
                VersionProblem::Immutable { .. } => (Local, "version-immutable"),
            },
            Self::Identity { .. } => (Integrity, "identity-mismatch"),
            Self::Http(error) => match error.problem.kind() {
                HttpProblemKind::Unavailable => (Registry, "registry-unavailable"),
                HttpProblemKind::Login => (Registry, "registry-login"),
                HttpProblemKind::Untrusted => (Registry, "registry-untrusted"),
                HttpProblemKind::Redirect => (Registry, "registry-redirect"),
                HttpProblemKind::AnswerInvalid => (Registry, "registry-answer-invalid"),
                HttpProblemKind::Proxy => (Local, "proxy-invalid"),
            },
            Self::Bundle(error) => match error.kind {
                BundleErrorKind::Manifest(ManifestError::NoEntrypoint { .. }) => (Integrity, "platform-unsupported"),
                BundleErrorKind::Manifest(ManifestError::Invalid(_) | ManifestError::Author(_)) => {
                    (Integrity, "manifest-invalid")
                }
                BundleErrorKind::Archive(_) => (Integrity, "bundle-invalid"),
                BundleErrorKind::Changed(_) => (Integrity, "digest-mismatch"),
                BundleErrorKind::Unpublishable(_) | BundleErrorKind::UnreadableSource { .. } => {
                    (Local, "publish-refused")
                }
            },
            Self::Credentials(_) => (Local, "credentials-unusable"),
            Self::Folder(_) => (Local, "cache-unusable"),
            Self::Target(_) => (Local, "not-cached"),
            Self::Timeout(_) | Self::Silence { .. } => (Timeout, "timeout"),
            Self::Interrupted => (Local, "interrupted"),
        }
    }
}
