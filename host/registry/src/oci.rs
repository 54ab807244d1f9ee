//! Packages in a registry of images: `oci://HOST/PREFIX`.
//!
//! A package is a repository `PREFIX/ORG/NAME`, a version a tag, the artefact an image manifest (`smcp-oci` has its form).
//! The digests in that are those of the manifest document and of the bundle, so from here on nothing is different. The
//! registry says nothing about a package: its facts are signed statements, or unknown.

mod attached;
mod catalog;
mod statements;

pub use crate::oci::attached::Attached;
pub use crate::oci::attached::AttachedPart;
pub use crate::oci::attached::AttachmentLimits;

use std::io::Read;

use crate::Artifact;
use crate::RegistryClient;
use crate::directory;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_bundle::BundleErrorKind;
use smcp_bundle::manifest;
use smcp_bundle::manifest::Platform;
use smcp_http::HttpSettings;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::oci::OciPlace;
use smcp_model::oci::UnplacedPackage;
use smcp_model::oci::version_of;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;
use smcp_oci::FetchedManifest;
use smcp_oci::FindLogIn;
use smcp_oci::OciClient;
use smcp_oci::OciError;
use smcp_oci::OpenedBlob;
use smcp_oci::package::PackageParts;
use smcp_oci::package::parts_of;

/// A place of packages in a registry of images. Before the first request it neither connects, nor reads certificates, nor
/// looks for a log-in.
#[derive(Debug)]
pub struct OciRegistry {
    place: OciPlace,
    location: Registry,
    /// For what is asked of the registry as a whole; the others are made of it.
    nobodys: OciClient<'static>,
}

impl OciRegistry {
    /// The packages at `place`. What `settings` say of a token is not used: `find_log_in` has it.
    pub fn new(place: OciPlace, settings: HttpSettings, find_log_in: Box<FindLogIn<'static>>) -> Self {
        let nobodys = OciClient::new(&place.nobodys(), settings, find_log_in);
        Self { location: Registry::Oci(place.clone()), place, nobodys }
    }

    /// A client for the repository of a package.
    pub(crate) fn client(&self, id: &PackageId) -> Result<OciClient<'static>, PackageError> {
        let repository = self.place.repository(id);
        let repository = repository.map_err(|unplaced| elsewhere(&self.location, id.clone(), &unplaced))?;
        Ok(self.nobodys.beside(repository))
    }

    /// The place, for publishing.
    pub(crate) const fn place(&self) -> &OciPlace {
        &self.place
    }

    /// Finds the image manifest of a version; `None` when there is none.
    pub(crate) fn version(
        &self,
        client: &OciClient<'_>,
        tag: &str,
        deadline: &Deadline,
    ) -> Result<Option<PackageParts>, PackageError> {
        let what = format!("{}:{tag}", client.repository());
        let found = client.manifest_under(tag, &what, deadline)?;
        Ok(found.map(|image| parts_of(&image, &what)).transpose()?)
    }

    fn exact(
        &self,
        client: &OciClient<'_>,
        wanted: &PackageRef,
        version: &Version,
        deadline: &Deadline,
    ) -> Result<Resolution, PackageError> {
        let tag = version.tag().map_err(|unplaced| {
            let (id, wanted) = (wanted.id.clone(), version.to_string());
            RegistryProblem::NoSuchVersion { id, wanted, hint: unplaced.to_string() }.of(&self.location)
        })?;
        match self.version(client, &tag, deadline)? {
            Some(parts) => Ok(self.resolution(&wanted.id, version.clone(), &parts)),
            None => Err(self.missing(client, wanted, deadline)),
        }
    }

    /// Finds the highest version. What its status is, statements say, and that it is there is its publisher's word.
    fn latest(
        &self,
        client: &OciClient<'_>,
        wanted: &PackageRef,
        deadline: &Deadline,
    ) -> Result<Resolution, PackageError> {
        let versions = versions(client, deadline)?.unwrap_or_default();
        match versions.into_iter().find(|version| version.semver().is_some()) {
            Some(version) => self.exact(client, wanted, &version, deadline),
            None => Err(self.missing(client, wanted, deadline)),
        }
    }

    /// Finds the version with a digest: that of its image manifest, which the registry finds, or that of its manifest
    /// document or its bundle, for which the highest versions are looked through.
    fn by_digest(
        &self,
        client: &OciClient<'_>,
        wanted: &PackageRef,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Resolution, PackageError> {
        let what = format!("{}@{digest}", client.repository());
        if let Some(image) = client.manifest_under(&digest.to_string(), &what, deadline)? {
            let parts = parts_of(&image, &what)?;
            let version = self.version_in(client, wanted, &parts, deadline)?;
            return Ok(self.resolution(&wanted.id, version, &parts));
        }
        let versions = versions(client, deadline)?.unwrap_or_default();
        let mut found = Vec::new();
        for version in versions.iter().take(limits::oci::DIGEST_VERSIONS) {
            let Ok(tag) = version.tag() else { continue };
            let what = format!("{}:{tag}", client.repository());
            let Some(image) = client.manifest_under(&tag, &what, deadline)? else { continue };
            match parts_of(&image, &what) {
                Ok(parts) => found.push(self.resolution(&wanted.id, version.clone(), &parts)),
                Err(error) if mentions(&image, digest) => return Err(error.into()),
                Err(error) => tracing::warn!(%error, "a tag that is no version is passed over"),
            }
        }
        found.retain(|resolution| resolution.has_digest(digest));
        if found.len() > 1 {
            let versions: Vec<String> = found.iter().map(|resolution| resolution.version.to_string()).collect();
            return Err(
                VersionProblem::AmbiguousDigest { digest: *digest, versions: versions.join(", ") }.of(&wanted.id)
            );
        }
        match found.pop() {
            Some(resolution) => Ok(resolution),
            None => Err(self.missing(client, wanted, deadline)),
        }
    }

    /// Reads which version a manifest document is about: an image manifest doesn't say it. `fetch` compares the package.
    fn version_in(
        &self,
        client: &OciClient<'_>,
        wanted: &PackageRef,
        parts: &PackageParts,
        deadline: &Deadline,
    ) -> Result<Version, PackageError> {
        let what = format!("the manifest of {wanted}");
        let bytes = client.blob(&parts.manifest, limits::MANIFEST, &what, deadline)?;
        let read = manifest::read(&bytes, Platform::current());
        Ok(read.map_err(|problem| BundleErrorKind::Manifest(problem).of(wanted.to_string()))?.identity.version)
    }

    pub(crate) fn resolution(&self, id: &PackageId, version: Version, parts: &PackageParts) -> Resolution {
        Resolution {
            id: id.clone(),
            version,
            registry: self.location.clone(),
            facts: Facts::default(),
            manifest_digest: parts.manifest.digest,
            bundle_digest: parts.bundle.digest,
            bundle_size: Some(parts.bundle.size),
            image_digest: Some(parts.image),
        }
    }

    /// Makes the error for a missing package or version; it lists what there is instead.
    fn missing(&self, client: &OciClient<'_>, wanted: &PackageRef, deadline: &Deadline) -> PackageError {
        let id = wanted.id.clone();
        let private = format!("check the name, and whether it is public or you are logged in: {}", client.advice());
        let versions = match versions(client, deadline) {
            Ok(None) => return RegistryProblem::NoSuchPackage { id, hint: private }.of(&self.location),
            Ok(Some(versions)) => versions,
            Err(error) => {
                tracing::info!(%error, "the versions that there are instead can't be listed");
                Vec::new()
            }
        };
        let named: Vec<&str> = versions.iter().map(Version::as_str).collect();
        let has = match named.as_slice() {
            [] => private,
            named => format!("it has: {}", directory::listed(named, named.len())),
        };
        let hint = match &wanted.selector {
            Selector::Exact(_) => has,
            Selector::Latest => format!("`latest` is the highest SemVer among its tags\n  {has}"),
            Selector::Digest(_) if versions.len() > limits::oci::DIGEST_VERSIONS => {
                let looked = limits::oci::DIGEST_VERSIONS;
                format!(
                    "the highest {looked} versions were looked through: name the version, or the digest of the image\n  {has}"
                )
            }
            Selector::Digest(_) => has,
        };
        RegistryProblem::NoSuchVersion { id, wanted: wanted.selector.to_string(), hint }.of(&self.location)
    }
}

