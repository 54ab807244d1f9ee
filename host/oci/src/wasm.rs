//! The artefact of a component, as the WebAssembly community agreed on it.
//!
//! An image manifest, a configuration of its own kind, and exactly one layer: the component. `wkg` and `oras` read and
//! write it.

use serde::Serialize;

use crate::artefact::ArtefactKind;
use crate::client::OciClient;
use crate::document::Descriptor;
use crate::document::IMAGE_MANIFEST;
use crate::document::ImageIndex;
use crate::document::ImageManifest;
use crate::error::OciError;
use crate::pull::FetchedManifest;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::oci::OciReference;
use smcp_model::text::SafeText;

/// The media type of the configuration.
pub const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of the component.
pub const LAYER: &str = "application/wasm";

const KIND: ArtefactKind =
    ArtefactKind { artifact_type: None, config: CONFIG, layer: LAYER, one_layer: "exactly one layer, the component" };

/// The architecture of a component in an index of images for several.
const ARCHITECTURE: &str = "wasm";
/// The system that others expect to be named; a policy imports nothing of it.
const SYSTEM: &str = "wasip2";
/// The time in the configuration, which has to have one: always the same, so that the same component makes the same
/// artefact.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What an artefact is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasmArtefact {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// The digest of the component.
    pub component: Digest,
    /// Whether the component was sent, and not there already.
    pub sent: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig<'c> {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [String; 1],
    component: WasmInterface<'c>,
}

#[derive(Serialize)]
struct WasmInterface<'c> {
    exports: &'c [String],
    imports: &'c [String],
}

/// Returns the component in a manifest that was got by the name `what`.
///
/// # Errors
/// When it is the manifest of something else.
pub fn layer_of(manifest: &FetchedManifest, what: &str) -> Result<Descriptor, OciError> {
    KIND.parts(manifest, what).map(|(_, layer)| layer)
}

impl OciClient<'_> {
    /// Gets the manifest of the component that a reference names. Of an index that is the only one for WebAssembly.
    ///
    /// # Errors
    /// When it can't be had, or is that of something else.
    pub fn component_manifest(
        &self,
        reference: &OciReference,
        deadline: &Deadline,
    ) -> Result<ComponentManifest, OciError> {
        let what = reference.to_string();
        let named = self.manifest(reference, deadline)?;
        if !named.is_index() {
            return Ok(ComponentManifest { layer: layer_of(&named, &what)?, manifest: named, index: None });
        }
        let chosen = chosen(&named, &what)?;
        let manifest = self.manifest_at(&chosen, &what, deadline)?;
        Ok(ComponentManifest { layer: layer_of(&manifest, &what)?, manifest, index: Some(named) })
    }

    /// Puts a component there, under a tag when one is given. `exports` and `imports` are told to whoever looks at it.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn push_component(
        &self,
        tag: Option<&str>,
        component: &[u8],
        exports: &[String],
        imports: &[String],
        deadline: &Deadline,
    ) -> Result<WasmArtefact, OciError> {
        let layer = Descriptor::of(LAYER, component);
        let config = WasmConfig {
            created: CREATED,
            architecture: ARCHITECTURE,
            os: SYSTEM,
            layer_digests: [layer.digest.to_string()],
            component: WasmInterface { exports, imports },
        };
        let config = self.written(serde_json::to_vec(&config))?;
        let described = Descriptor::of(CONFIG, &config);
        self.push_blob(&described, &config, deadline)?;
        let sent = self.push_blob(&layer, component, deadline)?;
        let digest = layer.digest;
        let manifest = self.written(ImageManifest::new(described, vec![layer]).to_bytes())?;
        let pushed = self.push_manifest(&manifest, IMAGE_MANIFEST, tag, deadline)?;
        Ok(WasmArtefact { manifest: pushed.digest, component: digest, sent })
    }
}

/// The manifest of a component, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentManifest {
    /// The component.
    pub layer: Descriptor,
    /// Its manifest.
    pub manifest: FetchedManifest,
    /// The index that names it, if the reference led to one.
    pub index: Option<FetchedManifest>,
}

/// Returns the digest of the only manifest for WebAssembly in an index.
///
/// # Errors
/// When there is none, or more than one.
pub fn chosen(index: &FetchedManifest, what: &str) -> Result<Digest, OciError> {
    let wrong = |problem: String| OciError::Artefact {
        what: what.to_owned(),
        problem: SafeText::within(&problem, limits::PARSER_MESSAGE),
        allowed: "an index with exactly one manifest for the architecture `wasm`, or the manifest itself",
    };
    let document: ImageIndex =
        serde_json::from_slice(&index.bytes).map_err(|error| wrong(format!("its index can't be read: {error}")))?;
    let is_wasm = |it: &&Descriptor| {
        it.media_type == IMAGE_MANIFEST
            && it.platform.as_ref().is_some_and(|platform| platform.architecture == ARCHITECTURE)
    };
    let fitting: Vec<&Descriptor> = document.manifests.iter().filter(is_wasm).collect();
    match fitting.as_slice() {
        [only] => Ok(only.digest),
        several => {
            let platforms = document.manifests.iter().filter_map(|it| it.platform.as_ref());
            let platforms: Vec<String> = platforms.map(|it| format!("{}/{}", it.os, it.architecture)).collect();
            Err(wrong(format!(
                "it is an index with {} manifests for WebAssembly among {} ({})",
                several.len(),
                document.manifests.len(),
                platforms.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests;
