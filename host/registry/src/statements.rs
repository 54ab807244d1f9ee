//! Makes signed statements about versions, and puts them into the registry.
//!
//! The caller has the key: it signs bytes that it is given. Nothing here verifies.

use std::fmt;

use crate::RegistryClient;
use crate::directory::DirectoryRegistry;
use crate::error::PackageError;
use crate::error::VersionProblem;
use crate::publish::lock;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::limits;
use smcp_model::package::Resolution;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::statement::StatementTerms;

/// Who signs a statement, and for how long it is valid.
pub struct Attestation<'a> {
    /// The number of the key.
    pub number: String,
    /// Signs bytes with it, as minisign does.
    pub sign: &'a dyn Fn(&[u8]) -> Vec<u8>,
    /// When the statement is made, its end, and its number.
    pub terms: StatementTerms,
}

impl fmt::Debug for Attestation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attestation").field("number", &self.number).field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl Attestation<'_> {
    /// Makes a statement, and signs it.
    pub(crate) fn make(
        &self,
        target: &StatementTarget,
        image: Option<Digest>,
        facts: Facts,
    ) -> Result<(Vec<u8>, Vec<u8>), PackageError> {
        let statement = FactsStatement::new(target, image, facts, self.terms);
        let statement = statement.map_err(|problem| VersionProblem::Unstatable(problem).of(&target.package))?;
        let text = statement.to_text().into_bytes();
        let signature = (self.sign)(&text);
        Ok((text, signature))
    }
}

/// A registry in which statements can be put.
pub trait StatementRegistry: RegistryClient {
    /// Puts a statement about a version there, with a signature: the number of its key, and its text.
    ///
    /// # Errors
    /// When the registry can't be written.
    fn state(
        &self,
        resolution: &Resolution,
        statement: &[u8],
        signature: (&str, &[u8]),
        deadline: &Deadline,
    ) -> Result<(), PackageError>;
}

impl StatementRegistry for DirectoryRegistry {
    fn state(
        &self,
        resolution: &Resolution,
        statement: &[u8],
        signature: (&str, &[u8]),
        _: &Deadline,
    ) -> Result<(), PackageError> {
        let _lock = lock(self)?;
        let Resolution { id, version, manifest_digest, .. } = resolution;
        self.add_statement((id, version, manifest_digest), statement, signature)
    }
}

/// Adds a signed statement with these facts about a version. Returns its digest.
///
/// # Errors
/// When the statement can't be made, or the registry can't be written.
pub fn attest(
    registry: &dyn StatementRegistry,
    resolution: &Resolution,
    facts: Facts,
    attestation: &Attestation<'_>,
) -> Result<Digest, PackageError> {
    let (statement, signature) = attestation.make(&StatementTarget::of(resolution), resolution.image_digest, facts)?;
    add(registry, resolution, &statement, (&attestation.number, &signature))
}

/// Adds a signature of another key to a statement that is there, or the statement with it.
///
/// # Errors
/// When the registry can't be written.
pub fn add(
    registry: &dyn StatementRegistry,
    resolution: &Resolution,
    statement: &[u8],
    signature: (&str, &[u8]),
) -> Result<Digest, PackageError> {
    registry.state(resolution, statement, signature, &Deadline::after(limits::oci::PUSH))?;
    Ok(Digest::of(statement))
}
