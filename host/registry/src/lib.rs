//! Finds and fetches packages in registries, and publishes them.
//!
//! `config` comes before, with the registry and the cache; `pipeline` comes after, and turns the
//! [`ResolvedPackage`](smcp_model::package::ResolvedPackage) into the request to the policies. All data of a registry is
//! hostile until its digest, its identity and its format are checked, and no text of it becomes a path unparsed.
//!
//! ```text
//! PackageRef ──RegistryClient::resolve──► Resolution ──fetch──► ResolvedPackage, in the cache, for `unpack`
//!                                              ▲ │
//!                 offline, if it is recent ────┘ └─► resolutions, in the cache
//! ```

mod answered_statements;
mod asked;
mod credentials;
mod directory;
mod document;
mod error;
mod fetch;
mod http;
mod oci;
mod official;
mod offline;
mod publish;
mod statements;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use crate::credentials::Credentials;
pub use crate::credentials::CredentialsError;
pub use crate::directory::DirectoryRegistry;
pub use crate::directory::Listed;
pub use crate::directory::ListedServers;
pub use crate::directory::ServerQuery;
pub use crate::error::PackageError;
pub use crate::error::RegistryFailure;
pub use crate::error::RegistryProblem;
pub use crate::error::VersionError;
pub use crate::error::VersionProblem;
pub use crate::fetch::describe;
pub use crate::fetch::fetch;
pub use crate::http::HttpRegistry;
pub use crate::oci::Attached;
pub use crate::oci::AttachedPart;
pub use crate::oci::AttachmentLimits;
pub use crate::oci::OciRegistry;
pub use crate::official::OfficialRegistry;
pub use crate::offline::Recalled;
pub use crate::offline::can_recall;
pub use crate::offline::recall;
pub use crate::publish::FactChange;
pub use crate::publish::PublishRequest;
pub use crate::publish::Published;
pub use crate::publish::Restated;
pub use crate::publish::publish;
pub use crate::publish::publish_image;
pub use crate::publish::restate;
pub use crate::statements::Attestation;
pub use crate::statements::StatementRegistry;
pub use crate::statements::add as add_statement;
pub use crate::statements::attest;

use std::fmt;
use std::io::Read;

use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;

/// One of the two files of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artifact {
    /// The manifest.
    Manifest,
    /// The bundle.
    Bundle,
}

impl Artifact {
    /// The most bytes that such a file may have.
    pub fn limit(self) -> u64 {
        match self {
            Self::Manifest => u64::try_from(limits::MANIFEST).unwrap_or(u64::MAX),
            Self::Bundle => limits::BUNDLE,
        }
    }

    /// Checks the length that an answer says it has.
    fn check_length(self, length: Option<u64>, id: &PackageId) -> Result<(), PackageError> {
        let is_longer = length.is_some_and(|length| length > self.limit());
        if is_longer { Err(VersionProblem::TooLarge(self).of(id)) } else { Ok(()) }
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

/// A client of a registry. The files that it returns are not verified: [`fetch`] does that.
pub trait RegistryClient: fmt::Debug {
    /// Finds the version that `wanted` means.
    ///
    /// # Errors
    /// When there is none, when the registry can't be read, or when its answer is about another package or version.
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

    /// Gets the signed statements about a version that was resolved, as they lie in the registry: who has signed them, and
    /// whether they are about it, is for the caller to find out. They are asked for only where a layer goes by them.
    ///
    /// # Errors
    /// When the registry can't be read, or has more statements than are read.
    fn statements(&self, resolution: &Resolution, deadline: &Deadline) -> Result<ArrivedStatements, PackageError>;

    /// Checks that the registry answers at all.
    ///
    /// # Errors
    /// When there is no answer, or when the server is not a registry.
    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError>;

    /// The registry.
    fn registry(&self) -> &Registry;
}
