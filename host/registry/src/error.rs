//! Everything that can go wrong between a name and its bytes.
//!
//! Each crate below has its own small error; what a registry itself is wrong about is in `problem`.

mod kind;
mod problem;

pub use crate::error::problem::RegistryError;
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
use smcp_store::CacheTargetError;
use smcp_store::FolderError;
use smcp_store::StoreError;
use smcp_store::stream::Halted;

/// Why a package could not be had, or could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A registry doesn't have what was asked for, or can't be used.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// What a registry says or has of a package is not in order.
    #[error(transparent)]
    Version(Box<VersionError>),
    /// A document is about something else than what was asked for.
    #[error("identity mismatch: {what} is `{found}`, but it should be `{expected}`")]
    Identity {
        /// Which field of which document.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: SafeText,
    },
    /// A registry behind a URL could not be asked, or answered as none does.
    #[error(transparent)]
    Http(#[from] Box<ServerError>),
    /// A manifest or a bundle can't be used, or can't be made.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The tokens that are kept can't be read or written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The cache, or the folder for what runs, can't be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What was named is not one thing in the cache.
    #[error(transparent)]
    Target(#[from] CacheTargetError),
    /// It took too long.
    #[error("getting the package timed out: {0}\n  `--timeout` or `start_timeout` gives it more time")]
    Timeout(Expired),
    /// It took too long, and somebody else was waited for.
    #[error("getting the package timed out: {expired}, {place}\n  `--timeout` or `start_timeout` gives it more time")]
    Silence {
        /// How long it might have taken.
        expired: Expired,
        /// Who was waited for.
        place: SafeText,
    },
    /// Whoever asked for it wants it no longer.
    #[error("getting the package was interrupted")]
    Interrupted,
}

impl PackageError {
    /// Whether the registry can't be reached at all, or says that it can't answer now, so that an earlier answer of it
    /// may stand in. Never when it answered the question, whatever it said; never when it, or somebody in its place,
    /// could not prove who it is.
    pub fn is_outage(&self) -> bool {
        let refused = [io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput];
        if let Self::Registry(error) = self
            && let RegistryProblem::Unusable { cause, .. } = &error.problem
        {
            return !refused.contains(&cause.kind());
        }
        matches!(self, Self::Http(error) if error.problem.kind() == HttpProblemKind::Unavailable)
    }

    /// Whether the registry answered that there is no such thing.
    pub const fn is_absence(&self) -> bool {
        let Self::Registry(error) = self else { return false };
        matches!(error.problem, RegistryProblem::NoSuchPackage { .. } | RegistryProblem::NoSuchVersion { .. })
    }

    /// What went wrong in one sentence, with its causes and without advice.
    pub fn sentence(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        let heads = causes.map(|error| error.to_string().lines().next().unwrap_or_default().to_owned());
        heads.collect::<Vec<_>>().join(": ")
    }

    /// A registry directory that can't even be opened.
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