/// Lists the versions of a package, the highest first; `None` when there is no such package. Tags that are no version's are
/// left out.
fn versions(client: &OciClient<'_>, deadline: &Deadline) -> Result<Option<Vec<Version>>, OciError> {
    let Some(tags) = client.tags(deadline)? else { return Ok(None) };
    let mut versions: Vec<Version> = tags.iter().filter_map(|tag| version_of(tag)).collect();
    versions.sort_by_cached_key(|version| std::cmp::Reverse((version.semver(), version.as_str().to_owned())));
    versions.dedup();
    Ok(Some(versions))
}

/// The error about a package that can't be in this registry.
fn elsewhere(registry: &Registry, id: PackageId, unplaced: &UnplacedPackage) -> PackageError {
    let hint = format!("it can't be in a registry of images: {unplaced}");
    RegistryProblem::NoSuchPackage { id, hint }.of(registry)
}

/// Whether an image manifest contains a digest.
fn mentions(image: &FetchedManifest, digest: &Digest) -> bool {
    let digits = digest.hex();
    image.bytes.windows(digits.len()).any(|part| part.eq_ignore_ascii_case(digits.as_bytes()))
}

impl RegistryClient for OciRegistry {
    fn resolve(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        deadline.check()?;
        let client = self.client(&wanted.id)?;
        match &wanted.selector {
            Selector::Exact(version) => self.exact(&client, wanted, version, deadline),
            Selector::Latest => self.latest(&client, wanted, deadline),
            Selector::Digest(digest) => self.by_digest(&client, wanted, digest, deadline),
        }
    }

    fn artifact(
        &self,
        id: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        let client = self.client(id)?;
        let what = format!("the {artifact} of {}", client.repository());
        let Some(OpenedBlob { length, body }) = client.open_blob(digest, &what, deadline)? else {
            return Err(RegistryProblem::MissingBlob { artifact, digest: *digest }.of(&self.location));
        };
        artifact.check_length(length, id)?;
        Ok(body)
    }

    fn statements(&self, resolution: &Resolution, deadline: &Deadline) -> Result<ArrivedStatements, PackageError> {
        self.arrived(resolution, deadline)
    }

    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError> {
        Ok(self.nobodys.enter(deadline)?)
    }

    fn registry(&self) -> &Registry {
        &self.location
    }
}
