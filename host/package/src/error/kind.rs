//! What kind of failure each error is, and its name for machines.

use crate::PackageError;
use crate::http::HttpProblem;
use crate::manifest::ManifestError;

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

    const fn classify(&self) -> (PackageErrorKind, &'static str) {
        use PackageErrorKind::{Integrity, Local, NotFound, Registry, Timeout};
        match self {
            Self::Http { problem: problem @ HttpProblem::Proxy { .. }, .. } => (Local, problem.code()),
            Self::Http { problem, .. } => (Registry, problem.code()),
            Self::Credentials(_) => (Local, "credentials-unusable"),
            Self::NoSuchPackage { .. } => (NotFound, "package-not-found"),
            Self::NoSuchVersion { .. } => (NotFound, "version-not-found"),
            Self::AmbiguousDigest { .. } => (NotFound, "digest-ambiguous"),
            Self::Registry { .. } => (Registry, "registry-unavailable"),
            Self::FactsTooOld { .. } => (Registry, "facts-too-old"),
            Self::FactsOfTheFuture { .. } => (Registry, "facts-of-the-future"),
            Self::LatestUnknown { .. } => (Registry, "latest-unknown"),
            Self::NotInCache { .. } => (Registry, "registry-unavailable"),
            Self::MissingBlob { .. } => (Registry, "registry-file-missing"),
            Self::Document { .. } => (Integrity, "registry-entry-invalid"),
            Self::DigestMismatch { .. } => (Integrity, "digest-mismatch"),
            Self::Identity { .. } => (Integrity, "identity-mismatch"),
            Self::Manifest { problem: ManifestError::NoEntrypoint { .. }, .. } => (Integrity, "platform-unsupported"),
            Self::Manifest { problem: ManifestError::Invalid(_) | ManifestError::Author(_), .. } => {
                (Integrity, "manifest-invalid")
            }
            Self::Archive { .. } => (Integrity, "bundle-invalid"),
            Self::TooLarge { .. } => (Integrity, "too-large"),
            Self::Timeout(_) | Self::Silence { .. } => (Timeout, "timeout"),
            Self::Interrupted => (Local, "interrupted"),
            Self::NotCached { .. } | Self::AmbiguousPrefix { .. } => (Local, "not-cached"),
            Self::Cache(_) => (Local, "cache-unusable"),
            Self::Unpublishable { .. } | Self::UnreadableSource { .. } => (Local, "publish-refused"),
            Self::Immutable { .. } => (Local, "version-immutable"),
        }
    }
}
