//! Fetches the files of a resolved version, and checks digests and identity.

use std::io::ErrorKind;
use std::io::Read as _;

use crate::Artifact;
use crate::RegistryClient;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_bundle::BundleErrorKind;
use smcp_bundle::manifest;
use smcp_bundle::manifest::Identity;
use smcp_bundle::manifest::Platform;
use smcp_bundle::mcpb;
use smcp_model::bounded;
use smcp_model::content;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::limits;
use smcp_model::manifest::Manifest;
use smcp_model::number;
use smcp_model::package::Resolution;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;
use smcp_store::Cache;
use smcp_store::stream;
use smcp_store::stream::Beginning;
use smcp_store::stream::HashedWriter;
use smcp_store::stream::ProgressReader;
use smcp_store::stream::Timed;

/// Fetches a version's manifest and bundle into the cache, and checks that they belong to that version.
///
/// # Errors
/// When a file can't be fetched, has another digest, or is about another package; see [`PackageError`].
pub fn fetch(
    client: &dyn RegistryClient,
    cache: &Cache,
    resolution: &Resolution,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<ResolvedPackage, PackageError> {
    let label = resolution.label();
    let mut task = FetchTask { client, cache, resolution, label: &label, deadline, progress };
    let (bytes, length) = if resolution.registry.has_mcp_bundles() {
        let (bytes, length) = task.manifest_in_bundle()?;
        (bytes, Some(length))
    } else {
        (task.manifest()?, None)
    };
    let read =
        manifest::read(&bytes, Platform::current()).map_err(|problem| BundleErrorKind::Manifest(problem).of(&label))?;
    check_identity(&read.identity, resolution)?;
    let bundle_size = length.map_or_else(|| task.ensure(Artifact::Bundle, &resolution.bundle_digest), Ok)?;
    check_size("the bundle's size in the registry's answer", resolution.bundle_size, bundle_size)?;
    check_size("the bundle's size in the manifest", read.identity.bundle_size, bundle_size)?;
    Ok(ResolvedPackage {
        id: resolution.id.clone(),
        version: resolution.version.clone(),
        registry: resolution.registry.clone(),
        facts: facts(read.certification.as_ref(), resolution),
        manifest_digest: resolution.manifest_digest,
        bundle_digest: resolution.bundle_digest,
        bundle_size,
        manifest: read.manifest,
    })
}

/// Gets a version's manifest alone, and checks that it belongs to that version. Returns the facts and the manifest, as
/// policies are told of them. Nothing of it can be started.
///
/// # Errors
/// As for [`fetch`], but for the bundle.
pub fn describe(
    client: &dyn RegistryClient,
    resolution: &Resolution,
    deadline: &Deadline,
) -> Result<(Facts, Manifest), PackageError> {
    let label = resolution.label();
    let source = client.artifact(&resolution.id, Artifact::Manifest, &resolution.manifest_digest, deadline)?;
    let read = bounded::read_within(Timed::new(source, deadline), limits::MANIFEST, 0);
    let read = read.map_err(|cause| {
        RegistryProblem::Unusable { doing: format!("read the manifest of {label}"), cause }.of(client.registry())
    })?;
    let bytes = read.ok_or_else(|| VersionProblem::TooLarge(Artifact::Manifest).of(&label))?;
    stream::check_digest(&resolution.manifest_digest, Digest::of(&bytes)).map_err(|mismatch| {
        VersionProblem::DigestMismatch { artifact: Artifact::Manifest, mismatch, instead: "" }.of(&label)
    })?;
    let read =
        manifest::read(&bytes, Platform::current()).map_err(|problem| BundleErrorKind::Manifest(problem).of(&label))?;
    check_identity(&read.identity, resolution)?;
    Ok((facts(read.certification.as_ref(), resolution), read.manifest))
}

/// Returns the facts of a package, with those that its manifest repeats.
fn facts(certification: Option<&serde_json::Value>, resolution: &Resolution) -> Facts {
    let facts = resolution.facts.clone();
    if resolution.registry.states_facts() {
        manifest::believe(certification, facts)
    } else {
        unsigned(certification, facts)
    }
}

/// Returns the facts of a package whose manifest has nobody's word behind it.
fn unsigned(certification: Option<&serde_json::Value>, mut facts: Facts) -> Facts {
    if certification.is_some_and(|block| !block.is_null()) {
        let doubt =
            "`certification` in the manifest counts for nothing: facts in a registry of images are signed statements";
        facts.doubts.push(SafeText::new(doubt));
    }
    facts
}

/// The values that every step of a fetch needs.
struct FetchTask<'e> {
    client: &'e dyn RegistryClient,
    cache: &'e Cache,
    resolution: &'e Resolution,
    label: &'e str,
    deadline: &'e Deadline,
    progress: &'e mut dyn Progress,
}

