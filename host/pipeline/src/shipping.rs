//! Getting components of policies ahead, and putting them where others are.
//!
//! A launch does not use this file.

pub use crate::session::access::log_in_to_images;
pub use crate::session::access::log_out_of_images;
pub use smcp_oci::wasm::WasmArtefact;

use crate::PipelineError;
use crate::Session;
use crate::remote::Eagerness;
use crate::remote::Obtained;
use crate::remote::RemoteServers;
use crate::remote::artifact_type;
use smcp_authority::GuardedReader;
use smcp_config::Layer;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::oci::OciReference;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::source::RemoteAddress;
use smcp_model::source::RemoteSource;
use smcp_model::text::SafeText;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_signature::SignatureDocument;

/// A policy of the configuration that is elsewhere, and what came of getting it.
#[derive(Debug)]
pub struct PulledPolicy {
    /// The policy.
    pub name: PolicyName,
    /// Its layer.
    pub layer: LayerName,
    /// Where it comes from.
    pub source: RemoteAddress,
    /// What is in the cache now, or why it is not.
    pub outcome: Result<PulledComponent, PipelineError>,
}

/// A component that was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledComponent {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// Who has signed it; `None` when nobody need to have.
    pub signer: Option<SafeText>,
    /// The digest of the manifest that the source names; `None` for a file behind a URL.
    pub manifest: Option<Digest>,
    /// Whether it came just now.
    pub is_new: bool,
    /// Whether the cache has it.
    pub is_kept: bool,
}

/// Gets the component of every enabled policy that is elsewhere. What a digest names is not asked for again; a tag is.
pub fn pull_policies(session: &Session) -> Vec<PulledPolicy> {
    let layers = session.config().layers().iter().flat_map(Layer::policies);
    let enabled = layers.filter(|spec| spec.mode != Mode::Disabled);
    let of_one = |spec: &PolicySpec| {
        let PolicySource::Remote(source) = &spec.source else { return None };
        let outcome = pull(session, spec, source);
        Some(PulledPolicy { name: spec.name.clone(), layer: spec.layer, source: source.address.clone(), outcome })
    };
    enabled.filter_map(|spec| of_one(spec)).collect()
}

/// Gets one component, whatever the configuration says of it. What came becomes nobody's policy by that.
///
/// # Errors
/// When it can't be had, or is not right.
pub fn pull_source(session: &Session, address: &RemoteAddress) -> Result<PulledComponent, PipelineError> {
    let source = RemoteSource::at(address.clone());
    let spec = PolicySpec::remote(PolicyName::like("pulled"), source.clone(), serde_json::json!({}));
    pull(session, &spec, &source).map_err(|error| {
        // No policy has this name.
        if let PipelineError::Source { error, .. } = error { PipelineError::Artefact(error) } else { error }
    })
}

fn pull(session: &Session, spec: &PolicySpec, source: &RemoteSource) -> Result<PulledComponent, PipelineError> {
    let deadline = Deadline::after(limits::oci::PULL_AHEAD);
    let obtained = session.obtain(spec, source, Eagerness::Always, &mut GuardedReader::default(), &deadline)?;
    let Obtained { bytes, digest, signer, manifest, is_new, is_kept, notice: _ } = obtained;
    Ok(PulledComponent { bytes, digest, signer, manifest, is_new, is_kept })
}

/// Puts a component into a registry of images, and its signatures beside it. `exports` and `imports` are told to whoever
/// looks at it.
///
/// # Errors
/// When the registry doesn't take it.
pub fn push_policy(
    session: &Session,
    reference: &OciReference,
    component: &[u8],
    exports: &[String],
    imports: &[String],
    signatures: &[SignatureDocument],
) -> Result<WasmArtefact, PipelineError> {
    crate::check_clock(session.system())?;
    let deadline = Deadline::after(limits::oci::PUSH);
    let client = RemoteServers(session).client(reference, LayerName::User);
    let pushed = client.push_component(reference, component, exports, imports, &deadline)?;
    if !signatures.is_empty() {
        let manifest = client.manifest_at(&pushed.manifest, &reference.to_string(), &deadline)?;
        let subject = Descriptor::of(IMAGE_MANIFEST, &manifest.bytes);
        for SignatureDocument { form, content, .. } in signatures {
            let kind = artifact_type(*form);
            client.push_referrer(&subject, kind, (kind, content), &deadline)?;
        }
    }
    Ok(pushed)
}
