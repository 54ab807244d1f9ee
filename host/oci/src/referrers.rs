//! What refers to an artefact: by the API, or by the tag in its place.

use crate::client::OciClient;
use crate::client::RepositoryAccess;
use crate::document::Descriptor;
use crate::document::EMPTY;
use crate::document::IMAGE_INDEX;
use crate::document::IMAGE_MANIFEST;
use crate::document::ImageIndex;
use crate::document::ImageManifest;
use crate::error::OciError;
use smcp_http::encoded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// Something that refers to an artefact, with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its parts, in their order: what each is, and its bytes.
    pub parts: Vec<(String, Vec<u8>)>,
}

/// How often the list in a tag is written again because somebody else has written it meanwhile.
const ROUNDS: usize = 3;

impl OciClient<'_> {
    /// Lists what refers to the manifest with the digest `subject`, of one kind.
    ///
    /// # Errors
    /// When the registry can't say.
    pub fn referrers(
        &self,
        subject: &Digest,
        artifact_type: &str,
        deadline: &Deadline,
    ) -> Result<Vec<Descriptor>, OciError> {
        let found = match self.listed(subject, artifact_type, deadline)? {
            Some(found) => found,
            None => self.tagged(subject, deadline)?.map_or_else(Vec::new, |index| index.manifests),
        };
        let (mut of_kind, mut looked_at) = (Vec::new(), 0_usize);
        for referrer in found {
            // A registry need not filter, and the list in a tag has all kinds. Who copies that list may lose them.
            let is_it = match &referrer.artifact_type {
                Some(kind) => kind == artifact_type,
                None => {
                    looked_at = looked_at.saturating_add(1);
                    if looked_at > limits::oci::REFERRERS_LOOKED_AT {
                        // The one that counts could be among the others.
                        let what = format!("the list of referrers without a kind of {}@{subject}", self.repository);
                        return Err(OciError::TooMany { what, limit: limits::oci::REFERRERS_LOOKED_AT });
                    }
                    self.says(&referrer, artifact_type, deadline)?
                }
            };
            if is_it {
                of_kind.push(referrer);
            }
        }
        Ok(of_kind)
    }

    /// Whether the manifest of a referrer says itself that it is of this kind. One that is not there or not right says
    /// nothing.
    fn says(&self, referrer: &Descriptor, artifact_type: &str, deadline: &Deadline) -> Result<bool, OciError> {
        let what = format!("{}@{}", self.repository, referrer.digest);
        match self.manifest_at(&referrer.digest, &what, deadline) {
            Ok(manifest) => {
                let document: Option<ImageManifest> = serde_json::from_slice(&manifest.bytes).ok();
                Ok(document.is_some_and(|document| document.artifact_type.as_deref() == Some(artifact_type)))
            }
            Err(OciError::Missing { .. }) => Ok(false),
            Err(error) if error.is_wrong() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks the registry's own list; `None` when it has none.
    fn listed(
        &self,
        subject: &Digest,
        artifact_type: &str,
        deadline: &Deadline,
    ) -> Result<Option<Vec<Descriptor>>, OciError> {
        let what = format!("the referrers of {}@{subject}", self.repository);
        let mut found = Vec::new();
        let mut path = self.path(&format!("referrers/{subject}?artifactType={}", encoded(artifact_type)));
        for _ in 0..limits::oci::REFERRER_PAGES {
            let reply = self.get(&path, IMAGE_INDEX, deadline)?;
            match reply.status() {
                200 => {}
                // What has no such list says so in one of these ways.
                400 | 404 | 405 | 501 if found.is_empty() => return Ok(None),
                _ => return Err(self.refused(reply, &what, RepositoryAccess::Pull)),
            }
            let next = self.next_path(&reply, &what)?;
            let bytes = self.body(reply, limits::oci::MANIFEST, &what, deadline)?;
            found.extend(read_index(&bytes, &what)?.manifests);
            match next {
                Some(next) => path = next,
                None => return Ok(Some(found)),
            }
        }
        Err(OciError::TooLarge { what, limit: limits::oci::REFERRER_PAGES.saturating_mul(limits::oci::MANIFEST) })
    }

    /// Reads the list in the tag that stands for the registry's own.
    fn tagged(&self, subject: &Digest, deadline: &Deadline) -> Result<Option<ImageIndex>, OciError> {
        let tag = fallback_tag(subject);
        let what = format!("{}:{tag}", self.repository);
        match self.find_manifest(&tag, &what, deadline)? {
            Err(_) => Ok(None),
            Ok(manifest) => read_index(&manifest.bytes, &what).map(Some),
        }
    }

    /// Gets a referrer with its parts: at most [`limits::oci::REFERRER_PARTS`], each of at most `limit` bytes.
    ///
    /// # Errors
    /// When it can't be had, refers to something else, or has more parts or none.
    pub fn referrer(
        &self,
        referrer: &Descriptor,
        subject: &Digest,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Referrer, OciError> {
        let what = format!("{}@{}", self.repository, referrer.digest);
        let wrong =
            |problem: &str, allowed| OciError::Artefact { what: what.clone(), problem: problem.into(), allowed };
        let manifest = self.manifest_at(&referrer.digest, &what, deadline)?;
        let document: ImageManifest = serde_json::from_slice(&manifest.bytes)
            .map_err(|_| wrong("its manifest can't be read", "the manifest of a referrer"))?;
        if document.subject.as_ref().map(|subject| subject.digest) != Some(*subject) {
            return Err(wrong("it refers to something else", "a `subject` with the digest of the artefact"));
        }
        if !(1..=limits::oci::REFERRER_PARTS).contains(&document.layers.len()) {
            return Err(wrong(&format!("it has {} parts", document.layers.len()), "one to four"));
        }
        let of_part = |part: &Descriptor| Ok((part.media_type.clone(), self.blob(part, limit, &what, deadline)?));
        let parts = document.layers.iter().map(of_part).collect::<Result<_, OciError>>()?;
        Ok(Referrer { digest: referrer.digest, parts })
    }

    /// Puts something there that refers to the manifest `subject`: parts, of a kind. Each part is what it is, and its bytes.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn push_referrer(
        &self,
        subject: &Descriptor,
        artifact_type: &str,
        parts: &[(&str, &[u8])],
        deadline: &Deadline,
    ) -> Result<Descriptor, OciError> {
        let config = Descriptor::of(EMPTY.0, EMPTY.1);
        self.push_blob(&config, EMPTY.1, deadline)?;
        let mut layers = Vec::new();
        for (media_type, bytes) in parts {
            let layer = Descriptor::of(media_type, bytes);
            self.push_blob(&layer, bytes, deadline)?;
            layers.push(layer);
        }
        let mut manifest = ImageManifest::new(config, layers);
        manifest.artifact_type = Some(artifact_type.to_owned());
        manifest.subject = Some(Descriptor { platform: None, artifact_type: None, ..subject.clone() });
        let manifest = self.written(manifest.to_bytes())?;
        let pushed = self.push_manifest(&manifest, IMAGE_MANIFEST, None, deadline)?;
        let referrer =
            Descriptor { artifact_type: Some(artifact_type.to_owned()), ..Descriptor::of(IMAGE_MANIFEST, &manifest) };
        if !pushed.lists_referrers {
            self.tag_referrer(&subject.digest, &referrer, deadline)?;
        }
        Ok(referrer)
    }

    /// Adds a referrer to the list in the tag. Somebody who writes it at the same moment may win: so it is looked at again.
    fn tag_referrer(&self, subject: &Digest, referrer: &Descriptor, deadline: &Deadline) -> Result<(), OciError> {
        let tag = fallback_tag(subject);
        for _ in 0..ROUNDS {
            let mut index = self.tagged(subject, deadline)?.unwrap_or_else(|| ImageIndex::new(Vec::new()));
            if index.manifests.iter().any(|known| known.digest == referrer.digest) {
                return Ok(());
            }
            index.manifests.push(referrer.clone());
            let bytes = self.written(index.to_bytes())?;
            self.push_manifest(&bytes, IMAGE_INDEX, Some(&tag), deadline)?;
        }
        let index = self.tagged(subject, deadline)?;
        if index.is_some_and(|index| index.manifests.iter().any(|known| known.digest == referrer.digest)) {
            return Ok(());
        }
        Err(OciError::Protocol {
            host: self.host(),
            doing: format!("for the tag {tag}"),
            found: "a list without what was just added to it".to_owned(),
            said: SafeText::default(),
            allowed: "that nobody else writes it all the time: try again",
        })
    }

    pub(crate) fn written(&self, document: Result<Vec<u8>, serde_json::Error>) -> Result<Vec<u8>, OciError> {
        document.map_err(|error| OciError::Artefact {
            what: self.repository.to_string(),
            problem: SafeText::new(&error.to_string()),
            allowed: "a document that can be written as JSON",
        })
    }
}

/// The tag that stands for the list of an artefact's referrers in a registry without one.
fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

fn read_index(bytes: &[u8], what: &str) -> Result<ImageIndex, OciError> {
    serde_json::from_slice(bytes).map_err(|error| OciError::Artefact {
        what: what.to_owned(),
        problem: SafeText::within(&format!("it can't be read: {error}"), limits::PARSER_MESSAGE),
        allowed: "an image index",
    })
}
