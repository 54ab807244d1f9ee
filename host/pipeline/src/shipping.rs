//! Getting components and sets ahead; putting them, and packages, elsewhere.
//!
//! A launch does not use this file.

pub use crate::session::access::log_in_to_images;
pub use crate::session::access::log_out_of_images;
pub use smcp_oci::set::SetArtefact;
pub use smcp_oci::wasm::WasmArtefact;

use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::remote::Eagerness;
use crate::remote::Obtained;
use crate::remote::RemoteServers;
use crate::remote::SetQuestion;
use crate::remote::SetServer as _;
use crate::remote::artifact_type;
use crate::sets::PackedSet;
use crate::sets::SetError;
use crate::sets::SetProblem;
use crate::sets::read_packed;
use smcp_authority::GuardedReader;
use smcp_config::Layer;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::oci::OciPlace;
use smcp_model::oci::OciReference;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::RegistryUrl;
use smcp_model::source::RemoteAddress;
use smcp_model::source::RemoteSource;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_oci::OciClient;
use smcp_registry as registry;
use smcp_registry::Listed;
use smcp_registry::OciRegistry;
use smcp_registry::PublishRequest;
use smcp_registry::Published;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;

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
    let tag = first_tag(reference, signatures);
    let pushed = client.push_component(tag, component, exports, imports, &deadline)?;
    push_signatures(&client, reference, &pushed.manifest, signatures, &deadline)?;
    Ok(pushed)
}

/// The tag that a manifest is put under at once; `None` when signatures come first: whoever asks for the tag meanwhile
/// must not find an artefact that nobody has signed yet.
fn first_tag<'r>(reference: &'r OciReference, signatures: &[SignatureDocument]) -> Option<&'r str> {
    if signatures.is_empty() { reference.tag() } else { None }
}

/// Puts signatures into a registry as referrers of a manifest that is there, and that manifest under the tag then.
fn push_signatures(
    client: &OciClient<'_>,
    reference: &OciReference,
    manifest: &Digest,
    signatures: &[SignatureDocument],
    deadline: &Deadline,
) -> Result<(), PipelineError> {
    if signatures.is_empty() {
        return Ok(());
    }
    let manifest = client.manifest_at(manifest, &reference.to_string(), deadline)?;
    let subject = Descriptor::of(IMAGE_MANIFEST, &manifest.bytes);
    for SignatureDocument { form, content, .. } in signatures {
        let kind = artifact_type(*form);
        client.push_referrer(&subject, kind, &[(kind, content)], deadline)?;
    }
    client.push_manifest(&manifest.bytes, IMAGE_MANIFEST, reference.tag(), deadline)?;
    Ok(())
}

/// Puts the archive of a policy set into a registry of images, and its signatures beside it.
///
/// # Errors
/// When the registry doesn't take it.
pub fn push_set(
    session: &Session,
    reference: &OciReference,
    archive: &[u8],
    signatures: &[SignatureDocument],
) -> Result<SetArtefact, PipelineError> {
    crate::check_clock(session.system())?;
    let deadline = Deadline::after(limits::oci::PUSH);
    let client = RemoteServers(session).client(reference, LayerName::User);
    let pushed = client.push_set(first_tag(reference, signatures), archive, &deadline)?;
    push_signatures(&client, reference, &pushed.manifest, signatures, &deadline)?;
    Ok(pushed)
}

/// A policy set that was got, whatever the configuration says of it.
#[derive(Debug)]
pub struct PulledArchive {
    /// Its archive.
    pub bytes: Arc<Vec<u8>>,
    /// The digest of the manifest that the source names; `None` for a file behind a URL.
    pub manifest: Option<Digest>,
    /// The signatures that are there, whoever has made them.
    pub signatures: Vec<SignatureDocument>,
    /// What is in it.
    pub packed: PackedSet,
}

/// Gets one policy set and checks the whole of it, whoever has signed it. It is nobody's set by that, and is not remembered.
///
/// # Errors
/// When it can't be had, or is not right.
pub fn pull_set_source(session: &Session, address: &RemoteAddress) -> Result<PulledArchive, PipelineError> {
    crate::check_clock(session.system())?;
    let deadline = Deadline::after(limits::sets::PULL_AHEAD);
    let (layer, forms) = (LayerName::User, &SignatureForm::ALL[..]);
    let arrived =
        RemoteServers(session).ask(&SetQuestion { address, layer, forms, kept: None, deadline: &deadline })?;
    let [parent, ..] = session.config().layers() else {
        return Err(PipelineError::System { doing: "find a layer", cause: std::io::ErrorKind::NotFound.into() });
    };
    let source = SetSource::Remote(address.clone());
    let packed = read_packed(Arc::clone(arrived.bytes()), &source, parent);
    let packed = packed
        .map_err(|problem: SetProblem| Box::new(SetError { layer, source, problem, last: None, is_final: false }))?;
    let proof = arrived.proof();
    let manifest = proof.manifest.as_ref().map(|manifest| manifest.digest);
    Ok(PulledArchive { bytes: Arc::clone(arrived.bytes()), manifest, signatures: proof.signatures.clone(), packed })
}

/// Publishes a package in a registry of images.
///
/// # Errors
/// When it can't be published, or the registry doesn't take it.
pub fn publish_image(
    session: &Session,
    place: &OciPlace,
    request: &PublishRequest<'_>,
) -> Result<Published, PipelineError> {
    let deadline = Deadline::after(limits::oci::PUSH);
    Ok(registry::publish_image(&session.images(place)?, request, &deadline)?)
}

/// Opens a registry of images, to ask it and to put statements there.
///
/// # Errors
/// When the clock can't be used.
pub fn open_images(session: &Session, place: &OciPlace) -> Result<OciRegistry, PipelineError> {
    session.images(place)
}

/// Lists the packages in a registry of images.
///
/// # Errors
/// When it does not list them, or can't be asked.
pub fn list_images(session: &Session, place: &OciPlace) -> Result<Vec<Listed>, PipelineError> {
    Ok(session.images(place)?.catalog(&Deadline::after(limits::oci::LIST))?)
}

/// Lists the servers of a registry like the official one, and says how many more have names that no reference can have.
///
/// # Errors
/// When it can't be asked, or its list is none.
pub fn list_official(session: &Session, url: &RegistryUrl) -> Result<(Vec<Listed>, usize), PipelineError> {
    Ok(session.official(url)?.catalog(&Deadline::after(limits::official::LIST))?)
}
