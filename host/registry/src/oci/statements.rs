//! Signed statements in a registry of images: what refers to a package's image.
//!
//! A statement and its minisign signature are the two parts of one artefact, a sigstore bundle the one part of another. The
//! statements are about the manifest document and the bundle, as elsewhere.

use crate::error::PackageError;
use crate::error::VersionProblem;
use crate::oci::Attached;
use crate::oci::AttachedPart;
use crate::oci::AttachmentLimits;
use crate::oci::OciRegistry;
use crate::statements::StatementRegistry;
use smcp_model::deadline::Deadline;
use smcp_model::limits::statements as limits;
use smcp_model::package::Resolution;
use smcp_model::statement::ArrivedStatement;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;
use smcp_oci::OciError;
use smcp_oci::package::IN_TOTO;
use smcp_oci::package::MINISIGN;
use smcp_oci::package::SIGSTORE_BUNDLE;
use smcp_oci::package::STATEMENT;

impl OciRegistry {
    /// Gets the statements about a version.
    pub(super) fn arrived(
        &self,
        resolution: &Resolution,
        deadline: &Deadline,
    ) -> Result<ArrivedStatements, PackageError> {
        let mut arrived = ArrivedStatements::default();
        let Some(image) = &resolution.image_digest else { return Ok(arrived) };
        let most = AttachmentLimits { count: limits::ATTACHED, part: limits::BUNDLE, total: limits::FETCHED };
        let refused = |problem: SafeText| VersionProblem::Statements(problem).of(resolution.label());
        let all = self.attached(&resolution.id, image, &[STATEMENT, SIGSTORE_BUNDLE], most, deadline);
        let all = all.map_err(|error| {
            // Too many are the same in every kind of registry.
            if let PackageError::Oci(cause) = &error
                && let OciError::TooMany { .. } | OciError::TooLarge { .. } = **cause
            {
                return refused(SafeText::new(&cause.to_string()));
            }
            error
        });
        all?.into_iter().filter_map(statement_in).try_for_each(|statement| arrived.add(statement)).map_err(refused)?;
        Ok(arrived)
    }
}

/// Returns the statement that was attached; `None` for what is not as statements are attached, which is nobody's.
fn statement_in(attached: Attached) -> Option<ArrivedStatement> {
    let Attached { artifact_type, digest: _, parts } = attached;
    let mut parts = parts.into_iter();
    match (artifact_type.as_str(), parts.next(), parts.next(), parts.next()) {
        (STATEMENT, Some(statement), Some(signature), None)
            if statement.media_type == IN_TOTO && signature.media_type == MINISIGN =>
        {
            Some(ArrivedStatement::Minisign { statement: statement.bytes, signature: signature.bytes })
        }
        (SIGSTORE_BUNDLE, Some(bundle), None, None) if bundle.media_type == SIGSTORE_BUNDLE => {
            Some(ArrivedStatement::Sigstore { bundle: bundle.bytes })
        }
        (..) => None,
    }
}

impl StatementRegistry for OciRegistry {
    fn state(
        &self,
        resolution: &Resolution,
        statement: &[u8],
        signature: (&str, &[u8]),
        deadline: &Deadline,
    ) -> Result<(), PackageError> {
        let Some(image) = &resolution.image_digest else {
            let problem = SafeText::new("the registry has said nothing of its image");
            return Err(VersionProblem::Unstatable(problem).of(resolution.label()));
        };
        let part =
            |media_type: &str, bytes: &[u8]| AttachedPart { media_type: media_type.to_owned(), bytes: bytes.to_vec() };
        let (_, signature) = signature;
        let parts = [part(IN_TOTO, statement), part(MINISIGN, signature)];
        self.attach(&resolution.id, image, STATEMENT, &parts, deadline).map(drop)
    }
}
