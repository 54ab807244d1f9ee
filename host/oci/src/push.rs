//! Writing: blobs that are not there yet, and manifests.

use crate::client::OciCall;
use crate::client::OciClient;
use crate::client::RepositoryAccess;
use crate::document::Descriptor;
use crate::error::OciError;
use smcp_http::HttpMethod;
use smcp_http::HttpReply;
use smcp_http::HttpTarget;
use smcp_http::encoded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// A manifest that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// Its digest.
    pub digest: Digest,
    /// Whether the registry lists it as a referrer of its subject.
    pub lists_referrers: bool,
}

/// How a blob is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UploadManner {
    /// In one request.
    Whole,
    /// In pieces, one after the other.
    Pieces,
}

/// How an upload ended that failed.
enum UploadFailure {
    /// This manner is not the registry's.
    NotTaken(OciError),
    Over(OciError),
}

impl From<OciError> for UploadFailure {
    fn from(error: OciError) -> Self {
        Self::Over(error)
    }
}

impl OciClient<'_> {
    /// Puts a blob there, unless it is there. Returns whether it was sent.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn push_blob(&self, blob: &Descriptor, bytes: &[u8], deadline: &Deadline) -> Result<bool, OciError> {
        if self.has_blob(&blob.digest, deadline)? {
            return Ok(false);
        }
        let manners = if bytes.len() <= limits::oci::PIECE {
            [UploadManner::Whole, UploadManner::Pieces]
        } else {
            [UploadManner::Pieces, UploadManner::Whole]
        };
        let mut refused = None;
        for manner in manners {
            match self.upload(&blob.digest, bytes, manner, deadline) {
                Ok(()) => return Ok(true),
                Err(UploadFailure::Over(error)) => return Err(error),
                Err(UploadFailure::NotTaken(error)) => {
                    tracing::info!(%error, ?manner, "the registry does not take a blob so");
                    refused.get_or_insert(error);
                }
            }
        }
        Err(refused.unwrap_or_else(|| self.no_place("none of the two ways to send a blob")))
    }

    /// Whether a blob is there. A registry that can't say is given it.
    fn has_blob(&self, digest: &Digest, deadline: &Deadline) -> Result<bool, OciError> {
        let path = self.path(&format!("blobs/{digest}"));
        // Asked for with the right that the upload needs: a log-in that has it is asked for once.
        let reply = self.write(HttpMethod::Head, HttpTarget::Below(&path), &[], None, true, deadline)?;
        match reply.status() {
            200 => Ok(true),
            401 | 403 => Err(self.refused(reply, &digest.to_string(), RepositoryAccess::Push)),
            _ => Ok(false),
        }
    }

    fn upload(
        &self,
        digest: &Digest,
        bytes: &[u8],
        manner: UploadManner,
        deadline: &Deadline,
    ) -> Result<(), UploadFailure> {
        // An upload that was begun and is not finished is forgotten by the registry: it may be begun twice.
        let path = self.path("blobs/uploads/");
        let begun = self.write(HttpMethod::Post, HttpTarget::Below(&path), &[], Some(&[]), true, deadline)?;
        if begun.status() != 202 {
            return Err(UploadFailure::Over(self.refused(begun, "a place for a blob", RepositoryAccess::Push)));
        }
        let least = begun.header("oci-chunk-min-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut location = self.location(&begun)?;
        let mut last: &[u8] = bytes;
        if manner == UploadManner::Pieces {
            let size = limits::oci::PIECE.max(least).min(limits::oci::PIECE_CEILING);
            let mut start = 0_usize;
            for piece in bytes.chunks(size) {
                let end = start.saturating_add(piece.len());
                let range = format!("{start}-{}", end.saturating_sub(1));
                let headers = [("content-type", "application/octet-stream"), ("content-range", range.as_str())];
                let target = HttpTarget::Led(&location);
                let reply = self.write(HttpMethod::Patch, target, &headers, Some(piece), false, deadline)?;
                if reply.status() != 202 {
                    return Err(self.not_taken(reply));
                }
                location = self.location(&reply)?;
                start = end;
            }
            last = &[];
        }
        let separator = if location.contains('?') { '&' } else { '?' };
        let target = format!("{location}{separator}digest={}", encoded(&digest.to_string()));
        let headers = [("content-type", "application/octet-stream")];
        // Repeated after an answer that got lost, it finds that the upload is gone; so it is not repeated.
        let reply = self.write(HttpMethod::Put, HttpTarget::Led(&target), &headers, Some(last), false, deadline)?;
        if reply.status() == 201 { Ok(()) } else { Err(self.not_taken(reply)) }
    }

    /// Makes of an answer to a part of an upload its failure: whether the other manner may help.
    fn not_taken(&self, reply: HttpReply) -> UploadFailure {
        let may_help = matches!(reply.status(), 400 | 404 | 405 | 411 | 413 | 415 | 416 | 501);
        let error = self.refused(reply, "a blob to be taken", RepositoryAccess::Push);
        if may_help { UploadFailure::NotTaken(error) } else { UploadFailure::Over(error) }
    }

    /// Where an upload goes on.
    fn location(&self, reply: &HttpReply) -> Result<String, OciError> {
        reply.header("location").map(str::to_owned).ok_or_else(|| self.no_place("no `location` for the blob"))
    }

    fn no_place(&self, found: &str) -> OciError {
        OciError::Protocol {
            host: self.host(),
            doing: "for a place for a blob".to_owned(),
            found: found.to_owned(),
            said: SafeText::default(),
            allowed: "status 202 and a `location`",
        }
    }

    /// Writes a manifest under a tag, or under its digest alone. Its parts must be there.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn push_manifest(
        &self,
        bytes: &[u8],
        media_type: &str,
        tag: Option<&str>,
        deadline: &Deadline,
    ) -> Result<Pushed, OciError> {
        let digest = Digest::of(bytes);
        let name = tag.map_or_else(|| digest.to_string(), str::to_owned);
        let path = self.path(&format!("manifests/{name}"));
        let headers = [("content-type", media_type)];
        let target = HttpTarget::Below(&path);
        let reply = self.write(HttpMethod::Put, target, &headers, Some(bytes), true, deadline)?;
        if reply.status() != 201 {
            return Err(self.refused(reply, &format!("the manifest {name} to be taken"), RepositoryAccess::Push));
        }
        let said = reply.header("docker-content-digest").and_then(|said| said.parse::<Digest>().ok());
        if let Some(said) = said.filter(|said| *said != digest) {
            return Err(OciError::Digest {
                what: format!("the manifest {name} as it was stored"),
                expected: digest,
                found: said,
            });
        }
        Ok(Pushed { digest, lists_referrers: reply.header("oci-subject").is_some() })
    }

    fn write(
        &self,
        method: HttpMethod,
        target: HttpTarget<'_>,
        headers: &[(&'static str, &str)],
        body: Option<&[u8]>,
        repeatable: bool,
        deadline: &Deadline,
    ) -> Result<HttpReply, OciError> {
        self.call(&OciCall { method, target, headers, body, repeatable, access: RepositoryAccess::Push }, deadline)
    }
}
