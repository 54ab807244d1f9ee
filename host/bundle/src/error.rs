//! The errors of manifests and bundles.

use std::error::Error;
use std::fmt;
use std::io;

use crate::manifest::ManifestError;
use crate::mcpb::McpbError;
use crate::unpack::ArchiveError;
use smcp_model::text::SafeText;
use smcp_store::StoreError;
use smcp_store::stream::DigestMismatch;

/// Why a manifest or a bundle can't be used, or can't be made.
#[derive(Debug)]
pub struct BundleError {
    /// The package: `org/name@version`.
    pub label: String,
    /// The problem.
    pub kind: BundleErrorKind,
}

/// The problem with a manifest or a bundle.
#[derive(Debug)]
pub enum BundleErrorKind {
    /// The manifest can't be used.
    Manifest(ManifestError),
    /// The package is an MCP bundle that can't be used.
    Mcpb(McpbError),
    /// The bundle can't be unpacked.
    Archive(ArchiveError),
    /// The bundle no longer has its digest.
    Changed(DigestMismatch),
    /// A directory has something that can't be packed.
    Unpublishable(String),
    /// A file in a directory to be packed can't be read.
    UnreadableSource {
        /// The file, relative to the directory.
        path: SafeText,
        /// The error of the system.
        cause: io::Error,
    },
}

/// Why a bundle was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The bundle can't be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The cache or the folder of the run can't be used, or the user stops smcp.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BundleErrorKind {
    /// Makes an error about the package with this label.
    pub fn of(self, label: impl Into<String>) -> BundleError {
        BundleError { label: label.into(), kind: self }
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, kind } = self;
        match kind {
            BundleErrorKind::Manifest(problem) => write!(f, "the manifest of {label} can't be used: {problem}"),
            BundleErrorKind::Mcpb(problem) => write!(f, "{label} can't be used: {problem}"),
            BundleErrorKind::Archive(problem) => write!(f, "the bundle of {label} can't be used: {problem}"),
            BundleErrorKind::Changed(mismatch) => write!(f, "the bundle of {label} {mismatch}"),
            BundleErrorKind::Unpublishable(problem) => write!(f, "{label} can't be published: {problem}"),
            BundleErrorKind::UnreadableSource { path, .. } => {
                write!(f, "{label} can't be published: can't read `{path}`")
            }
        }
    }
}

impl Error for BundleError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            BundleErrorKind::UnreadableSource { cause, .. } => Some(cause),
            BundleErrorKind::Manifest(_)
            | BundleErrorKind::Mcpb(_)
            | BundleErrorKind::Archive(_)
            | BundleErrorKind::Changed(_)
            | BundleErrorKind::Unpublishable(_) => None,
        }
    }
}
