//! Registries: what the user named, as exact bytes; and how it is published.
//!
//! Before it `config` has said which registry and which cache; after it the pipeline turns the
//! [`ResolvedPackage`](smcp_model::package::ResolvedPackage) into what a policy is told. Everything a registry says is
//! hostile until its digest, its identity and its shape are checked, and nothing it says becomes a path unparsed.
//!
//! ```text
//! PackageRef ──RegistryClient::resolve──► Resolution ──fetch──► ResolvedPackage, in the cache, for `unpack`
//!                                              ▲ │
//!                  offline, while it is young ─┘ └─► resolutions, in the cache
//! ```

mod credentials;
mod directory;
mod document;
mod error;
mod fetch;
mod http;
mod offline;
mod publish;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use crate::credentials::Credentials;
pub use crate::credentials::CredentialsError;
pub use crate::directory::DirectoryRegistry;
pub use crate::directory::Listed;
pub use crate::error::PackageError;
pub use crate::error::RegistryError;
pub use crate::error::RegistryProblem;
pub use crate::error::VersionError;
pub use crate::error::VersionProblem;
pub use crate::fetch::fetch;
pub use crate::http::HttpRegistry;
pub use crate::offline::Recalled;
pub use crate::offline::can_recall;
pub use crate::offline::recall;
pub use crate::publish::PublishRequest;
pub use crate::publish::Published;
pub use crate::publish::publish;

use std::fmt;
use std::io::Read;

use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::registry::Registry;

/// Which of a version's two files is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artifact {
    /// Its manifest.
    Manifest,
    /// Its bundle.
    Bundle,
}

impl Artifact {
    /// The most that is read of one, bytes.
    pub fn limit(self) -> u64 {
        match self {
            Self::Manifest => u64::try_from(limits::MANIFEST).unwrap_or(u64::MAX),
            Self::Bundle => limits::BUNDLE,
        }
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Manifest => "manifest",
            Self::Bundle => "bundle",
        })
    }
}

/// A registry that can be asked. What it hands out is not yet verified: [`fetch`] does that.
pub trait RegistryClient: fmt::Debug {
    /// Finds the version that is meant.
    ///
    /// # Errors
    /// When there is none, when the registry can't be read, or when its answer is about something else.
    fn resolve(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError>;

    /// Opens one of a version's files.
    ///
    /// # Errors
    /// When the registry doesn't have it, or can't be read.
    fn artifact(
        &self,
        id: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError>;

    /// Finds out whether a registry answers, about nothing in particular.
    ///
    /// # Errors
    /// When nobody answers, or somebody who is no registry.
    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError>;

    /// The registry that this asks.
    fn registry(&self) -> &Registry;
}
