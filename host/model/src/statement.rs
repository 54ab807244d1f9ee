//! Signed statements about packages: facts that somebody vouches for.
//!
//! A statement is an in-toto statement about the bytes of one version. `registry` brings statements as they lie there,
//! `signature` finds out who has signed them, and `pipeline` holds them against what each layer says.

mod arrived;
mod read;

pub use crate::statement::arrived::ArrivedStatement;
pub use crate::statement::arrived::ArrivedStatements;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::digest::Digest;
use crate::facts::Facts;
use crate::facts::Origin;
use crate::facts::Score;
use crate::facts::SeverityCounts;
use crate::facts::Status;
use crate::limits::statements as limits;
use crate::package::Resolution;
use crate::text::SafeText;
use crate::time;

/// The type of an in-toto statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate that has facts about a package.
pub const PREDICATE_TYPE: &str = "https://mcp-hub.info/facts/v1";
/// What every version of that predicate begins with.
const PREDICATE_FAMILY: &str = "https://mcp-hub.info/facts/";

/// What a statement's subject is of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectRole {
    /// The manifest document.
    Manifest,
    /// The bundle.
    Bundle,
    /// What a registry of images makes of the two: the manifest of an image. It is for programs that know only images;
    /// smcp goes by the other two.
    Artefact,
}

impl SubjectRole {
    /// Every role, in the order in which statements have them.
    pub const ALL: [Self; 3] = [Self::Manifest, Self::Bundle, Self::Artefact];

    /// The word behind the `#` of a subject's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Bundle => "bundle",
            Self::Artefact => "artefact",
        }
    }
}

/// A statement with facts about one version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsStatement {
    // INVARIANT: the manifest and the bundle are there, and each role is there once at most.
    subjects: Vec<StatedSubject>,
    package: String,
    /// The facts. What is not stated is unknown; there are no doubts.
    facts: Facts,
    terms: StatementTerms,
}

/// One of the things that a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatedSubject {
    role: SubjectRole,
    digest: Digest,
}

/// When a statement was made, how long it is valid, and its place among those about the same version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementTerms {
    /// When it was made, in seconds since the Unix epoch.
    pub issued: u64,
    /// When it ends to be valid, in seconds since the Unix epoch.
    pub expires: u64,
    /// Its number: the newest statement has the highest.
    pub sequence: u64,
}

/// The bytes of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementTarget {
    /// `org/name@version`.
    pub package: String,
    /// The digest of its manifest document.
    pub manifest: Digest,
    /// The digest of its bundle.
    pub bundle: Digest,
}

impl StatementTarget {
    /// What a registry has resolved.
    pub fn of(resolution: &Resolution) -> Self {
        let (manifest, bundle) = (resolution.manifest_digest, resolution.bundle_digest);
        Self { package: resolution.label(), manifest, bundle }
    }
}

impl StatementTerms {
    /// Makes sure that the terms are possible: an end after the beginning, and within a year.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(self) -> Result<Self, SafeText> {
        let Self { issued, expires, sequence } = self;
        if expires <= issued {
            return Err(SafeText::new("it expires before it was issued"));
        }
        if expires.saturating_sub(issued) > limits::VALIDITY.as_secs() {
            return Err(SafeText::new("it expires more than a year after it was issued"));
        }
        if !(1..=limits::SEQUENCE).contains(&sequence) {
            return Err(SafeText::new(&format!("its sequence is not a number from 1 to {}", limits::SEQUENCE)));
        }
        if time::utc_of(expires).is_none() {
            return Err(SafeText::new("it expires after the year 9999"));
        }
        Ok(self)
    }
}

impl FactsStatement {
    /// Makes a statement. `artefact` is the digest of the image that a registry of images makes of the package.
    ///
    /// # Errors
    /// What is wrong with the terms, or with the facts.
    pub fn new(
        target: &StatementTarget,
        artefact: Option<Digest>,
        facts: Facts,
        terms: StatementTerms,
    ) -> Result<Self, SafeText> {
        let StatementTarget { package, manifest, bundle } = target.clone();
        let artefact = artefact.map(|digest| StatedSubject { role: SubjectRole::Artefact, digest });
        let subjects = [
            StatedSubject { role: SubjectRole::Manifest, digest: manifest },
            StatedSubject { role: SubjectRole::Bundle, digest: bundle },
        ];
        let subjects = subjects.into_iter().chain(artefact).collect();
        if facts.origin.as_ref().is_some_and(|origin| origin.word().len() > limits::ORIGIN) {
            return Err(SafeText::new(&format!("the origin has more than {} bytes", limits::ORIGIN)));
        }
        Ok(Self { subjects, package, facts, terms: terms.check()? })
    }

    /// Reads a statement; `None` for one that is no statement with facts, such as a list of what was built in. It is read
    /// strictly: a key that this version does not know could change the meaning of the others.
    ///
    /// # Errors
    /// What is wrong with a statement with facts.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, SafeText> {
        read::read(bytes)
    }

    /// The facts that are stated; all others are unknown.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// When it was made, how long it is valid, and its number.
    pub const fn terms(&self) -> StatementTerms {
        self.terms
    }

    /// `org/name@version`, as the statement has it.
    pub fn package(&self) -> SafeText {
        SafeText::new(&self.package)
    }

    /// Makes sure that the statement is about this version, and these bytes.
    ///
    /// # Errors
    /// What it is about.
    pub fn check_target(&self, target: &StatementTarget) -> Result<(), SafeText> {
        let StatementTarget { package, manifest, bundle } = target;
        if self.package != *package {
            return Err(SafeText::new(&format!("it is about {}", SafeText::quoted_value(&self.package))));
        }
        for (role, expected) in [(SubjectRole::Manifest, manifest), (SubjectRole::Bundle, bundle)] {
            let found = self.subjects.iter().find(|subject| subject.role == role).map(|subject| subject.digest);
            if found != Some(*expected) {
                let found = found.map_or("none".to_owned(), |digest| digest.to_string());
                let role = role.as_str();
                return Err(SafeText::new(&format!("it is about the {role} {found}, and this one is {expected}")));
            }
        }
        Ok(())
    }

    /// The text of the statement, which is what is signed.
    pub fn to_text(&self) -> String {
        let subject = |subject: &StatedSubject| {
            let name = format!("{}#{}", self.package, subject.role.as_str());
            json!({"name": name, "digest": {"sha256": subject.digest.hex()}})
        };
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
        } = &self.facts;
        let number = |score: &Option<Score>| score.map(|score| json!(score));
        let counts = findings.map(|SeverityCounts { critical, high, medium, low }| {
            json!({"critical": critical, "high": high, "medium": medium, "low": low})
        });
        let StatementTerms { issued, expires, sequence } = self.terms;
        let predicate: Map<_, _> = [
            ("status", status.as_ref().map(Status::as_str).map(Value::from)),
            ("origin", origin.as_ref().map(Origin::word).map(Value::from)),
            ("cert_level", cert_level.map(|level| json!(level))),
            ("score", number(score)),
            ("security_score", number(security_score)),
            ("supply_chain_score", number(supply_chain_score)),
            ("maturity_score", number(maturity_score)),
            ("findings", counts),
            ("issued", time::utc_of(issued).map(Value::from)),
            ("expires", time::utc_of(expires).map(Value::from)),
            ("sequence", Some(json!(sequence))),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": self.subjects.iter().map(subject).collect::<Vec<_>>(),
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        });
        format!("{statement:#}\n")
    }
}

#[cfg(test)]
mod tests;
