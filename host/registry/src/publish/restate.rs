//! Changes what is said of a version that is there, and nothing of its bytes.
//!
//! The version was published before; its manifest and its document are written again.

use std::io::Write as _;

use serde_json::Map;
use serde_json::Value;

use crate::directory::DirectoryRegistry;
use crate::document;
use crate::document::VersionEntry;
use crate::error::PackageError;
use crate::publish::PublishRequest;
use crate::publish::Published;
use crate::publish::certify;
use crate::publish::lock;
use crate::publish::standing;
use crate::publish::state;
use crate::publish::write_document;
use crate::publish::write_failed;
use smcp_model::digest::Digest;
use smcp_model::facts::Origin;
use smcp_model::facts::Status;
use smcp_model::imported::ImportedFrom;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;

/// A version of which other things are said now.
#[derive(Debug)]
pub struct Restated {
    /// The version.
    pub published: Published,
    /// Its manifest before.
    pub manifest: Map<String, Value>,
}

/// Changes the facts of a version that was imported before; the directory of the request is not looked at. Returns it with its
/// manifest, or `None` when the version is not there, or `is_meant` does not hold for what it comes from.
///
/// # Errors
/// As publishing.
pub fn restate(
    registry: &DirectoryRegistry,
    request: &PublishRequest<'_>,
    is_meant: &dyn Fn(&ImportedFrom) -> bool,
) -> Result<Option<Restated>, PackageError> {
    let _lock = lock(registry)?;
    let Some(known) = registry.entry(&request.id, &request.version)? else { return Ok(None) };
    let manifest = standing::manifest_of(registry, &known)?;
    let there = manifest.get("source").and_then(ImportedFrom::of_source);
    let there = there.map(|there| ImportedFrom { facts_by_importer: false, ..there });
    let (Some(there), Some(bundle_size)) = (there.filter(is_meant), known.bundle_size) else { return Ok(None) };
    let (facts, changes) = standing::settle(registry, request, Some(&known))?;
    // What the author wrote, as publishing has it.
    let mut author = manifest.clone();
    author.retain(|key, _| !["certification", "source"].contains(&key.as_str()));
    let git_sha = manifest.get("package").and_then(|package| package.get("git_sha")?.as_str()).map(str::to_owned);
    let text = certify(author, Some(&there), &facts);
    let manifest_digest = registry.blobs().store(write_failed(registry, "blobs"), |draft| {
        draft.write_all(&text).map_err(write_failed(registry, "blobs"))?;
        Ok((Digest::of(&text), Digest::of(&text)))
    })?;
    state(registry, request, (Some(&known), &facts), (manifest_digest, known.bundle_digest))?;
    let reference = PackageRef { id: request.id.clone(), selector: Selector::Exact(request.version.clone()) };
    let document = document::write(&VersionEntry {
        reference: &reference,
        origin: facts.origin.as_ref().map(Origin::word),
        status: facts.status.as_ref().unwrap_or(&Status::Published),
        cert_level: facts.cert_level,
        git_sha: git_sha.as_deref(),
        manifest_digest,
        bundle_digest: known.bundle_digest,
        bundle_size,
    });
    write_document(registry, request, &document)?;
    let published = Published {
        manifest_digest,
        bundle_digest: known.bundle_digest,
        bundle_size,
        image_digest: None,
        updated: true,
        changes,
        files: 0,
        unpacked: 0,
        left_out: Vec::new(),
        left_out_count: 0,
        remarks: Vec::new(),
    };
    Ok(Some(Restated { published, manifest }))
}
