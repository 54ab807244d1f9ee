//! Refusals of components that are not signed as the configuration says.

use std::path::PathBuf;

use crate::PipelineError;
use crate::Session;
use smcp_authority::GuardedReader;
use smcp_model::deadline::Deadline;
use smcp_model::name::PolicyName;
use smcp_model::policy::PolicySpec;
use smcp_model::text::SafeText;
use smcp_signature::SignerFileError;

/// A component is not signed by anybody that its configuration names.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "policy `{name}`: the component {} is not signed as the configuration says\n  \
     found: {found}\n  expected: {expected}\n  \
     sign the component (`smcp policy sign`), or put the new signer into `signed_by` if the change is meant; until then \
     nothing runs",
    component
)]
pub struct SignatureMismatch {
    /// The policy.
    pub name: PolicyName,
    /// The component: its file, or where it comes from.
    pub component: SafeText,
    /// What there is.
    pub found: SafeText,
    /// Who should have signed.
    pub expected: SafeText,
}

/// A file that `signed_by` names can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}, which `signed_by` names, can't be used: {why}", file.display())]
pub struct SignerFile {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl SignatureMismatch {
    /// The refusal on one line, for a list of policies.
    pub fn line(&self) -> SafeText {
        SafeText::new(&format!("it is not signed by {}: {}", self.expected, self.found))
    }
}

impl From<SignerFileError> for SignerFile {
    fn from(error: SignerFileError) -> Self {
        let why = error.cause();
        Self { file: error.file, why }
    }
}

/// Reads the component of a policy as a start would, and returns who has signed it; `None` when nobody need to have, or
/// the component can't be read.
///
/// # Errors
/// As for a start: [`PipelineError::Signature`] when nobody has signed it who may.
pub fn check_signature(session: &Session, spec: &PolicySpec) -> Result<Option<SafeText>, PipelineError> {
    let component = session.component(spec, &mut GuardedReader::default(), &Deadline::none())?;
    Ok(component.ok().and_then(|component| component.signer().cloned()))
}
