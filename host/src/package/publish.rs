//! A directory becomes a version in a directory registry.
//!
//! Blobs first and the resolve document last, each under its name in one step: whoever reads the registry sees the
//! version whole, or not at all. A version's bundle never changes; what is said of it may.

mod pack;

use std::io::Read as _;
use std::io::Write as _;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use serde_json::Value;
use serde_json::json;

use crate::model::digest::Digest;
use crate::model::facts::CertLevel;
use crate::model::facts::Score;
use crate::model::facts::SeverityCounts;
use crate::model::facts::Status;
use crate::model::limits;
use crate::model::name::PackageId;
use crate::model::package::PackageRef;
use crate::model::package::Selector;
use crate::model::package::Version;
use crate::model::text::SafeText;
use crate::package::blobs::Access;
use crate::package::blobs::create_folder;
use crate::package::blobs::open_file;
use crate::package::directory::DirectoryRegistry;
use crate::package::directory::PACKAGES;
use crate::package::directory::SUFFIX;
use crate::package::directory::trust;
use crate::package::document;
use crate::package::document::Entry;
use crate::package::draft::Draft;
use crate::package::error::PackageError;
use crate::package::json;
use crate::package::manifest;
use crate::package::manifest::Format;
use crate::package::manifest::Identity;
use crate::package::manifest::Platform;

/// The file that a directory must have at its root.
const MANIFEST: &str = "manifest.json";
/// Held while somebody publishes, so that two of them can't both find a version free.
const LOCK: &str = ".lock";

/// What to publish, and what to say of it. A fact that is `None` is not stated at all.
#[derive(Debug)]
pub struct PublishRequest {
    /// Which package.
    pub id: PackageId,
    /// Under which version.
    pub version: Version,
    /// The bundle's root, with its `manifest.json`.
    pub bundle_dir: Dir,
    /// Who stands behind it.
    pub origin: Option<String>,
    /// How far it was certified.
    pub cert_level: Option<CertLevel>,
    /// Its security score.
    pub score: Option<Score>,
    /// What an analysis found.
    pub findings: Option<SeverityCounts>,
    /// Its status.
    pub status: Status,
}

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Digest of the registry's manifest.
    pub manifest_digest: Digest,
    /// Digest of the bundle.
    pub bundle_digest: Digest,
    /// Length of the bundle in bytes.
    pub bundle_size: u64,
    /// Whether the version was there, and only what is said of it was renewed.
    pub updated: bool,
}

/// Publishes a version, or renews what is said of one whose bundle is the same.
///
/// # Errors
/// When the manifest isn't that of this version, when the directory holds what a bundle may not, when the version is
/// there with another bundle, or when the registry can't be written.
pub fn publish(registry: &DirectoryRegistry, request: &PublishRequest) -> Result<Published, PackageError> {
    let reference = PackageRef { id: request.id.clone(), selector: Selector::Exact(request.version.clone()) };
    let label = reference.to_string();
    let author = read_author(request, &label)?;
    let _lock = lock(registry)?;
    let (bundle_digest, bundle_size) = registry.blobs().store(write_failed(registry), |draft| {
        let (digest, size) = pack::pack(&request.bundle_dir, draft, &label, registry)?;
        check_unchanged(registry, request, &label, digest)?;
        Ok((digest, (digest, size)))
    })?;
    let text = certify(author.document, request);
    let manifest_digest = registry.blobs().store(write_failed(registry), |draft| {
        draft.write_all(&text).map_err(write_failed(registry))?;
        Ok((Digest::of(&text), Digest::of(&text)))
    })?;
    let updated = registry.entry(&request.id, &request.version)?.is_some();
    let document = document::write(&Entry {
        reference: &reference,
        origin: request.origin.as_deref(),
        status: &request.status,
        cert_level: request.cert_level,
        git_sha: author.identity.git_sha.as_deref(),
        manifest_digest,
        bundle_digest,
        bundle_size,
    });
    announce(registry, request, &document).map_err(write_failed(registry))?;
    Ok(Published { manifest_digest, bundle_digest, bundle_size, updated })
}

fn write_failed(registry: &DirectoryRegistry) -> impl Fn(std::io::Error) -> PackageError {
    |cause| registry.failed("write to it")(cause)
}

/// The author's manifest: as a document, and whose it is.
struct Author {
    document: serde_json::Map<String, Value>,
    identity: Identity,
}

