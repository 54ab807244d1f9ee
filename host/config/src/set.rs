//! A policy set: rules that somebody publishes whole, as a layer of its own.
//!
//! A layer names one; the pipeline gets its files and has them read here. What a set says is read by the rules of a
//! configuration: `set.yaml` in place of `config.yaml`, `policies.d/` beside it. Its paths lead to its own files alone,
//! and nothing of it counts while anything in it is wrong.

mod files;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Config;
use crate::Places;
use crate::discover;
use crate::discover::Location;
use crate::discover::NamedBy;
use crate::discover::POLICIES_FOLDER;
use crate::discover::PolicyFolder;
use crate::discover::Search;
use crate::drafts::ConfigProblems;
use crate::fold;
use crate::form::WrittenSource;
use crate::keys::policy;
use crate::keys::policy_set as keys;
use crate::layer::Layer;
use crate::layer_file::LayerFile;
use crate::place::WrittenValue;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;
use crate::reader::ConfigReader;
use crate::reader::Fields;
use crate::set::files::ArchiveFiles;
use smcp_model::digest::Digest;
use smcp_model::limits::sets;
use smcp_model::policy::LayerName;
use smcp_model::signer::SignedBy;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;

/// The file of a set that says what it is.
pub const SET_FILE: &str = "set.yaml";

/// A set that a layer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetReference {
    /// Where it comes from.
    pub source: SetSource,
    /// Who must have signed its archive; `None` when nobody need to have.
    pub signed_by: Option<SignedBy>,
    /// The age from which one elsewhere is asked for again.
    pub refresh: Duration,
    /// How long the last good one stays in force without a look that succeeds.
    pub max_age: Duration,
    /// The lowest version that is accepted.
    pub minimum: u64,
}

/// What is known of a set that makes a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySetFacts {
    /// How it came.
    pub arrival: SetArrival,
    /// The number of its version.
    pub version: u64,
    /// When it ends to be valid, in seconds since the Unix epoch.
    pub expires: u64,
    /// The archive itself, where no copy of it could be kept.
    pub held: Option<Arc<Vec<u8>>>,
    /// Its components, by the paths that its policies have as their sources.
    pub components: BTreeMap<PathBuf, SetComponent>,
}

/// How an archive came that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetArrival {
    /// Where it comes from.
    pub source: SetSource,
    /// Its digest.
    pub digest: Digest,
    /// Who has signed it; `None` when nobody need to have.
    pub signer: Option<SafeText>,
    /// When a good set was last found at its source, in seconds since the Unix epoch; `None` where that makes no
    /// difference: a digest in the reference fixes it, or nobody has named it.
    pub looked_at: Option<u64>,
}

/// A component in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetComponent {
    /// Its path in the archive.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
    /// The number of its bytes.
    pub size: usize,
}

/// The files of a set, by their paths in it: texts whole, and of components what identifies them.
#[derive(Debug, Clone, Default)]
pub struct SetFiles {
    texts: BTreeMap<String, Vec<u8>>,
    components: BTreeMap<String, SetComponent>,
    /// Paths that no file of a set has.
    strangers: Vec<String>,
}

/// What `set.yaml` says of the set itself; `None` only where that is a problem of the file.
#[derive(Debug, Default)]
pub(super) struct SetHead {
    version: Option<WrittenValue<usize>>,
    expires: Option<WrittenValue<u64>>,
}

impl SetHead {
    pub(super) fn read(reader: &mut ConfigReader<'_>, fields: &Fields<'_>) -> Self {
        Self { version: reader.read(fields, &keys::VERSION), expires: reader.read(fields, &keys::EXPIRES) }
    }
}

impl SetReference {
    /// Reads `policy_set` of `policy`; without a valid source there is a problem of the file.
    pub(super) fn read(reader: &mut ConfigReader<'_>, policy: &Fields<'_>) -> Option<WrittenValue<Self>> {
        let fields = reader.section(policy, &policy::POLICY_SET)?;
        let source = reader.read(&fields, &keys::SOURCE);
        let signed_by = reader.read(&fields, &keys::SIGNED_BY);
        let (refresh, max_age) = (reader.read(&fields, &keys::REFRESH), reader.read(&fields, &keys::MAX_AGE));
        let minimum = reader.read(&fields, &keys::MINIMUM);
        let value = Self {
            source: source?.value,
            signed_by: signed_by.map(|written| written.value),
            refresh: refresh.map_or(sets::REFRESH_DEFAULT, |written| written.value),
            max_age: max_age.map_or(sets::MAX_AGE_DEFAULT, |written| written.value),
            minimum: minimum.map_or(1, |written| number(written.value)),
        };
        value.check(reader, &fields);
        Some(WrittenValue { value, place: reader.place(fields.trail()) })
    }

