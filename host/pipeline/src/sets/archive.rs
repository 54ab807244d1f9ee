//! From the bytes of a policy set to its layer: admitted, then read whole.
//!
//! Nothing of a set is looked at before [`ArrivedSet::admit`], and nothing of it counts before all of it was read.

use std::path::Path;

use crate::sets::error::SetProblem;
use smcp_bundle as bundle;
use smcp_config::Layer;
use smcp_config::set;
use smcp_config::set::SetFiles;
use smcp_config::set::SetReference;
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_policy::ComponentShape;

/// The archive of a set as it came. Its bytes are what was hashed.
#[derive(Debug)]
pub(crate) struct ArrivedSet {
    bytes: Vec<u8>,
    digest: Digest, // INVARIANT: that of `bytes`.
}

/// An archive that may be read.
#[derive(Debug)]
pub(crate) struct AdmittedSet<'a> {
    arrived: &'a ArrivedSet,
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
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes }
    }

    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Lets the archive be read. What the layer that names the set asks of its bytes is checked here, before a byte of
    /// them is unpacked, and again at every start: a signature has its place here.
    pub(crate) const fn admit(&self, _reference: &SetReference) -> Result<AdmittedSet<'_>, SetProblem> {
        Ok(AdmittedSet { arrived: self })
    }
}

impl AdmittedSet<'_> {
    /// Reads the whole set as the layer `name`, which `parent` names.
    pub(crate) fn read(
        &self,
        source: &Path,
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
        let layer = set::read(&files, source, self.arrived.digest, parent, name).map_err(SetProblem::Rules)?;
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
pub fn read_packed(bytes: Vec<u8>, source: &Path, parent: &Layer) -> Result<PackedSet, SetProblem> {
    let (size, arrived) = (bytes.len(), ArrivedSet::new(bytes));
    let admitted = AdmittedSet { arrived: &arrived };
    let layer = admitted.read(source, parent, LayerName::UserSet, Components::AreNew)?;
    Ok(PackedSet { layer, size })
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
