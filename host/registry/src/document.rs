//! Resolve documents: a registry's answer, in the format of the real API.
//!
//! A fact that is not valid becomes unknown. A name, a version or a digest that is not valid is an error.

use serde_json::Value;
use serde_json::json;

use crate::error::PackageError;
use crate::error::VersionProblem;
use smcp_model::digest::Digest;
use smcp_model::facts::CertLevel;
use smcp_model::facts::FactReading;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Status;
use smcp_model::json;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawDocument {
    package: String,
    #[serde(rename = "ref")]
    reference: Option<String>,
    origin: Option<Value>,
    resolved: RawResolved,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawResolved {
    version: String,
    git_sha: Option<Value>,
    status: Option<Value>,
    certification_level: Option<Value>,
    manifest: RawArtifact,
    bundle: RawArtifact,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawArtifact {
    digest: String,
    size_bytes: Option<u64>,
}

/// Reads the answer to `wanted`, and checks that it is about that.
pub(super) fn read(bytes: &[u8], wanted: &PackageRef, registry: &Registry) -> Result<Resolution, PackageError> {
    let invalid = |problem: SafeText| VersionProblem::Document(problem).of(wanted);
    let RawDocument { package, reference, origin, resolved } = json::read(bytes).map_err(invalid)?;
    let RawResolved { version, git_sha, status, certification_level, manifest, bundle } = resolved;
    if package != wanted.id.to_string() {
        return Err(PackageError::Identity {
            what: "the package in the registry's answer",
            expected: wanted.id.to_string(),
            found: SafeText::quoted(&package),
        });
    }
    let version = version.parse().map_err(|_| {
        invalid(SafeText::new(&format!("`resolved.version` is `{}`, which is no version", SafeText::quoted(&version))))
    })?;
    let digest = |field: &str, artifact: &RawArtifact| -> Result<Digest, PackageError> {
        artifact.digest.parse().map_err(|error| invalid(SafeText::new(&format!("`{field}`: {error}"))))
    };
    let resolution = Resolution {
        id: wanted.id.clone(),
        version,
        registry: registry.clone(),
        manifest_digest: digest("resolved.manifest.digest", &manifest)?,
        bundle_digest: digest("resolved.bundle.digest", &bundle)?,
        bundle_size: bundle.size_bytes,
        image_digest: None,
        facts: facts(origin, status, certification_level, git_sha),
    };
    check_selector(wanted, &resolution)?;
    check_echo(reference.as_deref(), wanted, &resolution)?;
    Ok(resolution)
}

/// Checks the reference that the answer repeats, if any: it has to be the wanted one, or the answer's own version.
fn check_echo(echo: Option<&str>, wanted: &PackageRef, resolution: &Resolution) -> Result<(), PackageError> {
    let asked = wanted.selector.to_string();
    match echo {
        Some(found) if found != asked && found != resolution.version.as_str() => Err(PackageError::Identity {
            what: "the reference in the registry's answer",
            expected: asked,
            found: SafeText::quoted(found),
        }),
        Some(_) | None => Ok(()),
    }
}

fn check_selector(wanted: &PackageRef, resolution: &Resolution) -> Result<(), PackageError> {
    let mismatch = |what, expected: String, found: String| {
        Err(PackageError::Identity { what, expected, found: SafeText::new(&found) })
    };
    match &wanted.selector {
        Selector::Latest => Ok(()),
        Selector::Exact(version) if *version == resolution.version => Ok(()),
        Selector::Exact(version) => {
            mismatch("the version in the registry's answer", version.to_string(), resolution.version.to_string())
        }
        Selector::Digest(digest) if *digest == resolution.manifest_digest || *digest == resolution.bundle_digest => {
            Ok(())
        }
        Selector::Digest(digest) => mismatch(
            "the bundle's digest in the registry's answer",
            digest.to_string(),
            resolution.bundle_digest.to_string(),
        ),
    }
}

fn facts(origin: Option<Value>, status: Option<Value>, level: Option<Value>, git_sha: Option<Value>) -> Facts {
    let mut doubts = Vec::new();
    let origin = text(origin, "origin", &mut doubts).and_then(|word| Origin::from_word(&word));
    // A status of the wrong type is unknown, not absent: an absent one would be accepted.
    let status = status.map(|value| match value {
        Value::String(word) => Status::from_word(&word),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Status::Refused(SafeText::quoted(&other.to_string()).as_str().to_owned())
        }
    });
    let git_sha = text(git_sha, "git sha", &mut doubts).filter(|sha| !sha.is_empty()).map(|sha| SafeText::new(&sha));
    let cert_level = FactReading::integer(level.as_ref(), CertLevel::new).settle(
        "certification level",
        "an integer from 0 to 3",
        &mut doubts,
    );
    Facts { status, origin, cert_level, git_sha, doubts, ..Facts::default() }
}

fn text(value: Option<Value>, name: &str, doubts: &mut Vec<SafeText>) -> Option<String> {
    let reading = match value {
        None | Some(Value::Null) => FactReading::Absent,
        Some(Value::String(text)) => FactReading::Known(text),
        Some(other) => FactReading::Doubtful(other.to_string()),
    };
    reading.settle(name, "a text", doubts)
}

/// The fields of a version's entry, from its publisher.
#[derive(Debug)]
pub(super) struct VersionEntry<'e> {
    pub(super) reference: &'e PackageRef,
    pub(super) origin: Option<&'e str>,
    pub(super) status: &'e Status,
    pub(super) cert_level: Option<CertLevel>,
    pub(super) git_sha: Option<&'e str>,
    pub(super) manifest_digest: Digest,
    pub(super) bundle_digest: Digest,
    pub(super) bundle_size: u64,
}

/// Writes the resolve document of a published version. Facts that the publisher did not state are left out.
pub(super) fn write(entry: &VersionEntry<'_>) -> Vec<u8> {
    let PackageRef { id, selector } = entry.reference;
    let artifact = |kind, digest| format!("/v1/org/{}/artifacts/{digest}/{kind}", id.org);
    let mut document = json!({
        "package": id.to_string(),
        "ref": selector.to_string(),
        "origin": entry.origin,
        "resolved": {
            "version": selector.to_string(),
            "git_sha": entry.git_sha,
            "status": entry.status.as_str(),
            "certification_level": entry.cert_level,
            "manifest": { "digest": entry.manifest_digest, "url": artifact("manifest", entry.manifest_digest) },
            "bundle": {
                "digest": entry.bundle_digest,
                "url": artifact("bundle", entry.bundle_digest),
                "size_bytes": entry.bundle_size,
            },
        },
    });
    drop_nulls(&mut document);
    let mut text = format!("{document:#}").into_bytes();
    text.push(b'\n');
    text
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(object) = value {
        object.retain(|_, value| !value.is_null());
        object.values_mut().for_each(drop_nulls);
    }
}