fn read_author(request: &PublishRequest, label: &str) -> Result<Author, PackageError> {
    let refuse =
        |problem: &str| Err(PackageError::Unpublishable { label: label.to_owned(), problem: problem.to_owned() });
    let invalid = |problem| PackageError::Manifest { label: label.to_owned(), problem };
    let bytes = read_manifest(&request.bundle_dir, label)?;
    let read = manifest::read(&bytes, Platform::current()).map_err(invalid)?;
    if read.format != Format::Hub {
        return refuse("its `manifest.json` is not in the hub format, which has a `runtime` key");
    }
    if read.certification.is_some() {
        return refuse("its `manifest.json` has a `certification` block, which is for the registry to write");
    }
    if read.names_bundle {
        return refuse("its `manifest.json` has a `bundle` block, which can't be right about a bundle that holds it");
    }
    check_identity(request, &read.identity)?;
    if !Status::KNOWN.contains(&request.status.as_str()) {
        let status = SafeText::new(request.status.as_str());
        return refuse(&format!("the status `{status}` is not known; expected one of {}", Status::KNOWN.join(", ")));
    }
    let document = json::read(&bytes).map_err(|problem| invalid(manifest::ManifestError::Invalid(problem)))?;
    Ok(Author { document, identity: read.identity })
}

fn check_identity(request: &PublishRequest, identity: &Identity) -> Result<(), PackageError> {
    let mismatch = |what, expected: String, found: String| {
        Err(PackageError::Identity { what, expected, found: SafeText::new(&found) })
    };
    if identity.id != request.id {
        return mismatch("`package.id` in manifest.json", request.id.to_string(), identity.id.to_string());
    }
    if identity.version != request.version {
        return mismatch(
            "`package.version` in manifest.json",
            request.version.to_string(),
            identity.version.to_string(),
        );
    }
    Ok(())
}

fn read_manifest(dir: &Dir, label: &str) -> Result<Vec<u8>, PackageError> {
    let failed =
        |cause| PackageError::UnreadableSource { label: label.to_owned(), path: SafeText::new(MANIFEST), cause };
    let refuse = |problem| PackageError::Unpublishable { label: label.to_owned(), problem };
    let Some(file) = open_file(dir, MANIFEST).map_err(failed)? else {
        return Err(refuse(format!("there is no `{MANIFEST}` in the directory")));
    };
    let mut bytes = Vec::new();
    file.take(u64::try_from(limits::MANIFEST).unwrap_or(u64::MAX).saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > limits::MANIFEST {
        return Err(refuse(format!("its `{MANIFEST}` has more than {} bytes", limits::MANIFEST)));
    }
    Ok(bytes)
}

/// One publisher at a time; given back when dropped.
fn lock(registry: &DirectoryRegistry) -> Result<std::fs::File, PackageError> {
    trust::check(registry.dir()).map_err(registry.failed("rely on it"))?;
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    let file = registry.dir().open_with(LOCK, &options).map_err(write_failed(registry))?.into_std();
    file.lock().map_err(registry.failed("lock it"))?;
    Ok(file)
}

fn check_unchanged(
    registry: &DirectoryRegistry,
    request: &PublishRequest,
    label: &str,
    offered: Digest,
) -> Result<(), PackageError> {
    match registry.entry(&request.id, &request.version)? {
        Some(entry) if entry.bundle_digest != offered => {
            Err(PackageError::Immutable { label: label.to_owned(), published: entry.bundle_digest, offered })
        }
        Some(_) | None => Ok(()),
    }
}

/// The registry's manifest: the author's, with the facts that were stated.
fn certify(mut document: serde_json::Map<String, Value>, request: &PublishRequest) -> Vec<u8> {
    let mut block = serde_json::Map::new();
    if let Some(level) = request.cert_level {
        block.insert("level".to_owned(), json!(level));
    }
    if let Some(score) = request.score {
        block.insert("score".to_owned(), json!(score));
    }
    if let Some(SeverityCounts { critical, high, medium, low }) = request.findings {
        let total: u64 = [critical, high, medium, low].map(u64::from).iter().sum();
        let counts = json!({ "total": total, "critical": critical, "high": high, "medium": medium, "low": low });
        block.insert("findings".to_owned(), counts);
    }
    if !block.is_empty() {
        document.insert("certification".to_owned(), Value::Object(block));
    }
    let mut text = format!("{:#}", Value::Object(document)).into_bytes();
    text.push(b'\n');
    text
}

/// Writes the resolve document: from here on the version is there.
fn announce(registry: &DirectoryRegistry, request: &PublishRequest, document: &[u8]) -> std::io::Result<()> {
    let packages = create_folder(registry.dir(), PACKAGES, Access::Shared)?;
    let org = create_folder(&packages, request.id.org.as_str(), Access::Shared)?;
    let folder = create_folder(&org, request.id.name.as_str(), Access::Shared)?;
    let mut draft = Draft::new(&folder)?;
    draft.write_all(document)?;
    draft.keep(&format!("{}{SUFFIX}", request.version), Access::Shared)
}

#[cfg(test)]
mod tests;
