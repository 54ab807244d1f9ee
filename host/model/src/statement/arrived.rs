//! Statements as a registry hands them out: bytes, not believed yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::limits::signatures;
use crate::limits::statements as limits;
use crate::statement::read;
use crate::text::SafeText;

/// A statement and its signature, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrivedStatement {
    /// A statement, and minisign's detached signature of its bytes.
    Minisign {
        /// The statement.
        statement: Vec<u8>,
        /// The four lines of the signature.
        signature: Vec<u8>,
    },
    /// A sigstore bundle, which has the statement in it.
    Sigstore {
        /// The bundle.
        bundle: Vec<u8>,
    },
}

/// The statements about one version, as they came: no more, and no more bytes, than may be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArrivedStatements(Vec<ArrivedStatement>); // INVARIANT: within the limits, checked by `add`.

/// What of a sigstore bundle says what is signed in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawWrapped {
    dsse_envelope: Option<RawPayload>,
}

#[derive(Deserialize)]
struct RawPayload {
    payload: String,
}

impl ArrivedStatement {
    /// The length of the parts, bytes.
    fn size(&self) -> usize {
        match self {
            Self::Minisign { statement, signature } => statement.len().saturating_add(signature.len()),
            Self::Sigstore { bundle } => bundle.len(),
        }
    }

    /// Whether each part is as long as it may be: nobody's statement is longer.
    fn is_within(&self) -> bool {
        match self {
            Self::Minisign { statement, signature } => {
                statement.len() <= limits::STATEMENT && signature.len() <= signatures::MINISIGN
            }
            Self::Sigstore { bundle } => bundle.len() <= limits::BUNDLE,
        }
    }

    /// Whether it is certain that there are no facts in it: a list of what was built in, a signature of an image.
    fn is_about_something_else(&self) -> bool {
        match self {
            Self::Minisign { .. } => false,
            Self::Sigstore { bundle } => match serde_json::from_slice(bundle) {
                Ok(RawWrapped { dsse_envelope: Some(RawPayload { payload }) }) => {
                    // What is no base64 has no signature that fits, whoever reads it.
                    STANDARD.decode(payload).map_or(true, |payload| read::is_about_something_else(&payload))
                }
                Ok(RawWrapped { dsse_envelope: None }) | Err(_) => true,
            },
        }
    }
}

impl ArrivedStatements {
    /// Adds a statement. What is too long to be one, or has certainly something else in it, is passed over, and not counted:
    /// whoever may write to a registry could stop every version with it.
    ///
    /// # Errors
    /// When there are too many. A part of them is never used: which part would be the registry's choice.
    pub fn add(&mut self, statement: ArrivedStatement) -> Result<(), SafeText> {
        if !statement.is_within() || statement.is_about_something_else() {
            return Ok(());
        }
        let total = self.0.iter().map(ArrivedStatement::size).fold(statement.size(), usize::saturating_add);
        if self.0.len() >= limits::PER_VERSION || total > limits::TOTAL {
            let (most, bytes) = (limits::PER_VERSION, limits::TOTAL);
            return Err(SafeText::new(&format!(
                "there are more signed statements about this version than are read ({most}, or {bytes} bytes)"
            )));
        }
        self.0.push(statement);
        Ok(())
    }

    /// The statements.
    pub fn all(&self) -> &[ArrivedStatement] {
        &self.0
    }
}
