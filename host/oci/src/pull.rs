//! Reading: manifests and blobs, each compared with its digest.

use std::fmt;
use std::io::Read;

use crate::client::OciCall;
use crate::client::OciClient;
use crate::client::RepositoryAccess;
use crate::document::Descriptor;
use crate::document::IMAGE_INDEX;
use crate::document::IMAGE_MANIFEST;
use crate::document::own_media_type;
use crate::error::OciError;
use smcp_http::HttpMethod;
use smcp_http::HttpReply;
use smcp_http::HttpTarget;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::oci::OciReference;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// What a manifest may be: what smcp reads, and what registries then say it is not.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                        application/vnd.docker.distribution.manifest.v2+json, \
                        application/vnd.docker.distribution.manifest.list.v2+json";

/// A manifest as it came: its bytes have its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedManifest {
    /// The digest of the bytes.
    pub digest: Digest,
    /// What it is.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A blob, about to be read.
pub struct OpenedBlob {
    /// Its length as the registry says it, bytes.
    pub length: Option<u64>,
    /// Its bytes.
    pub body: Box<dyn Read>,
}

impl fmt::Debug for OpenedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedBlob").field("length", &self.length).finish_non_exhaustive()
    }
}

impl FetchedManifest {
    /// A manifest of its bytes, such as those that were kept. What it is stands in them, or else in `said`.
    pub fn of(bytes: Vec<u8>, said: Option<&str>) -> Self {
        let media_type = own_media_type(&bytes).or_else(|| said.map(str::to_owned)).unwrap_or_default();
        Self { digest: Digest::of(&bytes), media_type, bytes }
    }

    pub(crate) fn is_index(&self) -> bool {
        self.media_type == IMAGE_INDEX
    }

    pub(crate) fn is_manifest(&self) -> bool {
        self.media_type == IMAGE_MANIFEST
    }
}