    /// Notes what doesn't fit to a set elsewhere: it says which bytes or whose count, and is asked for again before it is
    /// too old.
    fn check(&self, reader: &mut ConfigReader<'_>, fields: &Fields<'_>) {
        let SetSource::Remote(address) = &self.source else { return };
        // One that could not be read is there, too.
        if address.digest().is_none() && !fields.has(&keys::SIGNED_BY) {
            let message = format!("nothing says who makes `{address}`: whoever runs that server would");
            let allowed = "`signed_by:` with who must have signed it, or an oci:// source with @sha256: and the digest of its \
                           manifest (`smcp policy set pull` prints it)";
            reader.note(ProblemCode::MissingKey, fields.trail_of(&keys::SOURCE), message, allowed.to_owned());
        }
        if self.max_age < self.refresh {
            let message = "`max_age` is shorter than `refresh`".to_owned();
            let allowed = "at least as long as `refresh`, which is 1h by default".to_owned();
            let key = if fields.has(&keys::MAX_AGE) {
                fields.trail_of(&keys::MAX_AGE)
            } else {
                fields.trail_of(&keys::REFRESH)
            };
            reader.note(ProblemCode::Conflict, key, message, allowed);
        }
    }
}

/// A version is at most [`sets::VERSION`], which every number type here holds.
fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl SetFiles {
    /// Adds a file by its path in the set. Of a component only the digest is kept.
    pub fn add(&mut self, name: String, bytes: Vec<u8>) {
        let below = name.strip_prefix(POLICIES_FOLDER).and_then(|rest| rest.strip_prefix('/'));
        match below {
            None if name == SET_FILE => {
                self.texts.insert(name, bytes);
            }
            Some(file) if !file.contains('/') && file.ends_with(".wasm") => {
                let component = SetComponent { name: name.clone(), digest: Digest::of(&bytes), size: bytes.len() };
                self.components.insert(name, component);
            }
            Some(file) if !file.contains('/') => {
                self.texts.insert(name, bytes);
            }
            Some(_) | None => self.strangers.push(name),
        }
    }

    /// Its components, in the order of their paths.
    pub fn components(&self) -> impl Iterator<Item = &SetComponent> {
        self.components.values()
    }
}

/// Reads the whole of a set as the layer `name`, which `parent` names. `arrival` says what its files are of.
///
/// # Errors
/// With every problem of its files: what stands in a configuration of the same text, a file that is none of a set's, a
/// component that is missing or not the one that an entry pins.
pub fn read(files: &SetFiles, arrival: SetArrival, parent: &Layer, name: LayerName) -> Result<Layer, ConfigError> {
    let root = arrival.source.root();
    let at = root.as_path();
    // Nothing in a set starts at a home or a working directory: its paths lead to its own files.
    let places = Places { home: None, working_directory: at.to_owned(), system_folder: at.to_owned() };
    let file = |name: &str| shown(&at.join(name), None);
    let stray = |name: &String| {
        let allowed = "set.yaml, and in policies.d NAME.yaml and NAME.wasm for each policy";
        let message = "a policy set has no such file";
        ConfigProblem::of_file(ProblemCode::Unsupported, &file(name), message, Some(allowed))
    };
    ConfigError::of(files.strangers.iter().map(stray).collect(), 0).map_or(Ok(()), Err)?;
    let Some(text) = files.texts.get(SET_FILE) else {
        let message = "there is none, and it says which set this is";
        let allowed = "a set.yaml at the top of the archive, with `version`, `expires` and `policy`";
        let problem = ConfigProblem::of_file(ProblemCode::Unreadable, &file(SET_FILE), message, Some(allowed));
        return Err(ConfigError::one(problem));
    };
    let (main, head) = LayerFile::set(text, &at.join(SET_FILE), name, &places);
    let archive = ArchiveFiles { at, files };
    let search = Search { places: &places, files: &archive };
    let location = Location { layer: name, file: at.join(SET_FILE), named_by: NamedBy::Nobody };
    let folder = discover::read_policies(&location, Some(&main), &search)?;
    let mut all = vec![main];
    if let Some(PolicyFolder { path, files, suspects: _, unread }) = folder {
        let stray = |name: &String| stray(&path.join(name).strip_prefix(at).unwrap_or(&path).display().to_string());
        ConfigError::of(unread.iter().map(stray).collect(), 0).map_or(Ok(()), Err)?;
        all.extend(files);
    }
    let components: BTreeMap<_, _> =
        files.components.values().map(|component| (at.join(&component.name), component.clone())).collect();
    let mut problems = ConfigProblems::default();
    refuse_missing(&all, &components, &mut problems);
    let layer = fold::set_layer(all, parent, &mut problems);
    problems.finish().map_or(Ok(()), Err)?;
    // Without problems all three are there.
    let (Some(layer), Some(version), Some(expires)) = (layer, head.version, head.expires) else {
        let message = "it could not be read";
        return Err(ConfigError::one(ConfigProblem::of_file(ProblemCode::Unreadable, &file(SET_FILE), message, None)));
    };
    let facts =
        PolicySetFacts { arrival, version: number(version.value), expires: expires.value, held: None, components };
    Ok(layer.of_set(facts))
}

