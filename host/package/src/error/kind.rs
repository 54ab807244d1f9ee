//! The exit code's reason of each error, and its name for machines.

use crate::PackageError;
use crate::http::HttpProblem;
use crate::manifest::ManifestError;
use smcp_model::exit::ExitKind;

impl PackageError {
    /// The exit code's reason.
    pub const fn exit_kind(&self) -> ExitKind {
        self.classify().0
    }

    /// A stable name for machines.
    pub const fn code(&self) -> &'static str {
        self.classify().1
    }

    const fn classify(&self) -> (ExitKind, &'static str) {
        use ExitKind::{Integrity, Registry, Timeout, Usage};
        match self {
            Self::Http { problem: problem @ HttpProblem::Proxy { .. }, .. } => (Usage, problem.code()),
            Self::Http { problem, .. } => (Registry, problem.code()),
            Self::Credentials(_) => (Usage, "credentials-unusable"),
            Self::NoSuchPackage { .. } => (Registry, "package-not-found"),
            Self::NoSuchVersion { .. } => (Registry, "version-not-found"),
            Self::AmbiguousDigest { .. } => (Registry, "digest-ambiguous"),
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
            Self::Interrupted => (Usage, "interrupted"),
            Self::NotCached { .. } | Self::AmbiguousPrefix { .. } => (Usage, "not-cached"),
            Self::Cache(_) => (Usage, "cache-unusable"),
            Self::Unpublishable { .. } | Self::UnreadableSource { .. } => (Usage, "publish-refused"),
            Self::Immutable { .. } => (Usage, "version-immutable"),
        }
    }
}
