//! Whether the bytes of a component may count: the one place that says so.
//!
//! Bytes that have just arrived come here before they are kept, bytes of the cache at each start.

use crate::remote::SourceFailure;
use crate::signed::SignatureMismatch;
use smcp_model::digest::Digest;
use smcp_model::policy::PolicySpec;
use smcp_model::source::RemoteAddress;
use smcp_model::text::SafeText;
use smcp_oci::FetchedManifest;
use smcp_oci::wasm;
use smcp_policy::PinMismatch;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureDocument;

/// A component from elsewhere that does not count yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnverifiedComponent<'c> {
    /// Its bytes.
    pub(crate) bytes: &'c [u8],
    /// Their digest.
    pub(crate) digest: Digest,
    /// The manifests that are said to lead to it, the one that was asked for first; none for a file behind a URL.
    pub(crate) manifests: &'c [FetchedManifest],
    /// The signatures that came with it.
    pub(crate) signatures: &'c [SignatureDocument],
}

/// What the configuration demands of a component from elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands<'d> {
    pub(crate) spec: &'d PolicySpec,
    pub(crate) address: &'d RemoteAddress,
    /// Who must have signed it; `None` when nobody need to have.
    pub(crate) rule: Option<&'d LoadedRule>,
    /// The time that counts as now, in seconds since the Unix epoch.
    pub(crate) now: u64,
}

impl Demands<'_> {
    /// Verifies a component when it arrives, before it is kept, and again at each start. Returns who has signed it.
    ///
    /// # Errors
    /// When it is not the one that its policy's configuration means.
    pub(crate) fn verify(&self, component: &UnverifiedComponent<'_>) -> Result<Option<SafeText>, SourceFailure> {
        let Self { spec, address, rule, now } = *self;
        let UnverifiedComponent { bytes, digest, manifests, signatures } = *component;
        tracing::debug!(policy = %spec.name, %digest, size = bytes.len(), "verifying");
        if let Some(mismatch) = PinMismatch::of(spec, digest) {
            return Err(mismatch.into());
        }
        let Some(rule) = rule else { return Ok(None) };
        let candidates: Vec<&[u8]> = std::iter::once(bytes).chain(leading_to(&digest, manifests)).collect();
        rule.verify_any(&candidates, signatures, now).map(Some).map_err(|unsigned| {
            let (name, component) = (spec.name.clone(), SafeText::new(&address.to_string()));
            let found = SafeText::new(&unsigned.to_string());
            let mismatch = SignatureMismatch { name, component, found, expected: unsigned.expected };
            SourceFailure::Signature(Box::new(mismatch))
        })
    }
}

/// Returns the manifests that lead to a component by their digests: whoever has signed one of them has signed it.
fn leading_to<'m>(component: &Digest, manifests: &'m [FetchedManifest]) -> impl Iterator<Item = &'m [u8]> {
    let mut wanted = *component;
    manifests.iter().rev().map_while(move |manifest| {
        let named = wasm::layer_of(manifest, "").map(|layer| layer.digest);
        let named = named.or_else(|_| wasm::chosen(manifest, "")).ok()?;
        let leads = named == wanted;
        wanted = manifest.digest;
        leads.then_some(manifest.bytes.as_slice())
    })
}
