//! A policy set: rules that somebody publishes whole, as a layer of its own.
//!
//! A layer names one; the pipeline gets its files and has them read here. What a set says is read by the rules of a
//! configuration: `set.yaml` in place of `config.yaml`, `policies.d/` beside it. Its paths lead to its own files alone,
//! and nothing of it counts while anything in it is wrong.

mod files;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
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
use crate::reader::ConfigReader;
use crate::reader::Fields;
use crate::set::files::ArchiveFiles;
use smcp_model::digest::Digest;
use smcp_model::limits::sets;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;

/// The file of a set that says what it is.
pub const SET_FILE: &str = "set.yaml";

/// A set that a layer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetReference {
    /// Its file.
    pub source: PathBuf,
    /// How often it is looked for.
    pub refresh: Duration,
    /// How long the last good one stays in force without a look that succeeds.
    pub max_age: Duration,
    /// The lowest version that is accepted.
    pub minimum: u64,
}

/// What is known of a set that makes a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySetFacts {
    /// Where it comes from.
    pub source: PathBuf,
    /// The number of its version.
    pub version: u64,
    /// When it ends to be valid, in seconds since the Unix epoch.
    pub expires: u64,
    /// The digest of its archive.
    pub digest: Digest,
    /// Its components, by the paths that its policies have as their sources.
    pub components: BTreeMap<PathBuf, SetComponent>,
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
        let (refresh, max_age) = (reader.read(&fields, &keys::REFRESH), reader.read(&fields, &keys::MAX_AGE));
        let minimum = reader.read(&fields, &keys::MINIMUM);
        let value = Self {
            source: source?.value,
            refresh: refresh.map_or(sets::REFRESH_DEFAULT, |written| written.value),
            max_age: max_age.map_or(sets::MAX_AGE_DEFAULT, |written| written.value),
            minimum: minimum.map_or(1, |written| number(written.value)),
        };
        Some(WrittenValue { value, place: reader.place(fields.trail()) })
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

/// Reads the whole of a set as the layer `name`, which `parent` names. `at` is the path of its archive, which those of its
/// files begin with in messages, and `digest` that of the archive.
///
/// # Errors
/// With every problem of its files: what stands in a configuration of the same text, a file that is none of a set's, a
/// component that is missing or not the one that an entry pins.
pub fn read(
    files: &SetFiles,
    at: &Path,
    digest: Digest,
    parent: &Layer,
    name: LayerName,
) -> Result<Layer, ConfigError> {
    // Nothing in a set starts at a home or a working directory: its paths lead to its own files.
    let places = Places { home: None, working_directory: at.to_owned(), system_folder: at.to_owned() };
    let file = |name: &str| at.join(name).display().to_string();
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
    let facts = PolicySetFacts {
        source: at.to_owned(),
        version: number(version.value),
        expires: expires.value,
        digest,
        components,
    };
    Ok(layer.of_set(facts))
}

/// Notes a problem for each policy whose component is not in the set, is larger than the policy allows, or is not the one
/// that it pins, and for each component that no policy has.
fn refuse_missing(files: &[LayerFile], components: &BTreeMap<PathBuf, SetComponent>, problems: &mut ConfigProblems) {
    for entry in files.iter().flat_map(|file| &file.values.policy.custom) {
        if let Some(signed_by) = &entry.value.signed_by {
            let message = format!("`{}` is in a policy set, in which no signatures are", signed_by.place.key());
            problems.note(
                &signed_by.place,
                ProblemCode::Conflict,
                message,
                "no such key: the digest of a set is that of all in it",
            );
        }
        let Some(source) = &entry.value.source else { continue };
        let file = match &source.value {
            WrittenSource::File(file) => file,
            WrittenSource::Remote(address) => {
                let message =
                    format!("`{}` is {address}, and a policy set has its components in it", source.place.key());
                problems.note(
                    &source.place,
                    ProblemCode::BadValue,
                    message,
                    "a component in the policies.d of the set",
                );
                continue;
            }
        };
        let Some(component) = components.get(file) else {
            let name = SafeText::new(&file.display().to_string());
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
}
