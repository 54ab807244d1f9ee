//! Statements as a registry hands them out: bytes, not believed yet.

use crate::limits::signatures;
use crate::limits::statements as limits;
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

impl ArrivedStatement {
    /// The length of the parts, bytes.
    fn size(&self) -> usize {
        match self {
            Self::Minisign { statement, signature } => statement.len().saturating_add(signature.len()),
            Self::Sigstore { bundle } => bundle.len(),
        }
    }

    /// Whether each part is as long as it may be.
    fn is_within(&self) -> bool {
        match self {
            Self::Minisign { statement, signature } => {
                statement.len() <= limits::STATEMENT && signature.len() <= signatures::MINISIGN
            }
            Self::Sigstore { bundle } => bundle.len() <= signatures::SIGSTORE_BUNDLE,
        }
    }
}

impl ArrivedStatements {
    /// Adds a statement.
    ///
    /// # Errors
    /// When it is too long, or there are too many. A part of them is never used: which part would be the registry's choice.
    pub fn add(&mut self, statement: ArrivedStatement) -> Result<(), SafeText> {
        if !statement.is_within() {
            let most = limits::STATEMENT;
            return Err(SafeText::new(&format!("a signed statement is longer than may be read ({most} bytes)")));
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