impl OciClient<'_> {
    /// Gets the manifest that a reference names: by its digest, else by its tag.
    ///
    /// # Errors
    /// When it can't be had, or has another digest than the reference or the registry says.
    pub fn manifest(&self, reference: &OciReference, deadline: &Deadline) -> Result<FetchedManifest, OciError> {
        let what = reference.to_string();
        match reference.digest() {
            Some(digest) => self.manifest_at(digest, &what, deadline),
            None => {
                let tag = reference.tag().unwrap_or_default();
                self.find_manifest(tag, &what, deadline)?.map_err(|reply| self.missing(reply, &what))
            }
        }
    }

    /// Gets the manifest with this digest.
    ///
    /// # Errors
    /// As [`OciClient::manifest`].
    pub fn manifest_at(&self, digest: &Digest, what: &str, deadline: &Deadline) -> Result<FetchedManifest, OciError> {
        let found = self.find_manifest(&digest.to_string(), what, deadline)?;
        let manifest = found.map_err(|reply| self.missing(reply, what))?;
        check(what, digest, manifest.digest)?;
        Ok(manifest)
    }

    fn missing(&self, reply: HttpReply, what: &str) -> OciError {
        self.refused(reply, what, RepositoryAccess::Pull)
    }

    /// Gets the manifest under a tag or a digest; the answer itself when there is none.
    pub(crate) fn find_manifest(
        &self,
        name: &str,
        what: &str,
        deadline: &Deadline,
    ) -> Result<Result<FetchedManifest, HttpReply>, OciError> {
        let reply = self.get(&self.path(&format!("manifests/{name}")), ACCEPTED, deadline)?;
        match reply.status() {
            200 => {}
            404 => return Ok(Err(reply)),
            _ => return Err(self.refused(reply, what, RepositoryAccess::Pull)),
        }
        let said_type = reply.header("content-type").map(|kind| kind.split(';').next().unwrap_or_default().to_owned());
        let said_digest = reply.header("docker-content-digest").and_then(|digest| digest.parse().ok());
        let bytes = self.body(reply, limits::oci::MANIFEST, &format!("the manifest of {what}"), deadline)?;
        let manifest = FetchedManifest::of(bytes, said_type.as_deref());
        // Whoever cached it on the way may have another one than the registry means.
        said_digest.map_or(Ok(()), |said: Digest| check(&format!("the manifest of {what}"), &said, manifest.digest))?;
        Ok(Ok(manifest))
    }

    /// Gets the manifest under a tag or a digest, by the name `what`; `None` when there is none.
    ///
    /// # Errors
    /// As [`OciClient::manifest`].
    pub fn manifest_under(
        &self,
        name: &str,
        what: &str,
        deadline: &Deadline,
    ) -> Result<Option<FetchedManifest>, OciError> {
        let Ok(manifest) = self.find_manifest(name, what, deadline)? else { return Ok(None) };
        if let Ok(digest) = name.parse::<Digest>() {
            check(what, &digest, manifest.digest)?;
        }
        Ok(Some(manifest))
    }

    /// Opens a blob, which is not compared with its digest here; `None` when there is none.
    ///
    /// # Errors
    /// When the registry doesn't give it.
    pub fn open_blob(&self, digest: &Digest, what: &str, deadline: &Deadline) -> Result<Option<OpenedBlob>, OciError> {
        let reply = self.get(&self.path(&format!("blobs/{digest}")), "application/octet-stream, */*", deadline)?;
        match reply.status() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.refused(reply, what, RepositoryAccess::Pull)),
        }
        let length = reply.length();
        let body = reply.body(deadline).map_err(|problem| self.http.failed(problem))?;
        Ok(Some(OpenedBlob { length, body: Box::new(body) }))
    }

    /// Gets a blob of at most `limit` bytes.
    ///
    /// # Errors
    /// When it can't be had, is longer, or is not what its digest says.
    pub fn blob(&self, blob: &Descriptor, limit: usize, what: &str, deadline: &Deadline) -> Result<Vec<u8>, OciError> {
        let too_large = || OciError::TooLarge { what: what.to_owned(), limit };
        if blob.size > number::wide(limit) {
            return Err(too_large());
        }
        let path = self.path(&format!("blobs/{}", blob.digest));
        let reply = self.get(&path, "application/octet-stream, */*", deadline)?;
        if reply.status() != 200 {
            return Err(self.refused(reply, what, RepositoryAccess::Pull));
        }
        let bytes = self.body(reply, limit, what, deadline)?;
        check(what, &blob.digest, Digest::of(&bytes))?;
        if number::wide(bytes.len()) == blob.size {
            return Ok(bytes);
        }
        let problem = format!("its manifest says that it has {} bytes, and it has {}", blob.size, bytes.len());
        Err(OciError::Artefact { what: what.to_owned(), problem: SafeText::new(&problem), allowed: "the same number" })
    }

    pub(crate) fn get(&self, path: &str, accept: &str, deadline: &Deadline) -> Result<HttpReply, OciError> {
        self.call(&asking(path, &[("accept", accept)], RepositoryAccess::Pull), deadline)
    }

    /// Reads the body of an answer.
    pub(crate) fn body(
        &self,
        reply: HttpReply,
        limit: usize,
        what: &str,
        deadline: &Deadline,
    ) -> Result<Vec<u8>, OciError> {
        let too_large = || OciError::TooLarge { what: what.to_owned(), limit };
        if reply.length().is_some_and(|length| length > number::wide(limit)) {
            return Err(too_large());
        }
        let body = reply.body(deadline).map_err(|problem| self.http.failed(problem))?;
        let mut bytes = Vec::new();
        let read = body.take(number::wide(limit).saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|cause| match cause.downcast::<Halted>() {
            Ok(halted) => OciError::Halted(halted),
            Err(cause) => OciError::Broken { what: what.to_owned(), cause },
        })?;
        if bytes.len() > limit { Err(too_large()) } else { Ok(bytes) }
    }
}

/// A request for something, as it stands below the registry's address.
pub(crate) const fn asking<'q>(
    path: &'q str,
    headers: &'q [(&'static str, &'q str)],
    access: RepositoryAccess,
) -> OciCall<'q> {
    OciCall { method: HttpMethod::Get, target: HttpTarget::Below(path), headers, body: None, repeatable: true, access }
}

/// Compares digests.
pub(crate) fn check(what: &str, expected: &Digest, found: Digest) -> Result<(), OciError> {
    if *expected == found {
        return Ok(());
    }
    Err(OciError::Digest { what: what.to_owned(), expected: *expected, found })
}
