//! What refers to a package in a registry of images: statements, signatures.
//!
//! Nothing of it is believed here. Whoever may write to the repository can attach something, and whoever has the registry
//! can hide it.

use crate::error::PackageError;
use crate::oci::OciRegistry;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::name::PackageId;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_oci::OciError;

/// Something that refers to a package's image manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Of which kind it is.
    pub artifact_type: String,
    /// The digest of its own image manifest.
    pub digest: Digest,
    /// Its parts, in their order; none when it is not what it should be, so that its user can tell.
    pub parts: Vec<AttachedPart>,
}

/// A part of something that refers to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedPart {
    /// What it is.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How much of what refers to a package is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentLimits {
    /// How many there may be of all kinds together: more are an error, since the one that counts could be among them.
    pub count: usize,
    /// The length of a part, bytes.
    pub part: usize,
    /// The length of all parts together, bytes: nothing more is fetched after it.
    pub total: usize,
}

impl OciRegistry {
    /// Gets what refers to the image manifest `image` of a package, of these kinds: by the registry's list of referrers, or
    /// by the tag in its place.
    ///
    /// # Errors
    /// When the registry can't say, or there are more than `limits` allow.
    pub fn attached(
        &self,
        id: &PackageId,
        image: &Digest,
        artifact_types: &[&str],
        limits: AttachmentLimits,
        deadline: &Deadline,
    ) -> Result<Vec<Attached>, PackageError> {
        let client = self.client(id)?;
        let mut listed: Vec<(&str, Descriptor)> = Vec::new();
        for artifact_type in artifact_types {
            let found = client.referrers(image, artifact_type, deadline)?;
            listed.extend(found.into_iter().map(|descriptor| (*artifact_type, descriptor)));
        }
        listed.sort_by_key(|(_, descriptor)| descriptor.digest);
        listed.dedup_by_key(|(_, descriptor)| descriptor.digest);
        if listed.len() > limits.count {
            let what = format!("the list of what refers to {}@{image}", client.repository());
            return Err(OciError::TooMany { what, limit: limits.count }.into());
        }
        let (mut attached, mut fetched) = (Vec::new(), 0_usize);
        for (artifact_type, descriptor) in listed {
            if fetched > limits.total {
                let what = format!("what refers to {}@{image}", client.repository());
                return Err(OciError::TooLarge { what, limit: limits.total }.into());
            }
            let parts = match client.referrer(&descriptor, image, limits.part, deadline) {
                Ok(referrer) => referrer.parts,
                // Nobody but the registry, or what is in between, makes other bytes of it. It may be the one that counts.
                Err(error @ OciError::Digest { .. }) => return Err(error.into()),
                Err(error) if error.is_wrong() => {
                    tracing::warn!(%error, "something that refers to a package is not what it should be");
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
            };
            let lengths = parts.iter().map(|(_, bytes)| bytes.len());
            fetched = lengths.fold(fetched, usize::saturating_add);
            let parts = parts.into_iter().map(|(media_type, bytes)| AttachedPart { media_type, bytes }).collect();
            attached.push(Attached { artifact_type: artifact_type.to_owned(), digest: descriptor.digest, parts });
        }
        Ok(attached)
    }

    /// Puts something there that refers to the image manifest `image` of a package: parts, of a kind. Returns the digest of
    /// its image manifest.
    ///
    /// # Errors
    /// When the registry doesn't have that image, or doesn't take it.
    pub fn attach(
        &self,
        id: &PackageId,
        image: &Digest,
        artifact_type: &str,
        parts: &[AttachedPart],
        deadline: &Deadline,
    ) -> Result<Digest, PackageError> {
        let client = self.client(id)?;
        let manifest = client.manifest_at(image, &format!("{}@{image}", client.repository()), deadline)?;
        let subject = Descriptor::of(IMAGE_MANIFEST, &manifest.bytes);
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|it| (it.media_type.as_str(), it.bytes.as_slice())).collect();
        Ok(client.push_referrer(&subject, artifact_type, &parts, deadline)?.digest)
    }
}
