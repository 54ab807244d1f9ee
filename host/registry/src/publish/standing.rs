//! What stays of a version that is published again: its status, its facts.
//!
//! The request comes before; the two documents of the registry come after, made of what stands here.

use std::fmt;

use serde_json::Map;
use serde_json::Value;

use crate::Artifact;
use crate::directory::DirectoryRegistry;
use crate::error::PackageError;
use crate::error::VersionProblem;
use crate::publish::PublishRequest;
use crate::publish::stated;
use smcp_bundle::manifest;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::facts::Facts;
use smcp_model::facts::Status;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::package::Resolution;
use smcp_model::text::SafeText;

/// What is said of a fact that nobody has stated.
const UNKNOWN: &str = "unknown";

/// A fact of a version that was there already is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// What people call the fact.
    pub fact: &'static str,
    /// What it was.
    pub before: SafeText,
    /// What it is.
    pub after: SafeText,
}

impl fmt::Display for FactChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fact, before, after } = self;
        write!(f, "{fact} {before} → {after}")
    }
}

/// Returns the facts of a version that is about to be visible, and what changes by that.
///
/// # Errors
/// When the version has a status with which it never runs, and the request does not say what it is now.
pub(super) fn settle(
    registry: &DirectoryRegistry,
    request: &PublishRequest<'_>,
    known: Option<&Resolution>,
) -> Result<(Facts, Vec<FactChange>), PackageError> {
    let given = stated(request);
    let Some(known) = known else { return Ok((given, Vec::new())) };
    let status = match (&request.status, &known.facts.status) {
        (Some(status), _) => status.clone(),
        (None, Some(Status::Refused(word))) => {
            return Err(VersionProblem::Withdrawn(SafeText::quoted(word)).of(known.label()));
        }
        (None, Some(kept @ (Status::Published | Status::Deprecated))) => kept.clone(),
        (None, None) => Status::Published,
    };
    let there = match facts_of(registry, known) {
        Ok(there) => there,
        Err(error) if request.keep_facts => return Err(error),
        // Nothing depends on a manifest that is about to be written again.
        Err(_) => known.facts.clone(),
    };
    let mut facts = Facts { status: Some(status), ..given };
    if request.keep_facts {
        facts.origin = facts.origin.or_else(|| there.origin.clone());
        facts.cert_level = facts.cert_level.or(there.cert_level);
        facts.score = facts.score.or(there.score);
        facts.findings = facts.findings.or(there.findings);
    }
    let changes = shown(&there).into_iter().zip(shown(&facts));
    let changes = changes.filter(|(before, after)| before != after);
    let changes = changes.map(|((fact, before), (_, after))| FactChange { fact, before, after });
    Ok((facts, changes.collect()))
}

/// The facts of a version that is there: those of its document, and of its manifest.
fn facts_of(registry: &DirectoryRegistry, known: &Resolution) -> Result<Facts, PackageError> {
    let document = manifest_of(registry, known)?;
    Ok(manifest::believe(document.get("certification"), known.facts.clone()))
}

/// The manifest of a version that is there.
pub(super) fn manifest_of(
    registry: &DirectoryRegistry,
    known: &Resolution,
) -> Result<Map<String, Value>, PackageError> {
    let digest = &known.manifest_digest;
    let (file, _) = registry.verified(Artifact::Manifest, digest, &Deadline::none())?;
    let read = bounded::read_within(file, limits::MANIFEST, 0).map_err(registry.failed("read a manifest"))?;
    let bytes = read.ok_or_else(|| VersionProblem::TooLarge(Artifact::Manifest).of(known.label()))?;
    json::read(&bytes).map_err(|problem| VersionProblem::Document(problem).of(known.label()))
}

/// The facts that a publisher states, for people.
fn shown(facts: &Facts) -> [(&'static str, SafeText); 5] {
    let text = |text: Option<String>| text.map_or_else(|| SafeText::new(UNKNOWN), |text| SafeText::quoted(&text));
    let status = facts.status.as_ref().unwrap_or(&Status::Published).as_str().to_owned();
    let findings = facts.findings.map(|it| format!("{},{},{},{}", it.critical, it.high, it.medium, it.low));
    [
        ("status", text(Some(status))),
        ("origin", text(facts.origin.as_ref().map(|origin| origin.word().to_owned()))),
        ("level", text(facts.cert_level.map(|level| level.get().to_string()))),
        ("score", text(facts.score.map(|score| score.get().to_string()))),
        ("findings", text(findings)),
    ]
}
