//! The document of a kept answer: our own schema, with every parsed fact.
//!
//! The parsed answer is kept, and not the registry's text: a fact that was doubtful then is doubtful later.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::resolutions::KeptAnswer;
use smcp_model::digest::Digest;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::json;
use smcp_model::package::Resolution;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatement;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;

/// The schema of the document. A changed document gets another name, and then documents of this one count as absent.
const SCHEMA: &str = "smcp.resolution/1";

/// The document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResolutionDocument {
    schema: String,
    resolved_at: u64,
    registry: String,
    package: String,
    version: String,
    manifest_digest: String,
    bundle_digest: String,
    bundle_size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_digest: Option<String>,
    facts: FactsDocument,
    /// Absent when no statements were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statements: Option<Vec<KeptStatement>>,
}

/// A statement as it came; nothing of it was verified.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum KeptStatement {
    Minisign { statement: String, minisign: String },
    Sigstore { sigstore: String },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsDocument {
    status: Option<String>,
    origin: Option<String>,
    cert_level: Option<u8>,
    score: Option<u8>,
    security_score: Option<u8>,
    supply_chain_score: Option<u8>,
    maturity_score: Option<u8>,
    findings: Option<[u32; 4]>,
    git_sha: Option<String>,
    doubts: Vec<String>,
}

impl ResolutionDocument {
    /// Makes the document of the answer to a request of the time `at`.
    pub(super) fn of(resolution: &Resolution, statements: Option<&ArrivedStatements>, at: u64) -> Self {
        let Resolution { id, version, registry, facts, manifest_digest, bundle_digest, bundle_size, image_digest } =
            resolution;
        Self {
            schema: SCHEMA.to_owned(),
            resolved_at: at,
            registry: registry.to_string(),
            package: id.to_string(),
            version: version.to_string(),
            manifest_digest: manifest_digest.to_string(),
            bundle_digest: bundle_digest.to_string(),
            bundle_size: *bundle_size,
            image_digest: image_digest.as_ref().map(ToString::to_string),
            facts: FactsDocument::of(facts),
            statements: statements.map(|all| all.all().iter().filter_map(KeptStatement::of).collect()),
        }
    }

    /// Writes the document as JSON.
    pub(super) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a document; the error is for the log.
    pub(super) fn read(bytes: &[u8]) -> Result<KeptAnswer, String> {
        let document: Self = json::read(bytes).map_err(|problem| problem.to_string())?;
        if document.schema != SCHEMA {
            return Err(format!("its schema is not `{SCHEMA}`"));
        }
        let at = document.resolved_at;
        document.answer(at).ok_or_else(|| "it is damaged".to_owned())
    }

    fn answer(self, at: u64) -> Option<KeptAnswer> {
        let statements = match &self.statements {
            None => None,
            Some(kept) => {
                let mut arrived = ArrivedStatements::default();
                kept.iter().try_for_each(|statement| arrived.add(statement.arrived())).ok()?;
                Some(arrived)
            }
        };
        let Self { schema: _, resolved_at: _, registry, package, version, .. } = &self;
        let resolution = Resolution {
            id: package.parse().ok()?,
            version: version.parse().ok()?,
            registry: Registry::from_text(registry, Path::new("/"), None).ok()?,
            manifest_digest: digest(&self.manifest_digest)?,
            bundle_digest: digest(&self.bundle_digest)?,
            bundle_size: self.bundle_size,
            image_digest: self.image_digest.as_deref().map_or(Some(None), |text| digest(text).map(Some))?,
            facts: self.facts.facts()?,
        };
        Some(KeptAnswer { resolution, statements, at })
    }
}

impl KeptStatement {
    /// Returns what is kept of a statement; `None` for one that is no text, which could not be one.
    fn of(arrived: &ArrivedStatement) -> Option<Self> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match arrived {
            ArrivedStatement::Minisign { statement, signature } => {
                Some(Self::Minisign { statement: text(statement)?, minisign: text(signature)? })
            }
            ArrivedStatement::Sigstore { bundle } => Some(Self::Sigstore { sigstore: text(bundle)? }),
        }
    }

    fn arrived(&self) -> ArrivedStatement {
        match self {
            Self::Minisign { statement, minisign } => ArrivedStatement::Minisign {
                statement: statement.clone().into_bytes(),
                signature: minisign.clone().into_bytes(),
            },
            Self::Sigstore { sigstore } => ArrivedStatement::Sigstore { bundle: sigstore.clone().into_bytes() },
        }
    }
}

fn digest(text: &str) -> Option<Digest> {
    text.parse().ok()
}

impl FactsDocument {
    fn of(facts: &Facts) -> Self {
        let Facts {
            status,
            origin,
            cert_level,
            score,
            security_score,
            supply_chain_score,
            maturity_score,
            findings,
            git_sha,
            doubts,
        } = facts;
        let number = |score: &Option<Score>| score.map(Score::get);
        Self {
            status: status.as_ref().map(|status| status.as_str().to_owned()),
            origin: origin.as_ref().map(|origin| origin.word().to_owned()),
            cert_level: cert_level.map(CertLevel::get),
            score: number(score),
            security_score: number(security_score),
            supply_chain_score: number(supply_chain_score),
            maturity_score: number(maturity_score),
            findings: findings.map(|SeverityCounts { critical, high, medium, low }| [critical, high, medium, low]),
            git_sha: git_sha.as_ref().map(ToString::to_string),
            doubts: doubts.iter().map(ToString::to_string).collect(),
        }
    }

    /// Parses the facts; `None` when one of them is not valid, which smcp never writes.
    fn facts(self) -> Option<Facts> {
        let score = |number: Option<u8>| number.map_or(Some(None), |number| Score::new(number).map(Some));
        let counts = |[critical, high, medium, low]: [u32; 4]| SeverityCounts { critical, high, medium, low };
        Some(Facts {
            status: self.status.as_deref().map(Status::from_word),
            origin: self.origin.map_or(Some(None), |word| Origin::from_word(&word).map(Some))?,
            cert_level: self.cert_level.map_or(Some(None), |level| CertLevel::new(level).map(Some))?,
            score: score(self.score)?,
            security_score: score(self.security_score)?,
            supply_chain_score: score(self.supply_chain_score)?,
            maturity_score: score(self.maturity_score)?,
            findings: self.findings.map(counts),
            git_sha: self.git_sha.as_deref().map(SafeText::new),
            doubts: self.doubts.iter().map(|doubt| SafeText::new(doubt)).collect(),
        })
    }
}
