//! A facts document: the subject of a request as JSON (spec 5).

mod written;

pub use written::document_of;

use std::path::Path;

use serde_json::Value;

use crate::model::digest::Digest;
use crate::model::encoding;
use crate::model::facts::CertLevel;
use crate::model::facts::FactReading;
use crate::model::facts::Facts;
use crate::model::facts::Origin;
use crate::model::facts::Score;
use crate::model::facts::SeverityCounts;
use crate::model::facts::Status;
use crate::model::manifest::Entrypoint;
use crate::model::manifest::Permissions;
use crate::model::manifest::Transport;
use crate::model::registry::Registry;
use crate::model::request::Subject;
use crate::model::text::SafeText;

/// A facts document can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not JSON of the right shape; the cause says where and what is allowed.
    #[error("the facts document is not what it should be: {0}")]
    Shape(serde_json::Error),
    /// It is JSON, but a list or a bare value.
    #[error("the facts document is not what it should be: expected an object, such as {{\"score\": 80}}")]
    NotAnObject,
    /// A digest in it is none.
    #[error("`{field}` of the facts document: {cause}")]
    Digest {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        cause: crate::model::digest::DigestError,
    },
    /// Its registry is none.
    #[error("`registry` of the facts document: {0}")]
    Registry(crate::model::registry::RegistryError),
}

