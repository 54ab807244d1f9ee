//! What makes an image the artefact of one kind.
//!
//! `document` comes before; `wasm`, `set` and `package` have one kind each.

use crate::document::Descriptor;
use crate::document::IMAGE_MANIFEST;
use crate::document::ImageManifest;
use crate::error::OciError;
use crate::pull::FetchedManifest;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// A kind of artefact that has a configuration and exactly one layer.
#[derive(Debug)]
pub(crate) struct ArtefactKind {
    /// What its manifest says that it is; `None` where the configuration says it.
    pub(crate) artifact_type: Option<&'static str>,
    /// The media type of its configuration.
    pub(crate) config: &'static str,
    /// The media type of its layer.
    pub(crate) layer: &'static str,
    /// What is expected in place of no layer, or several.
    pub(crate) one_layer: &'static str,
}

impl ArtefactKind {
    /// Returns the configuration and the layer that a manifest names, which was got by the name `what`.
    ///
    /// # Errors
    /// When it is the manifest of something else.
    pub(crate) fn parts(&self, manifest: &FetchedManifest, what: &str) -> Result<(Descriptor, Descriptor), OciError> {
        let wrong = |problem: String, allowed| OciError::Artefact {
            what: what.to_owned(),
            problem: SafeText::within(&problem, limits::PARSER_MESSAGE),
            allowed,
        };
        if !manifest.is_manifest() {
            return Err(wrong(format!("it is `{}`", manifest.media_type), IMAGE_MANIFEST));
        }
        let document: ImageManifest = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| wrong(format!("its manifest can't be read: {error}"), "an image manifest"))?;
        match (self.artifact_type, document.artifact_type.as_deref()) {
            (None, _) => {}
            (Some(kind), Some(said)) if said == kind => {}
            (Some(kind), Some(other)) => return Err(wrong(format!("it is of the kind `{other}`"), kind)),
            (Some(kind), None) => return Err(wrong("it does not say of which kind it is".to_owned(), kind)),
        }
        if document.config.media_type != self.config {
            return Err(wrong(format!("its configuration is `{}`", document.config.media_type), self.config));
        }
        match document.layers.as_slice() {
            [layer] if layer.media_type == self.layer => Ok((document.config, layer.clone())),
            [layer] => Err(wrong(format!("its layer is `{}`", layer.media_type), self.layer)),
            layers => Err(wrong(format!("it has {} layers", layers.len()), self.one_layer)),
        }
    }
}
