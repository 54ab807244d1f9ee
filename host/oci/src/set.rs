//! The artefact of a policy set, of a kind of its own.
//!
//! An image manifest that says what it is (`artifactType`), a configuration that says nothing, and exactly one layer: the
//! archive. The same archive makes the same artefact.

use crate::artefact::ArtefactKind;
use crate::client::OciClient;
use crate::document::Descriptor;
use crate::document::EMPTY;
use crate::document::IMAGE_MANIFEST;
use crate::document::ImageManifest;
use crate::error::OciError;
use crate::pull::FetchedManifest;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;

/// What a manifest says that it is the manifest of.
pub const ARTIFACT: &str = "application/vnd.mcp-hub.policy-set.v1";
/// The media type of the archive.
pub const LAYER: &str = "application/vnd.mcp-hub.policy-set.v1.tar+gzip";

const KIND: ArtefactKind = ArtefactKind {
    artifact_type: Some(ARTIFACT),
    config: EMPTY.0,
    layer: LAYER,
    one_layer: "exactly one layer, the archive",
};

/// What the artefact of a set is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetArtefact {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// The digest of the archive.
    pub archive: Digest,
    /// Whether the archive was sent, and not there already.
    pub sent: bool,
}

/// Returns the archive in a manifest that was got by the name `what`.
///
/// # Errors
/// When it is the manifest of something else.
pub fn layer_of(manifest: &FetchedManifest, what: &str) -> Result<Descriptor, OciError> {
    KIND.parts(manifest, what).map(|(_, layer)| layer)
}

impl OciClient<'_> {
    /// Puts the archive of a set there, under a tag when one is given.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn push_set(&self, tag: Option<&str>, archive: &[u8], deadline: &Deadline) -> Result<SetArtefact, OciError> {
        let (config, layer) = (Descriptor::of(EMPTY.0, EMPTY.1), Descriptor::of(LAYER, archive));
        self.push_blob(&config, EMPTY.1, deadline)?;
        let (sent, digest) = (self.push_blob(&layer, archive, deadline)?, layer.digest);
        let mut manifest = ImageManifest::new(config, vec![layer]);
        manifest.artifact_type = Some(ARTIFACT.to_owned());
        let manifest = self.written(manifest.to_bytes())?;
        let pushed = self.push_manifest(&manifest, IMAGE_MANIFEST, tag, deadline)?;
        Ok(SetArtefact { manifest: pushed.digest, archive: digest, sent })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn read(document: &Value) -> Result<Descriptor, String> {
        let manifest = FetchedManifest::of(document.to_string().into_bytes(), None);
        layer_of(&manifest, "it").map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_manifest_of_a_set_leads_to_an_archive() {
        let of = |kind: &str, bytes: &[u8]| serde_json::to_value(Descriptor::of(kind, bytes)).unwrap();
        let good = json!({
            "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": ARTIFACT, "config": of(EMPTY.0, EMPTY.1),
            "layers": [of(LAYER, b"archive")],
        });
        assert_eq!(read(&good), Ok(Descriptor::of(LAYER, b"archive")));
        let cases: [(&str, Value, &str); 7] = [
            ("artifactType", Value::Null, "it does not say of which kind it is"),
            ("artifactType", json!("application/vnd.example"), "it is of the kind `application/vnd.example`"),
            ("mediaType", json!("application/vnd.oci.image.index.v1+json"), "it is `application/vnd.oci.image.index"),
            ("config", of("application/vnd.wasm.config.v0+json", b"{}"), "its configuration is `application/vnd.wasm"),
            ("layers", json!([]), "it has 0 layers"),
            ("layers", json!([of(LAYER, b"a"), of(LAYER, b"b")]), "it has 2 layers"),
            ("layers", json!([of("application/wasm", b"a")]), "its layer is `application/wasm`"),
        ];
        for (key, value, says) in cases {
            let mut document = good.clone();
            document[key] = value;
            let problem = read(&document).unwrap_err();
            assert!(problem.contains(says), "{says}: {problem}");
        }
    }
}