/// The fields of `request.subject` in snake_case, all of them optional: what is absent is unknown.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Document {
    #[serde(default = "unnamed_org")]
    org: String,
    #[serde(default = "unnamed")]
    name: String,
    #[serde(default = "unversioned")]
    version: String,
    registry: Option<String>,
    status: Option<String>,
    origin: Option<Value>,
    cert_level: Option<Value>,
    score: Option<Value>,
    security_score: Option<Value>,
    supply_chain_score: Option<Value>,
    maturity_score: Option<Value>,
    findings: Option<Counts>,
    manifest_digest: Option<String>,
    bundle_digest: Option<String>,
    git_sha: Option<String>,
    transport: Option<Word>,
    entrypoint: Option<Start>,
    permissions: Option<Asked>,
    manifest: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Counts {
    #[serde(default)]
    critical: u32,
    #[serde(default)]
    high: u32,
    #[serde(default)]
    medium: u32,
    #[serde(default)]
    low: u32,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Stdio,
    Http,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Start {
    command: String,
    #[serde(default)]
    args: Vec<String>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
struct Asked {
    network: Vec<String>,
    filesystem_read: Vec<String>,
    filesystem_write: Vec<String>,
    environment: Vec<String>,
    subprocess: bool,
}

fn unnamed_org() -> String {
    "local".to_owned()
}

fn unnamed() -> String {
    "facts".to_owned()
}

fn unversioned() -> String {
    "0.0.0".to_owned()
}

/// Reads a facts document. Facts that can't be believed (out of range, of the wrong type) are unknown, with a doubt,
/// as they would be from a registry; everything else that is wrong is an error.
///
/// # Errors
/// See [`DocumentError`].
pub fn subject_from_document(bytes: &[u8], base: &Path, home: Option<&Path>) -> Result<Subject, DocumentError> {
    // A list would be read as the fields' values in order, whatever they were meant for.
    let bytes = encoding::without_mark(bytes);
    if !bytes.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<Value>(bytes).is_ok() {
        return Err(DocumentError::NotAnObject);
    }
    let mut document: Document = serde_json::from_slice(bytes).map_err(DocumentError::Shape)?;
    let registry = document.registry.take().map(|text| Registry::from_text(&text, base, home));
    let registry = registry.transpose().map_err(DocumentError::Registry)?;
    let manifest_digest = digest("manifest_digest", document.manifest_digest.as_deref())?;
    let bundle_digest = digest("bundle_digest", document.bundle_digest.as_deref())?;
    Ok(Subject {
        registry,
        manifest_digest,
        bundle_digest,
        facts: facts(&mut document),
        org: document.org,
        name: document.name,
        version: document.version,
        transport: document.transport.map(|word| match word {
            Word::Stdio => Transport::Stdio,
            Word::Http => Transport::Http,
        }),
        entrypoint: document.entrypoint.map(|start| Entrypoint {
            command: start.command,
            args: start.args,
            ..Entrypoint::default()
        }),
        permissions: document.permissions.map(|asked| Permissions {
            network: asked.network,
            filesystem_read: asked.filesystem_read,
            filesystem_write: asked.filesystem_write,
            environment: asked.environment,
            subprocess: asked.subprocess,
        }),
        manifest: document.manifest,
    })
}

fn digest(field: &'static str, text: Option<&str>) -> Result<Option<Digest>, DocumentError> {
    text.map(str::parse).transpose().map_err(|cause| DocumentError::Digest { field, cause })
}

fn facts(document: &mut Document) -> Facts {
    let mut doubts = Vec::new();
    let mut score = |value: &Option<Value>, name| {
        FactReading::integer(value.as_ref(), Score::new).settle(name, "an integer from 0 to 100", &mut doubts)
    };
    let (whole, security, supply_chain, maturity) = (
        score(&document.score, "score"),
        score(&document.security_score, "security_score"),
        score(&document.supply_chain_score, "supply_chain_score"),
        score(&document.maturity_score, "maturity_score"),
    );
    let level = FactReading::integer(document.cert_level.as_ref(), CertLevel::new);
    Facts {
        status: document.status.as_deref().map(Status::from_word),
        origin: origin(document.origin.as_ref()).settle("origin", "a word", &mut doubts),
        cert_level: level.settle("cert_level", "an integer from 0 to 3", &mut doubts),
        score: whole,
        security_score: security,
        supply_chain_score: supply_chain,
        maturity_score: maturity,
        findings: document.findings.as_ref().map(|counts| SeverityCounts {
            critical: counts.critical,
            high: counts.high,
            medium: counts.medium,
            low: counts.low,
        }),
        git_sha: document.git_sha.as_deref().map(SafeText::new),
        doubts,
    }
}

fn origin(value: Option<&Value>) -> FactReading<Origin> {
    match value {
        None | Some(Value::Null) => FactReading::Absent,
        Some(Value::String(word)) => Origin::from_word(word).map_or(FactReading::Absent, FactReading::Known),
        Some(other) => FactReading::Doubtful(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Subject, DocumentError> {
        subject_from_document(json.as_bytes(), Path::new("/base"), None)
    }

    #[test]
    fn what_is_absent_is_unknown() {
        let subject = read("{}").unwrap();
        assert_eq!(subject.label(), "local/facts@0.0.0");
        assert_eq!(subject.facts, Facts::default());
        assert_eq!(subject.permissions, None);
    }

    #[test]
    fn facts_out_of_range_are_unknown_and_said_to_be() {
        let subject = read(r#"{"origin": 3, "cert_level": 100, "score": 72.5, "maturity_score": -1}"#).unwrap();
        let Facts { origin, cert_level, score, maturity_score, doubts, .. } = subject.facts;
        assert_eq!((origin, cert_level, score, maturity_score), (None, None, None, None));
        assert_eq!(doubts.len(), 4);
    }

    #[test]
    fn a_document_that_is_wrong_is_refused_with_the_place() {
        for (json, says) in [
            ("", "EOF"),
            ("[]", "expected an object, such as"),
            ("[\"acme\", \"tool\", \"1.0.0\"]", "expected an object, such as"),
            ("{\"findings\": 3}", "invalid type: integer `3`, expected an object"),
            ("{\"entrypoint\": \"server\"}", "expected an object"),
            ("{\"permissions\": true}", "expected an object"),
            ("{\"scor\": 80}", "unknown field `scor`, expected one of"),
            ("{\"score\": 80, \"score\": 90}", "duplicate field `score`"),
            ("{\"status\": 1}", "line 1 column 12"),
            ("{\"transport\": \"carrier\"}", "expected `stdio` or `http`"),
            ("{\"bundle_digest\": \"sha256:00\"}", "`bundle_digest`"),
            ("{\"registry\": \"ftp://x\"}", "`registry`"),
            ("{\"permissions\": {\"net\": []}}", "unknown field `net`"),
            ("{} {}", "trailing characters"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(says), "{json}: {error}");
        }
    }
}
