//! Reads a statement, strictly.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::facts::CertLevel;
use crate::facts::Facts;
use crate::facts::Origin;
use crate::facts::Score;
use crate::facts::SeverityCounts;
use crate::facts::Status;
use crate::json;
use crate::limits::statements as limits;
use crate::statement::FactsStatement;
use crate::statement::PREDICATE_FAMILY;
use crate::statement::PREDICATE_TYPE;
use crate::statement::STATEMENT_TYPE;
use crate::statement::StatedSubject;
use crate::statement::StatementTerms;
use crate::statement::SubjectRole;
use crate::text::SafeText;
use crate::time;

/// What of any statement says which kind it is.
#[derive(Deserialize)]
#[serde(expecting = "a statement")]
struct RawKind {
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a statement")]
struct RawFactsStatement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<RawStatedSubject>,
    /// Read before, by [`RawKind`].
    #[serde(rename = "predicateType")]
    _predicate_type: IgnoredAny,
    predicate: RawPredicate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a subject")]
struct RawStatedSubject {
    name: String,
    digest: RawStatedDigest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a digest by sha256")]
struct RawStatedDigest {
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "the facts")]
struct RawPredicate {
    status: Option<String>,
    origin: Option<String>,
    cert_level: Option<CertLevel>,
    score: Option<Score>,
    security_score: Option<Score>,
    supply_chain_score: Option<Score>,
    maturity_score: Option<Score>,
    findings: Option<RawStatedFindings>,
    issued: String,
    expires: String,
    sequence: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "findings by severity")]
struct RawStatedFindings {
    critical: u32,
    high: u32,
    medium: u32,
    low: u32,
}

/// Whether the bytes are a statement of another kind.
pub(super) fn is_about_something_else(bytes: &[u8]) -> bool {
    let kind: Option<RawKind> = serde_json::from_slice(bytes).ok();
    kind.is_some_and(|RawKind { predicate_type }| !predicate_type.starts_with(PREDICATE_FAMILY))
}

pub(super) fn read(bytes: &[u8]) -> Result<Option<FactsStatement>, SafeText> {
    if bytes.len() > limits::STATEMENT {
        return Err(SafeText::new(&format!("it has more than {} bytes", limits::STATEMENT)));
    }
    let document = json::Document::new(bytes)?;
    let RawKind { predicate_type } = document.read()?;
    if !predicate_type.starts_with(PREDICATE_FAMILY) {
        return Ok(None);
    }
    if predicate_type != PREDICATE_TYPE {
        let found = SafeText::quoted_value(&predicate_type);
        return Err(SafeText::new(&format!("it has facts of the form {found}, which this smcp does not know")));
    }
    let RawFactsStatement { kind, subject, _predicate_type: _, predicate } = document.read()?;
    if kind != STATEMENT_TYPE {
        return Err(SafeText::new(&format!("its type is {}", SafeText::quoted_value(&kind))));
    }
    let (package, subjects) = subjects(&subject)?;
    let (facts, terms) = predicate.parse()?;
    Ok(Some(FactsStatement { subjects, package, facts, terms: terms.check()? }))
}

/// Returns the package that all subjects are of, and their roles and digests.
fn subjects(raw: &[RawStatedSubject]) -> Result<(String, Vec<StatedSubject>), SafeText> {
    let named = |found: &str| {
        let found = SafeText::quoted_value(found);
        SafeText::new(&format!("its subject `{found}` is none of the manifest, bundle and artefact of one version"))
    };
    let mut package: Option<&str> = None;
    let mut subjects: Vec<StatedSubject> = Vec::new();
    for RawStatedSubject { name, digest } in raw {
        let (label, role) = name.split_once('#').ok_or_else(|| named(name))?;
        let role = SubjectRole::ALL.into_iter().find(|known| known.as_str() == role).ok_or_else(|| named(name))?;
        let is_repeated = subjects.iter().any(|subject| subject.role == role);
        if is_repeated || package.is_some_and(|package| package != label) {
            return Err(named(name));
        }
        package = Some(label);
        let digest: Digest =
            format!("sha256:{}", digest.sha256).parse().map_err(|error| SafeText::new(&format!("{error}")))?;
        subjects.push(StatedSubject { role, digest });
    }
    let has = |role| subjects.iter().any(|subject| subject.role == role);
    match package {
        Some(package) if has(SubjectRole::Manifest) && has(SubjectRole::Bundle) => Ok((package.to_owned(), subjects)),
        Some(_) | None => Err(SafeText::new("its subjects are not the manifest and the bundle of a version")),
    }
}

impl RawPredicate {
    fn parse(self) -> Result<(Facts, StatementTerms), SafeText> {
        let Self {
            status,
            origin,
            cert_level,
            score,
            security_score,
            supply_chain_score,
            maturity_score,
            findings,
            issued,
            expires,
            sequence,
        } = self;
        let moment = |key: &str, text: &str| {
            let found = SafeText::quoted_value(text);
            time::seconds_of(text).ok_or_else(|| SafeText::new(&format!("its `{key}` is `{found}`, which is no time")))
        };
        let origin = origin.map(|word| match Origin::from_word(&word) {
            Some(origin) if word.len() <= limits::ORIGIN => Ok(origin),
            Some(_) | None => Err(SafeText::new(&format!("its origin `{}` is no word", SafeText::quoted(&word)))),
        });
        let facts = Facts {
            status: status.as_deref().map(Status::from_word),
            origin: origin.transpose()?,
            cert_level,
            score,
            security_score,
            supply_chain_score,
            maturity_score,
            findings: findings.map(|RawStatedFindings { critical, high, medium, low }| SeverityCounts {
                critical,
                high,
                medium,
                low,
            }),
            git_sha: None,
            doubts: Vec::new(),
        };
        let terms =
            StatementTerms { issued: moment("issued", &issued)?, expires: moment("expires", &expires)?, sequence };
        Ok((facts, terms))
    }
}
