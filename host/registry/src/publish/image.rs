//! Publishes a directory as a version in a registry of images.
//!
//! The bundle and the manifest document are sent first, then the image manifest, then a statement about it, and the tag
//! last: a reader sees the whole version, or none of it. A version never changes. The registry has no lock: of two who publish one version at the same moment, the
//! later one wins, which its digest tells.

use std::io;
use std::io::Write;

use crate::error::PackageError;
use crate::error::VersionProblem;
use crate::oci::OciRegistry;
use crate::publish::PublishRequest;
use crate::publish::Published;
use crate::publish::author;
use crate::publish::remarks;
use crate::publish::stated;
use crate::publish::written;
use crate::statements;
use smcp_bundle::BundleErrorKind;
use smcp_bundle::pack;
use smcp_bundle::pack::Source;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Status;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_oci::package::PackageParts;

/// Publishes a version. One that is there with the same contents stays as it is.
///
/// # Errors
/// When the package or the version has a name that no registry of images can have, when the request states facts, when the
/// directory can't be packed, when the version exists with other contents, or when the registry doesn't take it.
pub fn publish_image(
    registry: &OciRegistry,
    request: &PublishRequest<'_>,
    deadline: &Deadline,
) -> Result<Published, PackageError> {
    let reference = PackageRef { id: request.id.clone(), selector: Selector::Exact(request.version.clone()) };
    let label = reference.to_string();
    let refuse = |problem: String| PackageError::from(BundleErrorKind::Unpublishable(problem).of(&label));
    let place = registry.place();
    let repository = place.repository(&request.id).map_err(|unplaced| refuse(unplaced.to_string()))?;
    let tag = request.version.tag().map_err(|unplaced| refuse(unplaced.to_string()))?;
    if request.attestation.is_none() && states_facts(request) {
        return Err(refuse(format!(
            "`{place}` is a registry of images, where facts are signed statements and not the registry's word: sign them \
             with --sign KEY, or leave out --origin, --cert-level, --score, --findings and --status"
        )));
    }
    let author = author::read(request, &label)?;
    let PublishRequest { bundle_dir: dir, exclude, include_secrets, .. } = request;
    let survey = pack::survey(&Source { dir, exclude, include_secrets: *include_secrets }, None, &label)?;
    let mut bundle = BundleBuffer::default();
    let too_large = |_: String, _: io::Error| refuse(format!("the bundle has more than {} bytes", limits::BUNDLE));
    let packed = pack::pack(dir, &survey, &mut bundle, &label, too_large)?;
    let BundleBuffer(bundle) = bundle;
    // What is stated stands in the statement, and not in the document that it is about.
    let document = written(author.document);

    let client = registry.client(&request.id)?;
    tracing::info!(%repository, %tag, "publishing");
    let published = registry.version(&client, &tag, deadline)?;
    if let Some(there) = &published {
        check_same(there, Digest::of(&document), packed.digest, &label)?;
    }
    let updated = published.is_some();
    let parts = match published {
        Some(there) => there,
        None => client.push_package(&document, &bundle, deadline)?,
    };
    if let Some(attestation) = &request.attestation {
        let resolution = registry.resolution(&request.id, request.version.clone(), &parts);
        statements::attest(registry, &resolution, stated(request), attestation)?;
    }
    if !updated {
        client.tag_package(&parts, &tag, deadline)?;
    }
    Ok(Published {
        manifest_digest: parts.manifest.digest,
        bundle_digest: packed.digest,
        bundle_size: packed.size,
        image_digest: Some(parts.image),
        updated,
        changes: Vec::new(),
        files: packed.files,
        unpacked: packed.unpacked,
        remarks: remarks(request, &survey, author.remarks, &author.expected),
        left_out: survey.left_out,
        left_out_count: survey.left_out_count,
    })
}

const fn states_facts(request: &PublishRequest<'_>) -> bool {
    let is_published = matches!(request.status, Some(Status::Published) | None);
    let states = request.origin.is_some() || request.cert_level.is_some() || request.score.is_some();
    states || request.findings.is_some() || !is_published
}

/// Checks that the published version has the offered contents.
fn check_same(there: &PackageParts, document: Digest, bundle: Digest, label: &str) -> Result<(), PackageError> {
    let pairs = [(there.bundle.digest, bundle), (there.manifest.digest, document)];
    match pairs.into_iter().find(|(published, offered)| published != offered) {
        Some((published, offered)) => Err(VersionProblem::Immutable { published, offered }.of(label)),
        None => Ok(()),
    }
}

/// A bundle in memory, which fails when it becomes longer than a bundle may be.
#[derive(Default)]
struct BundleBuffer(Vec<u8>);

impl Write for BundleBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self(bundle) = self;
        if number::wide(bundle.len().saturating_add(bytes.len())) > limits::BUNDLE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        bundle.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
