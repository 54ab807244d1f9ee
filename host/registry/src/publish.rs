//! Publishes a directory as a version in a directory registry.
//!
//! Blobs are written first and the resolve document last, each one atomically: a reader of the registry sees the whole
//! version, or none of it. A version's bundle never changes; its facts may.

mod author;
mod image;
mod restate;
mod standing;

pub use crate::publish::image::publish_image;
pub use crate::publish::restate::Restated;
pub use crate::publish::restate::restate;
pub use crate::publish::standing::FactChange;

use std::io::Write as _;

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use serde_json::Value;
use serde_json::json;

use crate::directory::DirectoryRegistry;
use crate::directory::PACKAGES;
use crate::directory::SUFFIX;
use crate::directory::trust;
use crate::document;
use crate::document::VersionEntry;
use crate::error::PackageError;
use crate::error::VersionProblem;
use crate::publish::author::ExpectedFile;
use crate::statements::Attestation;
use smcp_bundle::pack;
use smcp_bundle::pack::Source;
use smcp_bundle::pack::Survey;
use smcp_bundle::pack::patterns::Pattern;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::imported::ImportedFrom;
use smcp_model::limits;
use smcp_model::lock::Sharing;
use smcp_model::lock::lock_by;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::statement::StatementTarget;
use smcp_model::text::SafeText;
use smcp_store::access::StoreAccess;
use smcp_store::blobs::create_folder;
use smcp_store::draft::FileDraft;
use smcp_store::folder;

/// The file that is locked while a process publishes, so that two of them can't both find a version unused.
const LOCK: &str = ".lock";

/// A version to publish, and its facts. A fact that is `None` is not stated at all.
#[derive(Debug)]
pub struct PublishRequest<'a> {
    /// The package.
    pub id: PackageId,
    /// The version.
    pub version: Version,
    /// The bundle's root, with its `manifest.json`.
    pub bundle_dir: Dir,
    /// The origin of the package.
    pub origin: Option<String>,
    /// The certification level.
    pub cert_level: Option<CertLevel>,
    /// The security score.
    pub score: Option<Score>,
    /// The number of findings of an analysis.
    pub findings: Option<SeverityCounts>,
    /// The status; that of the version that is there when absent, if it may run, and `published` for a new one.
    pub status: Option<Status>,
    /// Whether a fact that is not stated stays what it is in a version that is there.
    pub keep_facts: bool,
    /// Patterns of files to leave out, in addition to those of the `.smcpignore`.
    pub exclude: Vec<Pattern>,
    /// Whether files that look like secrets are packed.
    pub include_secrets: bool,
    /// Where it comes from, when it was imported. Its facts are called the importer's when there are any.
    pub source: Option<ImportedFrom>,
    /// Who signs a statement with the same facts; `None` for a version without one.
    pub attestation: Option<Attestation<'a>>,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The digest of the registry's manifest.
    pub manifest_digest: Digest,
    /// The digest of the bundle.
    pub bundle_digest: Digest,
    /// The length of the bundle, bytes.
    pub bundle_size: u64,
    /// The digest of the image manifest, in a registry of images.
    pub image_digest: Option<Digest>,
    /// Whether the version existed already, and only its facts were updated, if it can have any.
    pub updated: bool,
    /// What was said of the version before, and is another thing now.
    pub changes: Vec<FactChange>,
    /// How many files were packed; none where only its facts were looked at.
    pub files: usize,
    /// The size of the packed files together, bytes.
    pub unpacked: u64,
    /// The first entries of the directory that were left out.
    pub left_out: Vec<SafeText>,
    /// How many entries were left out.
    pub left_out_count: usize,
    /// Remarks about the package, for the user.
    pub remarks: Vec<SafeText>,
}

