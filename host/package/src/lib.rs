//! What the user named, as exact bytes: resolved, verified, unpacked.
//!
//! Before it `config` has said which registry and which cache; after it `request` turns the
//! [`ResolvedPackage`](smcp_model::package::ResolvedPackage) into what a policy is told. Everything a registry says is hostile until its digest, its identity and its shape are
//! checked, and nothing it says becomes a path unparsed. All files are reached through the handles of the caller.
//!
//! ```text
//! PackageRef ──RegistryClient::resolve──► Resolution ──fetch──► ResolvedPackage ──unpack──► Unpacked
//!                                              ▲ │
//!                  offline, while it is young ─┘ └─► resolutions, in the cache
//! ```

mod blobs;
mod cache;
mod credentials;
mod directory;
mod document;
mod draft;
mod error;
mod fetch;
mod folder;
mod http;
mod json;
mod manifest;
mod offline;
mod publish;
mod resolutions;
mod runs;
mod stream;
#[cfg(test)]
mod testing;
mod unpack;

use std::fmt;
use std::io::Read;

pub use crate::cache::Cache;
pub use crate::cache::Lease;
pub use crate::cache::error::CacheError;
pub use crate::credentials::Credentials;
pub use crate::credentials::CredentialsError;
pub use crate::directory::DirectoryRegistry;
pub use crate::directory::Listed;
pub use crate::error::PackageError;
pub use crate::fetch::fetch;
pub use crate::http::HttpProblem;
pub use crate::http::HttpRegistry;
pub use crate::http::HttpSettings;
pub use crate::http::ProxySettings;
pub use crate::http::Trust;
pub use crate::manifest::ManifestError;
pub use crate::manifest::Runtime;
pub use crate::manifest::ScaffoldError;
pub use crate::manifest::Scaffolded;
pub use crate::manifest::scaffold;
pub use crate::manifest::schema as manifest_schema;
pub use crate::offline::Recalled;
pub use crate::offline::can_recall;
pub use crate::offline::recall;
pub use crate::publish::Pattern;
pub use crate::publish::PatternError;
pub use crate::publish::PublishRequest;
pub use crate::publish::Published;
pub use crate::publish::publish;
pub use crate::resolutions::Resolutions;
pub use crate::runs::RunFolder;
pub use crate::runs::Runs;
pub use crate::unpack::ArchiveError;
pub use crate::unpack::LeftBehind;
pub use crate::unpack::Unpacked;
pub use crate::unpack::unpack;

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
