//! A signed statement by which a layer knew the facts of a package.

use crate::digest::Digest;
use crate::facts::CertLevel;
use crate::facts::Facts;
use crate::facts::Origin;
use crate::facts::Score;
use crate::facts::SeverityCounts;
use crate::facts::Status;
use crate::policy::LayerName;
use crate::statement::FactsStatement;
use crate::text::SafeText;
use crate::time;

/// A statement that a layer goes by, with every fact that its policies were told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StatedDocument {
    /// The layer.
    pub layer: LayerName,
    /// Who has signed the statement.
    pub signer: SafeText,
    /// Its number.
    pub sequence: u64,
    /// The digest of the statement.
    pub digest: Digest,
    /// When it was made: RFC 3339, UTC.
    pub issued: SafeText,
    /// When it ends: RFC 3339, UTC.
    pub expires: SafeText,
    /// The status.
    pub status: Option<SafeText>,
    /// The kind of the package's publisher.
    pub origin: Option<SafeText>,
    /// Its certification level.
    pub cert_level: Option<CertLevel>,
    /// Its security score.
    pub score: Option<Score>,
    /// The part of the score about the code; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_score: Option<Score>,
    /// The part of the score about dependencies and build; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply_chain_score: Option<Score>,
    /// The part of the score about maintenance; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maturity_score: Option<Score>,
    /// The findings, critical ones first; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<[u32; 4]>,
}

impl StatedDocument {
    /// The document of a statement that a layer goes by.
    pub fn new(layer: LayerName, signer: &SafeText, digest: Digest, statement: &FactsStatement) -> Self {
        let Facts {
            status,
            origin,
            cert_level,
            score,
            security_score,
            supply_chain_score,
            maturity_score,
            findings,
            git_sha: _,
            doubts: _,
        } = statement.facts();
        let terms = statement.terms();
        let moment = |seconds| SafeText::new(&time::utc_of(seconds).unwrap_or_default());
        let counts = |SeverityCounts { critical, high, medium, low }: SeverityCounts| [critical, high, medium, low];
        Self {
            layer,
            signer: signer.clone(),
            sequence: terms.sequence,
            digest,
            issued: moment(terms.issued),
            expires: moment(terms.expires),
            status: status.as_ref().map(|status| SafeText::new(Status::as_str(status))),
            origin: origin.as_ref().map(|origin| SafeText::new(origin.word())),
            cert_level: *cert_level,
            score: *score,
            security_score: *security_score,
            supply_chain_score: *supply_chain_score,
            maturity_score: *maturity_score,
            findings: findings.map(counts),
        }
    }
    /// The facts that it states.
    pub fn facts(&self) -> Facts {
        let counts = |[critical, high, medium, low]: [u32; 4]| SeverityCounts { critical, high, medium, low };
        Facts {
            status: self.status.as_ref().map(|word| Status::from_word(word.as_str())),
            origin: self.origin.as_ref().and_then(|word| Origin::from_word(word.as_str())),
            cert_level: self.cert_level,
            score: self.score,
            security_score: self.security_score,
            supply_chain_score: self.supply_chain_score,
            maturity_score: self.maturity_score,
            findings: self.findings.map(counts),
            git_sha: None,
            doubts: Vec::new(),
        }
    }
}
