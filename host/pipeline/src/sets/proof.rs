//! What proves that an archive counts: its manifest, and its signatures.
//!
//! It is kept beside the copy of the archive. Nothing in it is believed: a manifest has its digest, and signatures are
//! verified, whenever it is read.

use serde_json::Value;
use serde_json::json;

use crate::remote::signature;
use smcp_model::digest::Digest;
use smcp_oci::FetchedManifest;
use smcp_oci::set;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;

const SCHEMA: &str = "smcp.set-proof/1";

/// The manifest and the signatures of an archive, whatever they are worth.
#[derive(Debug, Clone, Default)]
pub(crate) struct SetProof {
    /// The manifest that is said to lead to it; `None` for a file.
    pub(crate) manifest: Option<FetchedManifest>,
    /// The signatures that came with it.
    pub(crate) signatures: Vec<SignatureDocument>,
}

impl SetProof {
    /// Returns the manifest, if it leads to the archive with this digest.
    pub(crate) fn manifest_of(&self, archive: Digest) -> Option<&FetchedManifest> {
        self.manifest.as_ref().filter(|manifest| set::layer_of(manifest, "").is_ok_and(|it| it.digest == archive))
    }

    /// Returns what may be signed: the archive, and the manifest that leads to it.
    pub(crate) fn candidates<'b>(&'b self, bytes: &'b [u8], archive: Digest) -> Vec<&'b [u8]> {
        std::iter::once(bytes).chain(self.manifest_of(archive).map(|manifest| manifest.bytes.as_slice())).collect()
    }

    /// The same without what proves nothing: only signatures by somebody whom the rule names.
    pub(crate) fn needed(&self, bytes: &[u8], archive: Digest, rule: Option<&LoadedRule>, now: u64) -> Self {
        let candidates = self.candidates(bytes, archive);
        let good = rule.map_or_else(Vec::new, |rule| rule.good(&candidates, &self.signatures, now).cloned().collect());
        Self { manifest: self.manifest_of(archive).cloned(), signatures: good }
    }

    /// Reads the text of a kept one; what is not one proves nothing.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(bytes).ok()?;
        if document.get("schema")? != SCHEMA {
            return None;
        }
        let text = |value: &Value| Some(value.as_str()?.as_bytes().to_vec());
        let manifest = document.get("manifest").filter(|value| !value.is_null());
        let manifest = match manifest {
            Some(manifest) => Some(FetchedManifest::of(text(manifest)?, None)),
            None => None,
        };
        let of_one = |value: &Value| {
            let named = value.get("form")?.as_str()?;
            let form = SignatureForm::ALL.into_iter().find(|form| form.suffix() == named)?;
            Some(signature(form, text(value.get("content")?)?))
        };
        let signatures = document.get("signatures")?.as_array()?.iter().map(of_one).collect::<Option<_>>()?;
        Some(Self { manifest, signatures })
    }

    /// Returns the text to keep; `None` when there is nothing. Signatures and manifests that count are UTF-8.
    pub(crate) fn text(&self) -> Option<String> {
        if self.manifest.is_none() && self.signatures.is_empty() {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let of_one = |it: &SignatureDocument| json!({"form": it.form.suffix(), "content": text(&it.content)});
        let document = json!({
            "schema": SCHEMA,
            "manifest": self.manifest.as_ref().map(|manifest| text(&manifest.bytes)),
            "signatures": self.signatures.iter().map(of_one).collect::<Vec<_>>(),
        });
        Some(format!("{document}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_anything_else_proves_nothing() {
        let proof = SetProof {
            manifest: Some(FetchedManifest::of(b"{\"a\": 1}".to_vec(), None)),
            signatures: vec![signature(SignatureForm::Minisign, b"line\nline\n".to_vec())],
        };
        let text = proof.text().unwrap();
        let again = SetProof::parse(text.as_bytes());
        assert_eq!(again.text(), Some(text.clone()));
        assert_eq!(again.manifest, proof.manifest);
        assert_eq!(SetProof::default().text(), None);
        for (from, to) in [("proof/1", "proof/2"), ("minisig", "pgp"), ("\"form\"", "\"from\""), ("{", "")] {
            let damaged = SetProof::parse(text.replacen(from, to, 1).as_bytes());
            assert_eq!(damaged.text(), None, "{from}");
        }
    }
}
