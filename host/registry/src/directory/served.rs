//! The part of a directory registry that `serve` uses.
//!
//! Documents are served as they were written; files are verified first.

use std::io;
use std::io::Seek as _;

use serde_json::Value;

use crate::Artifact;
use crate::RegistryClient as _;
use crate::answered_statements;
use crate::directory::DirectoryRegistry;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::json;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Version;
use smcp_store::stream;
use smcp_store::stream::HashedWriter;
use smcp_store::stream::Timed;

impl DirectoryRegistry {
    /// Returns the resolve document of the wanted version as its publisher wrote it: the client checks it again. Only
    /// `ref` is replaced by the selector of the request.
    ///
    /// # Errors
    /// When there is no such version, or its entry is not valid.
    pub fn document(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Value, PackageError> {
        let resolution = self.resolve(wanted, deadline)?;
        let Some((_, text)) = self.entry_text(&resolution.id, &resolution.version)? else {
            return Err(self.missing(wanted)?);
        };
        let mut document: Value = json::read(&text).map_err(|problem| VersionProblem::Document(problem).of(wanted))?;
        if let Value::Object(object) = &mut document {
            object.insert("ref".to_owned(), wanted.selector.to_string().into());
        }
        Ok(document)
    }

    /// Returns the signed statements about a version with this manifest, as clients read them.
    ///
    /// # Errors
    /// When they can't be read, or are too many.
    pub fn stated(&self, id: &PackageId, version: &Version, manifest: &Digest) -> Result<Value, PackageError> {
        self.arrived(id, version, manifest).map(|arrived| answered_statements::written(&arrived))
    }

    /// Verifies the digest of a file, and returns the file, at its start, with its length in bytes.
    ///
    /// # Errors
    /// When it does not exist, can't be read, or has another digest.
    pub fn verified(
        &self,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<(std::fs::File, u64), PackageError> {
        let failed = |cause| self.failed(format!("read the {artifact} {digest}"))(cause);
        let Some(file) = self.blobs().open(digest).map_err(failed)? else {
            return Err(RegistryProblem::MissingBlob { artifact, digest: *digest }.of(self.registry()));
        };
        let mut file = file.into_std();
        let mut sink = HashedWriter::new(io::sink());
        stream::copy(&mut Timed::new(&file, deadline), &mut sink, failed, failed)?;
        let (found, size) = sink.finish();
        stream::check_digest(digest, found).map_err(|mismatch| {
            VersionProblem::DigestMismatch { artifact, mismatch, instead: "" }.of(digest.short())
        })?;
        file.rewind().map_err(failed)?;
        Ok((file, size))
    }
}