/// Notes a problem for each policy whose component is not in the set, is larger than the policy allows, or is not the one
/// that it pins.
fn refuse_missing(files: &[LayerFile], components: &BTreeMap<PathBuf, SetComponent>, problems: &mut ConfigProblems) {
    for entry in files.iter().flat_map(|file| &file.values.policy.custom) {
        let Some(source) = &entry.value.source else { continue };
        refuse_signers(source, entry.value.signed_by.as_ref(), problems);
        // What is elsewhere says itself which bytes or whose count.
        let WrittenSource::File(file) = &source.value else { continue };
        let Some(component) = components.get(file) else {
            let name = SafeText::new(&shown(file, None));
            let message = format!("`{}` is {name}, which is not in the set", source.place.key());
            let allowed = "a component in the policies.d of the set: policies.d/NAME.wasm in set.yaml, NAME.wasm there";
            problems.note(&source.place, ProblemCode::BadValue, message, allowed);
            continue;
        };
        let most = entry.value.limits.component_size;
        if component.size > most {
            let message = format!("the component {} has {} bytes", component.name, component.size);
            problems.note(&source.place, ProblemCode::Limit, message, &format!("at most {most} bytes"));
        }
        if let Some(pin) = entry.value.digest.as_ref().filter(|pin| pin.value != component.digest) {
            let message = format!("the component {} has the digest {}", component.name, component.digest);
            problems.note(&pin.place, ProblemCode::Conflict, message, &format!("the pinned one, {}", pin.value));
        }
    }
}

/// Notes a problem with signers of a component that is in the set, and with those whose keys are in files: a set has no
/// signatures and no keys in it.
fn refuse_signers(
    source: &WrittenValue<WrittenSource>,
    signed_by: Option<&WrittenValue<SignedBy>>,
    problems: &mut ConfigProblems,
) {
    let Some(signed_by) = signed_by else { return };
    let key = signed_by.place.key();
    let (message, allowed) = match (&source.value, signed_by.value.files().first()) {
        (WrittenSource::File(_), _) => (
            format!("`{key}` is about a component in a policy set, in which no signatures are"),
            "no such key: the digest of a set is that of all in it, and who has signed the set has signed the component",
        ),
        (WrittenSource::Remote(_), Some(_)) => (
            format!("`{key}` names a file, and a policy set has no keys in it"),
            "signers whose keys stand in the rule itself: `minisign: KEY`, or `{issuer: URL, identity: TEXT}` without \
             `trusted_root`",
        ),
        (WrittenSource::Remote(_), None) => return,
    };
    problems.note(&signed_by.place, ProblemCode::Conflict, message, allowed);
}

impl Config {
    /// Returns each layer that names a policy set, with the name of that set's layer.
    pub fn named_sets(&self) -> impl Iterator<Item = (&Layer, LayerName, &SetReference)> {
        self.layers().iter().filter_map(|layer| Some((layer, layer.name().set()?, layer.policy_set()?)))
    }

    /// Returns the component of a policy whose layer is that of a set; `None` when it is not in the set.
    pub fn set_component(&self, layer: LayerName, source: &Path) -> Option<(&PolicySetFacts, &SetComponent)> {
        let facts = self.layer(layer)?.set()?;
        Some((facts, facts.components.get(source)?))
    }

    /// Holds the archive of a set, because no copy of it could be kept.
    pub fn hold_archive(&mut self, layer: LayerName, archive: Arc<Vec<u8>>) {
        let layer = self.layers.iter_mut().find(|known| known.name() == layer);
        layer.into_iter().for_each(|layer| layer.hold_archive(Arc::clone(&archive)));
    }
}
