//! The errors of finding, fetching and publishing packages.
//!
//! Each crate below has its own small error. The problems of a registry itself are in `problem`.

mod kind;
mod problem;

pub use crate::error::problem::RegistryFailure;
pub use crate::error::problem::RegistryProblem;
pub use crate::error::problem::VersionError;
pub use crate::error::problem::VersionProblem;

use std::io;

use crate::credentials::CredentialsError;
use smcp_bundle::BundleError;
use smcp_bundle::UnpackError;
use smcp_http::HttpError;
use smcp_http::HttpProblemKind;
use smcp_http::ServerError;
use smcp_model::deadline::Expired;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;
use smcp_oci::OciError;
use smcp_store::FolderError;
use smcp_store::RemovalTargetError;
use smcp_store::StoreError;
use smcp_store::stream::Halted;

/// An error of finding, fetching or publishing a package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A registry doesn't have the package, the version or the file, or can't be used.
    #[error(transparent)]
    Registry(Box<RegistryFailure>),
    /// The registry's entry or file of a package is not valid.
    #[error(transparent)]
    Version(Box<VersionError>),
    /// A document is about another package or version than the wanted one.
    #[error("identity mismatch: {what} is `{found}`, but it should be `{expected}`")]
    Identity {
        /// The field and the document.
        what: &'static str,
        /// The expected value.
        expected: String,
        /// The value of the document.
        found: SafeText,
    },
    /// A remote registry can't be asked, or its answer is not valid.
    #[error(transparent)]
    Http(#[from] Box<ServerError>),
    /// A registry of images can't be asked, doesn't let us, or has something else than a package.
    #[error(transparent)]
    Oci(Box<OciError>),
    /// A manifest or a bundle can't be used, or can't be made.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The file of tokens can't be read or written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The cache, or the folder of the runs, can't be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A target names nothing in the cache, or several files.
    #[error(transparent)]
    Target(#[from] RemovalTargetError),
    /// The deadline has passed.
    #[error("getting the package timed out: {0}\n  `--timeout` or `start_timeout` gives it more time")]
    Timeout(Expired),
    /// The deadline has passed while a server did not answer.
    #[error("getting the package timed out: {expired}, {place}\n  `--timeout` or `start_timeout` gives it more time")]
    Silence {
        /// The time limit.
        expired: Expired,
        /// The server that did not answer, and its addresses.
        place: SafeText,
    },
    /// The user has interrupted it.
    #[error("getting the package was interrupted")]
    Interrupted,
}

impl PackageError {
    /// Whether the registry can't be reached at all, or says that it can't answer now, so that an earlier answer of it
    /// may be used. False when it has answered the request in any way, and when the server could not prove its identity.
    pub fn is_outage(&self) -> bool {
        let refused = [io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput];
        if let Self::Registry(error) = self
            && let RegistryProblem::Unusable { cause, .. } = &error.problem
        {
            return !refused.contains(&cause.kind());
        }
        if let Self::Oci(error) = self {
            return error.is_outage();
        }
        matches!(self, Self::Http(error) if error.problem.kind() == HttpProblemKind::Unavailable)
    }

    /// Whether the registry answered that it doesn't have the package or the version.
    pub const fn is_absence(&self) -> bool {
        if let Self::Version(error) = self {
            // What ran once, and is not offered any more.
            return matches!(error.problem, VersionProblem::NotRunnable(_));
        }
        let Self::Registry(error) = self else { return false };
        matches!(error.problem, RegistryProblem::NoSuchPackage { .. } | RegistryProblem::NoSuchVersion { .. })
    }

    /// Whether the registry has the version, in no form that could run here.
    pub const fn is_not_runnable(&self) -> bool {
        let Self::Version(error) = self else { return false };
        matches!(error.problem, VersionProblem::NotRunnable(_))
    }

    /// The error in one sentence, with its causes and without advice.
    pub fn sentence(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        let heads = causes.map(|error| error.to_string().lines().next().unwrap_or_default().to_owned());
        heads.collect::<Vec<_>>().join(": ")
    }

    /// The error for a registry directory that can't be opened.
    pub fn unreachable(registry: &Registry, cause: io::Error) -> Self {
        RegistryProblem::Unusable { doing: "open it".to_owned(), cause }.of(registry)
    }
}

impl From<Expired> for PackageError {
    fn from(expired: Expired) -> Self {
        Self::Timeout(expired)
    }
}

impl From<Halted> for PackageError {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::Expired(expired) => Self::Timeout(expired),
            Halted::Interrupted => Self::Interrupted,
        }
    }
}

impl From<HttpError> for PackageError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Server(error) => Self::Http(error),
            HttpError::Silence { expired, place } => Self::Silence { expired, place },
            HttpError::Halted(halted) => halted.into(),
        }
    }
}

impl From<OciError> for PackageError {
    fn from(error: OciError) -> Self {
        match error {
            OciError::Http(error) => Self::Http(error),
            OciError::Silence { expired, place } => Self::Silence { expired, place },
            OciError::Halted(halted) => halted.into(),
            error @ (OciError::Broken { .. }
            | OciError::Missing { .. }
            | OciError::Denied { .. }
            | OciError::LogIn { .. }
            | OciError::Protocol { .. }
            | OciError::Digest { .. }
            | OciError::TooLarge { .. }
            | OciError::TooMany { .. }
            | OciError::Artefact { .. }) => Self::Oci(Box::new(error)),
        }
    }
}

impl From<StoreError> for PackageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Folder(error) => Self::Folder(error),
            StoreError::Target(error) => Self::Target(error),
            StoreError::Halted(halted) => halted.into(),
        }
    }
}

impl From<UnpackError> for PackageError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Bundle(error) => error.into(),
            UnpackError::Store(error) => error.into(),
        }
    }
}
