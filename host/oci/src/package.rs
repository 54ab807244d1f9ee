//! The artefact of a package.
//!
//! An image manifest, the manifest document as its configuration, and one layer, the bundle.

use crate::artefact::ArtefactKind;
use crate::client::OciClient;
use crate::document::Descriptor;
use crate::document::IMAGE_MANIFEST;
use crate::document::ImageManifest;
use crate::error::OciError;
use crate::pull::FetchedManifest;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;

/// The kind of the artefact.
pub const PACKAGE: &str = "application/vnd.mcp-hub.package.v1";
/// The media type of the manifest document.
pub const MANIFEST_DOCUMENT: &str = "application/vnd.mcp-hub.manifest.v1+json";
/// The media type of the bundle.
pub const BUNDLE: &str = "application/vnd.mcp-hub.bundle.v1.tar+gzip";
/// The kind of a statement with its minisign signature, which refers to a package.
pub const STATEMENT: &str = "application/vnd.mcp-hub.statement.v1";
/// The media type of a statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The media type of its signature; a policy and a policy set have it as the kind of theirs.
pub const MINISIGN: &str = "application/vnd.mcp-hub.minisign.v1";
/// The kind of a sigstore bundle, and the media type of its one part.
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

const KIND: ArtefactKind = ArtefactKind {
    artifact_type: Some(PACKAGE),
    config: MANIFEST_DOCUMENT,
    layer: BUNDLE,
    one_layer: "exactly one layer, the bundle",
};

/// What the image manifest of a package names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageParts {
    /// The digest of the image manifest itself.
    pub image: Digest,
    /// The manifest document.
    pub manifest: Descriptor,
    /// The bundle.
    pub bundle: Descriptor,
}

/// Returns what an image manifest names that was got by the name `what`.
///
/// # Errors
/// When it is the manifest of something else than a package.
pub fn parts_of(manifest: &FetchedManifest, what: &str) -> Result<PackageParts, OciError> {
    let (document, bundle) = KIND.parts(manifest, what)?;
    Ok(PackageParts { image: manifest.digest, manifest: document, bundle })
}

impl OciClient<'_> {
    /// Puts a package there without a tag. Its parts come first, so that whoever looks sees all of it or nothing.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn push_package(
        &self,
        manifest_document: &[u8],
        bundle: &[u8],
        deadline: &Deadline,
    ) -> Result<PackageParts, OciError> {
        let manifest = Descriptor::of(MANIFEST_DOCUMENT, manifest_document);
        let layer = Descriptor::of(BUNDLE, bundle);
        self.push_blob(&layer, bundle, deadline)?;
        self.push_blob(&manifest, manifest_document, deadline)?;
        let image = self.image_of(&manifest, &layer)?;
        let pushed = self.push_manifest(&image, IMAGE_MANIFEST, None, deadline)?;
        Ok(PackageParts { image: pushed.digest, manifest, bundle: layer })
    }

    /// Gives a package that was put there a tag.
    ///
    /// # Errors
    /// When the registry doesn't take it.
    pub fn tag_package(&self, parts: &PackageParts, tag: &str, deadline: &Deadline) -> Result<(), OciError> {
        let image = self.image_of(&parts.manifest, &parts.bundle)?;
        self.push_manifest(&image, IMAGE_MANIFEST, Some(tag), deadline).map(drop)
    }

    fn image_of(&self, manifest: &Descriptor, bundle: &Descriptor) -> Result<Vec<u8>, OciError> {
        let mut image = ImageManifest::new(manifest.clone(), vec![bundle.clone()]);
        image.artifact_type = Some(PACKAGE.to_owned());
        self.written(image.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn descriptor(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(media_type.as_bytes()).to_string(), "size": 7})
    }

    fn image(change: impl FnOnce(&mut Value)) -> FetchedManifest {
        let mut document = json!({
            "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": PACKAGE,
            "config": descriptor(MANIFEST_DOCUMENT), "layers": [descriptor(BUNDLE)],
        });
        change(&mut document);
        FetchedManifest::of(document.to_string().into_bytes(), None)
    }

    #[test]
    fn an_image_is_a_package_or_says_what_it_is() {
        let good = image(|_| {});
        let parts = parts_of(&good, "it").unwrap();
        assert_eq!(parts.image, good.digest);
        assert_eq!(parts.manifest.digest, Digest::of(MANIFEST_DOCUMENT.as_bytes()));
        assert_eq!((parts.bundle.digest, parts.bundle.size), (Digest::of(BUNDLE.as_bytes()), 7));
        type Change = fn(&mut Value);
        let cases: [(Change, &str); 9] = [
            (
                |it| it["mediaType"] = json!("application/vnd.oci.image.index.v1+json"),
                "it is `application/vnd.oci.image.in",
            ),
            (|it| it["artifactType"] = json!("application/vnd.example"), "it is of the kind `application/vnd.example`"),
            (|it| it["artifactType"] = Value::Null, "it does not say of which kind it is"),
            (|it| it["config"] = descriptor("application/x"), "its configuration is `application/x`"),
            (|it| it["layers"] = json!([]), "it has 0 layers"),
            (|it| it["layers"] = json!([descriptor(BUNDLE), descriptor(BUNDLE)]), "it has 2 layers"),
            (|it| it["layers"] = json!([descriptor("application/wasm")]), "its layer is `application/wasm`"),
            (|it| it["layers"][0]["digest"] = json!("sha512:00"), "its manifest can't be read"),
            (|it| it["layers"][0]["size"] = json!(-1), "its manifest can't be read"),
        ];
        for (change, says) in cases {
            let error = parts_of(&image(change), "it").unwrap_err();
            assert!(error.is_wrong() && error.to_string().contains(says), "{error}");
        }
    }
}