impl FetchTask<'_> {
    /// Returns the bytes of the manifest, verified in memory.
    fn manifest(&mut self) -> Result<Vec<u8>, PackageError> {
        let digest = &self.resolution.manifest_digest;
        for _ in 0..limits::FETCH_ATTEMPTS {
            self.deadline.check()?;
            if let Some(bytes) = self.cache.read(digest, limits::MANIFEST) {
                return Ok(bytes);
            }
            // It is missing, too long, or can't be read: the first is mended, and the others are said.
            self.ensure(Artifact::Manifest, digest)?;
        }
        // Another process empties the cache each time.
        Err(self.cache.failed("read the cached manifest")(ErrorKind::NotFound.into()).into())
    }

    /// Makes the manifest of a package that is an MCP bundle of what is in it; returns it with the bundle's length, bytes. What
    /// is read are the bytes that were hashed.
    fn manifest_in_bundle(&mut self) -> Result<(Vec<u8>, u64), PackageError> {
        let Resolution { id, version, bundle_digest: digest, .. } = self.resolution;
        let limit = usize::try_from(Artifact::Bundle.limit()).unwrap_or(usize::MAX);
        for _ in 0..limits::FETCH_ATTEMPTS {
            self.deadline.check()?;
            if let Some(bytes) = self.cache.read(digest, limit) {
                let manifest = mcpb::package_manifest(&bytes, &id.to_string(), version.as_str(), digest);
                let manifest = manifest.map_err(|problem| BundleErrorKind::Mcpb(problem).of(self.label))?;
                return Ok((manifest.into_bytes(), number::wide(bytes.len())));
            }
            // It is missing, too long, or can't be read: the first is mended, and the others are said.
            self.ensure(Artifact::Bundle, digest)?;
        }
        // Another process empties the cache each time.
        Err(self.cache.failed("read the cached bundle")(ErrorKind::NotFound.into()).into())
    }

    /// Makes sure that the cache has a verified file, and returns its length, bytes.
    fn ensure(&mut self, artifact: Artifact, digest: &Digest) -> Result<u64, PackageError> {
        self.deadline.check()?;
        let limit = artifact.limit();
        let size = match self.cache.verify(digest, self.deadline)? {
            Some(size) => size,
            None => self.download(artifact, digest, limit)?,
        };
        if size > limit { Err(VersionProblem::TooLarge(artifact).of(self.label)) } else { Ok(size) }
    }

    /// Downloads a file from the registry into the cache. It is stored only if its digest is right.
    fn download(&mut self, artifact: Artifact, digest: &Digest, limit: u64) -> Result<u64, PackageError> {
        let size = self.resolution.bundle_size.filter(|_| artifact == Artifact::Bundle);
        self.progress.begin(&format!("{artifact} of {}", self.label), size);
        let downloaded = self.stream(artifact, digest, limit);
        self.progress.end();
        downloaded
    }

    fn stream(&mut self, artifact: Artifact, digest: &Digest, limit: u64) -> Result<u64, PackageError> {
        let source = self.client.artifact(&self.resolution.id, artifact, digest, self.deadline)?;
        let (client, label) = (self.client, self.label);
        let read_failed = |cause| {
            RegistryProblem::Unusable { doing: format!("read the {artifact} of {label}"), cause }.of(client.registry())
        };
        let write_failed = |error| self.cache.failed("write to it")(error).into();
        let watched = ProgressReader::new(source, &mut *self.progress);
        let mut limited = Timed::new(watched, self.deadline).take(limit.saturating_add(1));
        self.cache.blobs().store(write_failed, |draft| {
            let mut writer = Beginning::new(HashedWriter::new(draft));
            stream::copy(&mut limited, &mut writer, read_failed, write_failed)?;
            let (writer, beginning) = writer.finish();
            let (found, size) = writer.finish();
            if size > limit {
                return Err(VersionProblem::TooLarge(artifact).of(label));
            }
            stream::check_digest(digest, found).map_err(|mismatch| {
                let instead = instead(artifact, client.registry().has_mcp_bundles(), &beginning);
                VersionProblem::DigestMismatch { artifact, mismatch, instead }.of(label)
            })?;
            Ok((found, size))
        })
    }
}

/// Describes bytes that can't be the start of such a file, if their kind is recognised; otherwise empty.
fn instead(artifact: Artifact, is_mcp_bundle: bool, beginning: &[u8]) -> &'static str {
    let usual = match artifact {
        Artifact::Manifest => b'{',
        Artifact::Bundle if is_mcp_bundle => b'P',
        Artifact::Bundle => 0x1f,
    };
    let known = content::recognise(beginning).filter(|_| beginning.first() != Some(&usual));
    known.map_or("", |(what, _)| what)
}

/// Checks that a manifest belongs to the resolved version.
pub(super) fn check_identity(identity: &Identity, resolution: &Resolution) -> Result<(), PackageError> {
    check("`package.id` in the manifest", &resolution.id, &identity.id)?;
    check("`package.version` in the manifest", &resolution.version, &identity.version)?;
    if let Some(found) = &identity.bundle_digest {
        check("`bundle.digest` in the manifest", &resolution.bundle_digest, found)?;
    }
    if let (Some(expected), Some(found)) = (&resolution.facts.git_sha, &identity.git_sha)
        && !same_commit(expected.as_str(), found)
    {
        return Err(PackageError::Identity {
            what: "`package.git_sha` in the manifest",
            expected: expected.to_string(),
            found: SafeText::new(found),
        });
    }
    Ok(())
}

fn check<T: PartialEq + ToString>(what: &'static str, expected: &T, found: &T) -> Result<(), PackageError> {
    if expected == found {
        return Ok(());
    }
    Err(PackageError::Identity { what, expected: expected.to_string(), found: SafeText::new(&found.to_string()) })
}

fn check_size(what: &'static str, stated: Option<u64>, found: u64) -> Result<(), PackageError> {
    stated.map_or(Ok(()), |stated| check(what, &found, &stated))
}

/// Whether two names mean the same commit: registries may shorten them, to at least seven digits.
fn same_commit(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    one == other || short.len() >= 7 && long.starts_with(short)
}

#[cfg(test)]
mod tests;