/// Publishes a version, or updates the facts of one with the same bundle.
///
/// # Errors
/// When the manifest is not that of this version, when the directory has files that a bundle may not have, when the
/// version exists with another bundle, or with a status that the request would take back unsaid, or when the registry can't
/// be written.
pub fn publish(registry: &DirectoryRegistry, request: &PublishRequest<'_>) -> Result<Published, PackageError> {
    let reference = PackageRef { id: request.id.clone(), selector: Selector::Exact(request.version.clone()) };
    let label = reference.to_string();
    let author = author::read(request, &label)?;
    let PublishRequest { bundle_dir: dir, exclude, include_secrets, .. } = request;
    let source = Source { dir, exclude, include_secrets: *include_secrets };
    let survey = pack::survey(&source, Some(registry.dir()), &label)?;
    let _lock = lock(registry)?;
    let known = registry.entry(&request.id, &request.version)?;
    let (facts, changes) = standing::settle(registry, request, known.as_ref())?;
    let packed = registry.blobs().store(write_failed(registry, "blobs"), |draft| {
        let write_failed = |doing: String, cause| registry.failed(doing)(cause);
        let packed = pack::pack(dir, &survey, draft, &label, write_failed)?;
        check_unchanged(known.as_ref(), &label, packed.digest)?;
        Ok((packed.digest, packed))
    })?;
    let text = certify(author.document, request.source.as_ref(), &facts);
    let manifest_digest = registry.blobs().store(write_failed(registry, "blobs"), |draft| {
        draft.write_all(&text).map_err(write_failed(registry, "blobs"))?;
        Ok((Digest::of(&text), Digest::of(&text)))
    })?;
    state(registry, request, (known.as_ref(), &facts), (manifest_digest, packed.digest))?;
    let updated = known.is_some();
    let document = document::write(&VersionEntry {
        reference: &reference,
        origin: facts.origin.as_ref().map(Origin::word),
        status: facts.status.as_ref().unwrap_or(&Status::Published),
        cert_level: facts.cert_level,
        git_sha: author.git_sha.as_deref(),
        manifest_digest,
        bundle_digest: packed.digest,
        bundle_size: packed.size,
    });
    write_document(registry, request, &document)?;
    let remarks = remarks(request, &survey, author.remarks, &author.expected);
    Ok(Published {
        manifest_digest,
        bundle_digest: packed.digest,
        bundle_size: packed.size,
        image_digest: None,
        updated,
        changes,
        files: packed.files,
        unpacked: packed.unpacked,
        left_out: survey.left_out,
        left_out_count: survey.left_out_count,
        remarks,
    })
}

/// Writes the statement about a version that is about to be visible. Without one, a version that has statements keeps the
/// manifest that they are about.
fn state(
    registry: &DirectoryRegistry,
    request: &PublishRequest<'_>,
    (known, facts): (Option<&Resolution>, &Facts),
    (manifest, bundle): (Digest, Digest),
) -> Result<(), PackageError> {
    let PublishRequest { id, version, .. } = request;
    let Some(attestation) = &request.attestation else {
        let Some(known) = known.filter(|known| known.manifest_digest != manifest) else { return Ok(()) };
        let left_behind = registry.arrived(id, version, &known.manifest_digest)?;
        let has_some = !left_behind.all().is_empty();
        return if has_some { Err(VersionProblem::Signed.of(known.label())) } else { Ok(()) };
    };
    let target = StatementTarget { package: format!("{id}@{version}"), manifest, bundle };
    let (statement, signature) = attestation.make(&target, None, facts.clone())?;
    registry.add_statement((id, version, &manifest), &statement, (&attestation.number, &signature))
}

/// The facts that a publisher states.
fn stated(request: &PublishRequest<'_>) -> Facts {
    Facts {
        status: Some(request.status.clone().unwrap_or(Status::Published)),
        origin: request.origin.as_deref().and_then(Origin::from_word),
        cert_level: request.cert_level,
        score: request.score,
        findings: request.findings,
        ..Facts::default()
    }
}

fn write_failed<'r>(registry: &'r DirectoryRegistry, folder: &'r str) -> impl Fn(std::io::Error) -> PackageError {
    move |cause| registry.failed(format!("write to its folder `{folder}`"))(cause)
}

/// Locks the registry, so that only one process publishes at a time. Dropping the file unlocks it.
pub(crate) fn lock(registry: &DirectoryRegistry) -> Result<std::fs::File, PackageError> {
    trust::check(registry.dir()).map_err(registry.failed("rely on it"))?;
    let failed =
        |cause| registry.failed(format!("write to its file `{LOCK}`"))(folder::explain(registry.dir(), LOCK, cause));
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(StoreAccess::Shared.file_mode());
    // An existing file is opened without `create`: in folders like `/tmp`, Linux refuses `create` for another user's file.
    let opened = match registry.dir().open_with(LOCK, &options) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            registry.dir().open_with(LOCK, options.create(true))
        }
        // The lock does not need write access.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => registry.dir().open(LOCK),
        opened => opened,
    };
    let file = opened.map_err(failed)?.into_std();
    let locked = lock_by(file, Sharing::Exclusive, &Deadline::none());
    locked.map_err(|error| registry.failed("lock it")(error.into()))
}

