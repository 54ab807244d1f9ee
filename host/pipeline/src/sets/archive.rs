//! From the bytes of a policy set to its layer: admitted, then read whole.
//!
//! Nothing of a set is looked at before [`ArrivedSet::admit`], and nothing of it counts before all of it was read.

use std::sync::Arc;

use crate::session::signatures::found_beside;
use crate::sets::error::SetProblem;
use crate::sets::proof::SetProof;
use smcp_bundle as bundle;
use smcp_config::Layer;
use smcp_config::set;
use smcp_config::set::SetArrival;
use smcp_config::set::SetFiles;
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::LayerName;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_policy::ComponentShape;
use smcp_signature::LoadedRule;

/// The archive of a set as it came. Its bytes are what was hashed.
#[derive(Debug, Clone)]
pub(crate) struct ArrivedSet {
    bytes: Arc<Vec<u8>>,
    digest: Digest, // INVARIANT: that of `bytes`.
    proof: SetProof,
}

/// What the layer that names a set demands of its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetDemands<'d> {
    pub(crate) source: &'d SetSource,
    /// Who must have signed it; `None` when nobody need to have.
    pub(crate) rule: Option<&'d LoadedRule>,
    /// The time that counts as now, in seconds since the Unix epoch.
    pub(crate) now: u64,
}

/// An archive that may be read.
#[derive(Debug)]
pub(crate) struct AdmittedSet<'a> {
    arrived: &'a ArrivedSet,
    /// Who has signed it; `None` when nobody need to have.
    signer: Option<SafeText>,
}

/// Whether the components of a set were looked at before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Components {
    /// They were, and are the same by their digest.
    AreKnown,
    /// They were not.
    AreNew,
}

/// A set that was read whole: for those who make one.
#[derive(Debug)]
pub struct PackedSet {
    /// Its rules.
    pub layer: Layer,
    /// The number of the bytes of its archive.
    pub size: usize,
}

impl ArrivedSet {
    pub(crate) fn new(bytes: impl Into<Arc<Vec<u8>>>, proof: SetProof) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(&bytes), bytes, proof }
    }

    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) const fn bytes(&self) -> &Arc<Vec<u8>> {
        &self.bytes
    }

    pub(crate) const fn proof(&self) -> &SetProof {
        &self.proof
    }

    /// Lets the archive be read. What the layer that names the set asks of its bytes is checked here, before a byte of
    /// them is unpacked: when they arrive, and again at every start.
    pub(crate) fn admit(&self, demands: &SetDemands<'_>) -> Result<AdmittedSet<'_>, SetProblem> {
        let SetDemands { source, rule, now } = *demands;
        if let Some(pin) = source.digest()
            && self.proof.manifest_of(self.digest).is_none_or(|manifest| manifest.digest != *pin)
        {
            return Err(SetProblem::Unproven { pin: *pin });
        }
        let Some(rule) = rule else { return Ok(AdmittedSet { arrived: self, signer: None }) };
        let candidates = self.proof.candidates(&self.bytes, self.digest);
        let signer = rule.verify_any(&candidates, &self.proof.signatures, now).map_err(|unsigned| {
            let found = match source {
                SetSource::File(path) => found_beside(path, &rule.forms(), &unsigned),
                SetSource::Remote(_) => SafeText::new(&unsigned.to_string()),
            };
            SetProblem::Unsigned { found, expected: unsigned.expected }
        })?;
        Ok(AdmittedSet { arrived: self, signer: Some(signer) })
    }
}

impl AdmittedSet<'_> {
    /// Reads the whole set as the layer `name`, which `parent` names. A good one was found at `source` when `looked_at` says.
    pub(crate) fn read(
        &self,
        source: &SetSource,
        looked_at: Option<u64>,
        parent: &Layer,
        name: LayerName,
        components: Components,
    ) -> Result<Layer, SetProblem> {
        let (mut files, mut unfit) = (SetFiles::default(), None);
        let mut take = |name: String, bytes: Vec<u8>| {
            if components == Components::AreNew && unfit.is_none() && name.ends_with(".wasm") {
                unfit = shape(&bytes)
                    .err()
                    .map(|fault| SetProblem::Component { name: SafeText::new(&name), problem: fault.message });
            }
            files.add(name, bytes);
        };
        let archive = bundle::read_set(&self.arrived.bytes, &mut take);
        archive.map_err(|problem| SetProblem::Archive(SafeText::new(&problem.to_string())))?;
        let (digest, signer) = (self.arrived.digest, self.signer.clone());
        let arrival = SetArrival { source: source.clone(), digest, signer, looked_at };
        let layer = set::read(&files, arrival, parent, name).map_err(SetProblem::Rules)?;
        unfit.map_or(Ok(layer), Err)
    }
}

/// Whether a file has the shape of a policy: a component whose imports and exports are those of the interface.
fn shape(bytes: &[u8]) -> Result<(), Fault> {
    ComponentShape::of(bytes, PolicyLimits::CEILING.component_size)?.check()
}

/// Reads a set for those who make or look at one: as the user's, named by `parent`. Nothing is remembered of it.
///
/// # Errors
/// With what is wrong with it.
pub fn read_packed(
    bytes: impl Into<Arc<Vec<u8>>>,
    source: &SetSource,
    parent: &Layer,
) -> Result<PackedSet, SetProblem> {
    let arrived = ArrivedSet::new(bytes, SetProof::default());
    let admitted = AdmittedSet { arrived: &arrived, signer: None };
    let layer = admitted.read(source, None, parent, LayerName::UserSet, Components::AreNew)?;
    Ok(PackedSet { layer, size: arrived.bytes.len() })
}

/// Returns one file of an archive that was read before; `None` when it has another digest by now, or no such file.
pub(crate) fn file_in(archive: &[u8], digest: Digest, wanted: &str) -> Option<Vec<u8>> {
    if Digest::of(archive) != digest {
        return None;
    }
    let mut found = None;
    let mut take = |name: String, bytes: Vec<u8>| {
        if name == wanted {
            found = Some(bytes);
        }
    };
    bundle::read_set(archive, &mut take).ok()?;
    found
}

/// Returns the file with a digest in an archive that was read before; `None` when the archive has another digest by now, or
/// no such file.
pub(crate) fn component_in(archive: &[u8], digest: Digest, component: Digest) -> Option<Vec<u8>> {
    if Digest::of(archive) != digest {
        return None;
    }
    let mut found = None;
    let mut take = |_: String, bytes: Vec<u8>| {
        if found.is_none() && Digest::of(&bytes) == component {
            found = Some(bytes);
        }
    };
    bundle::read_set(archive, &mut take).ok()?;
    found
}