fn check_unchanged(known: Option<&Resolution>, label: &str, offered: Digest) -> Result<(), PackageError> {
    match known {
        Some(entry) if entry.bundle_digest != offered => {
            Err(VersionProblem::Immutable { published: entry.bundle_digest, offered }.of(label))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns the remarks about a package: those about its manifest, and those about files that its command needs.
fn remarks(
    request: &PublishRequest<'_>,
    survey: &Survey,
    of_manifest: Vec<SafeText>,
    expected: &[ExpectedFile],
) -> Vec<SafeText> {
    let of_files = expected.iter().filter_map(|expected| remark_about(request, survey, expected));
    of_manifest.into_iter().chain(of_files).collect()
}

/// Makes the remark about a file that the command needs and that is missing or not executable: the server can't start.
fn remark_about(request: &PublishRequest<'_>, survey: &Survey, expected: &ExpectedFile) -> Option<SafeText> {
    let ExpectedFile { path, is_program } = expected;
    let problem = if !survey.has_file(path) {
        "is not in the bundle"
    } else if *is_program && request.bundle_dir.metadata(path).is_ok_and(|file| file.mode() & 0o100 == 0) {
        "is not executable; `chmod +x` makes it so, and publishing it then needs a new version"
    } else {
        return None;
    };
    let path = SafeText::within(path, limits::NAME_SHOWN);
    Some(SafeText::new(&format!("the command names `{path}`, which {problem}")))
}

/// Makes the registry's manifest: the author's, with the stated facts.
fn certify(mut document: serde_json::Map<String, Value>, source: Option<&ImportedFrom>, facts: &Facts) -> Vec<u8> {
    let mut block = serde_json::Map::new();
    if let Some(level) = facts.cert_level {
        block.insert("level".to_owned(), json!(level));
    }
    if let Some(score) = facts.score {
        block.insert("score".to_owned(), json!(score));
    }
    if let Some(SeverityCounts { critical, high, medium, low }) = facts.findings {
        let total: u64 = [critical, high, medium, low].map(u64::from).iter().sum();
        let counts = json!({ "total": total, "critical": critical, "high": high, "medium": medium, "low": low });
        block.insert("findings".to_owned(), counts);
    }
    if !block.is_empty() {
        document.insert("certification".to_owned(), Value::Object(block));
    }
    if let Some(source) = source {
        let facts_by_importer = facts.origin.is_some() || facts.cert_level.is_some() || facts.score.is_some();
        let source = ImportedFrom { facts_by_importer, ..source.clone() };
        document.insert("source".to_owned(), source.document());
    }
    written(document)
}

/// Writes a manifest.
fn written(document: serde_json::Map<String, Value>) -> Vec<u8> {
    let mut text = format!("{:#}", Value::Object(document)).into_bytes();
    text.push(b'\n');
    text
}

/// Writes the resolve document, which makes the version visible.
fn write_document(
    registry: &DirectoryRegistry,
    request: &PublishRequest<'_>,
    document: &[u8],
) -> Result<(), PackageError> {
    let mut path = String::new();
    let mut folder = registry.dir().try_clone().map_err(write_failed(registry, "."))?;
    for name in [PACKAGES, request.id.org.as_str(), request.id.name.as_str()] {
        folder = create_folder(&folder, name, StoreAccess::Shared)
            .map_err(write_failed(registry, if path.is_empty() { "." } else { &path }))?;
        path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    }
    let failed = write_failed(registry, &path);
    let mut draft = FileDraft::new(&folder, StoreAccess::Shared).map_err(&failed)?;
    draft.write_all(document).map_err(&failed)?;
    draft.keep(&format!("{}{SUFFIX}", request.version)).map_err(&failed)
}

#[cfg(test)]
mod tests;
