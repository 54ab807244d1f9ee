//! The values of one file, as they are written.
//!
//! Before it the file was read; `raw` makes a tree of its text, and `reader` takes the values out. After it `fold`
//! makes the configuration of all files. Defaults are not added here: a key that the file doesn't have is `None`.

mod source;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::BOUNDS;
use crate::Places;
use crate::choice::Audit;
use crate::choice::AuditHead;
use crate::choice::CertScoreCheck;
use crate::choice::Registries;
use crate::choice::Strictness;
use crate::drafts::Drafts;
use crate::exceptions::ExceptionValues;
use crate::form::Base;
use crate::form::WrittenSource;
use crate::keys;
use crate::keys::custom;
use crate::keys::custom::limits as limit_keys;
use crate::keys::policy;
use crate::keys::policy_set;
use crate::layer_file::source::check_source;
use crate::place::FilePlace;
use crate::place::SourceText;
use crate::place::Trail;
use crate::place::WrittenValue;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;
use crate::reader::ConfigReader;
use crate::reader::Fields;
use crate::set::SetHead;
use crate::set::SetReference;
use crate::trust::TrustedRegistry;
use smcp_model::digest::Digest;
use smcp_model::encoding;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;
use smcp_model::signer::SignedBy;
use smcp_model::text::SafeText;
use smcp_yaml::YamlNode;

/// One file of one layer: its values and its problems.
#[derive(Debug)]
pub(super) struct LayerFile {
    /// The layer that the file belongs to.
    pub(super) layer: LayerName,
    /// Its values.
    pub(super) values: Values,
    /// Whether it is the layer's configuration file, and not one of its `policies.d`.
    pub(super) is_main: bool,
    /// Keys of other tools that were skipped.
    pub(super) foreign: Vec<&'static str>,
    /// Its problems. A value that can't be read is absent from `values`.
    pub(super) drafts: Drafts,
}

/// The values of a whole file, or of all files of one layer.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) registry_url: Option<WrittenValue<Registry>>,
    pub(super) trusted_registries: Option<WrittenValue<Vec<TrustedRegistry>>>,
    pub(super) registries: Option<WrittenValue<Registries>>,
    pub(super) admin_contact: Option<WrittenValue<SafeText>>,
    pub(super) ca_file: Option<WrittenValue<PathBuf>>,
    pub(super) cache_dir: Option<WrittenValue<PathBuf>>,
    pub(super) runtime_dir: Option<WrittenValue<PathBuf>>,
    pub(super) start_timeout: Option<WrittenValue<Duration>>,
    pub(super) max_facts_age: Option<WrittenValue<Duration>>,
    pub(super) audit: Option<WrittenValue<Audit>>,
    pub(super) confinement: Option<WrittenValue<Strictness>>,
    pub(super) audit_head: Option<WrittenValue<AuditHead>>,
    pub(super) audit_log: Option<WrittenValue<PathBuf>>,
    pub(super) policy: PolicyValues,
}

/// The values under `policy`.
#[derive(Debug, Default)]
pub(super) struct PolicyValues {
    pub(super) allowed_origins: Option<WrittenValue<Vec<&'static str>>>,
    pub(super) min_cert_level: Option<WrittenValue<CertLevel>>,
    pub(super) min_score: Option<WrittenValue<Score>>,
    pub(super) cert_mode: Option<WrittenValue<Mode>>,
    pub(super) origin_mode: Option<WrittenValue<Mode>>,
    pub(super) score_mode: Option<WrittenValue<Mode>>,
    pub(super) cert_score_check: Option<WrittenValue<CertScoreCheck>>,
    pub(super) warning_threshold: Option<WrittenValue<Score>>,
    pub(super) max_policies: Option<WrittenValue<usize>>,
    /// The place of `custom` in the first file that has it.
    pub(super) custom_place: Option<FilePlace>,
    pub(super) custom: Vec<WrittenValue<CustomValues>>,
    pub(super) exceptions: Vec<WrittenValue<ExceptionValues>>,
    pub(super) policy_set: Option<WrittenValue<SetReference>>,
}

/// One entry of `policy.custom`.
#[derive(Debug)]
pub(super) struct CustomValues {
    /// `None` only where that is a problem of the file.
    pub(super) name: Option<WrittenValue<PolicyName>>,
    /// `None` only where that is a problem of the file.
    pub(super) source: Option<WrittenValue<WrittenSource>>,
    pub(super) digest: Option<WrittenValue<Digest>>,
    pub(super) signed_by: Option<WrittenValue<SignedBy>>,
    pub(super) refresh: Option<WrittenValue<Duration>>,
    pub(super) max_age: Option<WrittenValue<Duration>>,
    pub(super) mode: Option<WrittenValue<Mode>>,
    pub(super) on_warn: Option<WrittenValue<OnWarn>>,
    pub(super) settings: Option<WrittenValue<Value>>,
    pub(super) limits: PolicyLimits,
}

impl LayerFile {
    /// Reads the text of a file. Its problems are in `drafts`: the bytes are not UTF-8, too many, or not one YAML
    /// document, or keys or values are invalid.
    pub(super) fn parse(bytes: &[u8], file: &Path, layer: LayerName, places: &Places) -> Self {
        let read = |reader: &mut ConfigReader<'_>, root: &YamlNode| {
            // An empty document is an empty configuration.
            let written = (*root != YamlNode::Null).then_some(root);
            let fields = written.and_then(|root| reader.fields(&keys::ROOT, root, Trail::default()));
            let fields = fields.unwrap_or_default();
            (Values::read(reader, &fields), fields.foreign().to_vec())
        };
        Self { is_main: true, ..Self::read(bytes, file, layer, places, read) }
    }

    /// Reads the text of `set.yaml` of a policy set, and what it says of the set itself.
    pub(super) fn set(bytes: &[u8], file: &Path, layer: LayerName, places: &Places) -> (Self, SetHead) {
        let mut head = SetHead::default();
        let read = |reader: &mut ConfigReader<'_>, root: &YamlNode| {
            let fields = reader.fields(&policy_set::FILE_SECTION, root, Trail::default()).unwrap_or_default();
            head = SetHead::read(reader, &fields);
            let policy = reader.section(&fields, &policy_set::POLICY);
            let values = Values {
                trusted_registries: reader.read(&fields, &policy_set::TRUSTED_REGISTRIES),
                admin_contact: reader.read(&fields, &keys::ADMIN_CONTACT),
                policy: policy.map(|fields| PolicyValues::read(reader, &fields)).unwrap_or_default(),
                ..Values::default()
            };
            (values, Vec::new())
        };
        let file = Self { is_main: true, ..Self::read(bytes, file, layer, places, read) };
        (file, head)
    }

    /// Reads the text of `NAME.yaml` in `policies.d`: an entry of `policy.custom` without `name`.
    pub(super) fn entry(bytes: &[u8], file: &Path, name: &PolicyName, layer: LayerName, places: &Places) -> Self {
        let read = |reader: &mut ConfigReader<'_>, root: &YamlNode| {
            let place = reader.place(&Trail::default());
            let name = WrittenValue { value: name.clone(), place: place.clone() };
            let fields = reader.fields(&custom::FILE_SECTION, root, Trail::default());
            let value = fields.map(|fields| custom_values(reader, &fields, Some(name)));
            let custom = value.into_iter().map(|value| WrittenValue { value, place: place.clone() }).collect();
            (Values::of_policies(place.clone(), custom), Vec::new())
        };
        Self::read(bytes, file, layer, places, read)
    }

    /// Returns the entry of a component in `policies.d` that no file names: without settings, with default limits.
    pub(super) fn component(file: &Path, name: &PolicyName, layer: LayerName, home: Option<&Path>) -> Self {
        let drafts = Drafts::new(SourceText::new(file, file.to_owned(), home, ""));
        let place = FilePlace { source: Arc::clone(&drafts.source), trail: Trail::default() };
        let value = CustomValues {
            name: Some(WrittenValue { value: name.clone(), place: place.clone() }),
            source: Some(WrittenValue { value: WrittenSource::File(file.to_owned()), place: place.clone() }),
            digest: None,
            signed_by: None,
            refresh: None,
            max_age: None,
            mode: None,
            on_warn: None,
            settings: None,
            limits: PolicyLimits::DEFAULT,
        };
        let values = Values::of_policies(place.clone(), vec![WrittenValue { value, place }]);
        Self { layer, values, is_main: false, foreign: Vec::new(), drafts }
    }

    /// Returns the folder `policies.d` itself: it makes a layer, even without a policy in it.
    pub(super) fn folder(path: &Path, layer: LayerName, home: Option<&Path>) -> Self {
        let drafts = Drafts::new(SourceText::new(path, path.to_owned(), home, ""));
        Self { layer, values: Values::default(), is_main: false, foreign: Vec::new(), drafts }
    }

    /// Returns the sources of the components that this file names.
    pub(super) fn sources(&self) -> impl Iterator<Item = &WrittenSource> {
        let sources = self.values.policy.custom.iter().filter_map(|entry| entry.value.source.as_ref());
        sources.map(|source| &source.value)
    }

    /// Reads the values and the foreign keys of a text with `read`, if it is one YAML document.
    fn read(
        bytes: &[u8],
        file: &Path,
        layer: LayerName,
        places: &Places,
        read: impl FnOnce(&mut ConfigReader<'_>, &YamlNode) -> (Values, Vec<&'static str>),
    ) -> Self {
        let home = places.home.as_deref();
        let path = places.working_directory.join(file);
        let text = text_of(bytes, &shown(file, home)).and_then(|text| Ok((text, tree_of(text, &shown(file, home))?)));
        let (text, root) = match text {
            Ok(read) => read,
            Err(problem) => {
                let drafts = Drafts::new(SourceText::new(file, path, home, ""));
                let drafts = Drafts { unread: Some(*problem), ..drafts };
                return Self { layer, values: Values::default(), is_main: false, foreign: Vec::new(), drafts };
            }
        };
        let base = Base { directory: path.parent().unwrap_or(&path), home };
        let mut reader = ConfigReader::new(SourceText::new(file, path.clone(), home, text), base);
        let (values, foreign) = read(&mut reader, &root);
        Self { layer, values, is_main: false, foreign, drafts: reader.finish() }
    }
}

impl Values {
    /// Returns the values of a file that has policies alone.
    fn of_policies(place: FilePlace, custom: Vec<WrittenValue<CustomValues>>) -> Self {
        Self {
            policy: PolicyValues { custom_place: Some(place), custom, ..PolicyValues::default() },
            ..Self::default()
        }
    }

    fn read(reader: &mut ConfigReader<'_>, fields: &Fields<'_>) -> Self {
        let policy = reader.section(fields, &keys::POLICY);
        Self {
            trusted_registries: reader.read(fields, &keys::TRUSTED_REGISTRIES),
            policy: policy.map(|fields| PolicyValues::read(reader, &fields)).unwrap_or_default(),
            registry_url: reader.read(fields, &keys::REGISTRY_URL),
            registries: reader.read(fields, &keys::REGISTRIES),
            admin_contact: reader.read(fields, &keys::ADMIN_CONTACT),
            ca_file: reader.read(fields, &keys::CA_FILE),
            cache_dir: reader.read(fields, &keys::CACHE_DIR),
            runtime_dir: reader.read(fields, &keys::RUNTIME_DIR),
            start_timeout: reader.read(fields, &keys::START_TIMEOUT),
            max_facts_age: reader.read(fields, &keys::MAX_FACTS_AGE),
            audit: reader.read(fields, &keys::AUDIT),
            confinement: reader.read(fields, &keys::CONFINEMENT),
            audit_head: reader.read(fields, &keys::AUDIT_HEAD),
            audit_log: reader.read(fields, &keys::AUDIT_LOG),
        }
    }
}

impl PolicyValues {
    fn read(reader: &mut ConfigReader<'_>, fields: &Fields<'_>) -> Self {
        Self {
            cert_mode: cert_mode(reader, fields),
            allowed_origins: reader.read(fields, &policy::ALLOWED_ORIGINS).map(|written| written.map(without_repeats)),
            min_cert_level: reader.read(fields, &policy::MIN_CERT_LEVEL),
            min_score: reader.read(fields, &policy::MIN_SCORE),
            origin_mode: reader.read(fields, &policy::ORIGIN_MODE),
            score_mode: reader.read(fields, &policy::SCORE_MODE),
            cert_score_check: reader.read(fields, &policy::CERT_SCORE_CHECK),
            warning_threshold: reader.read(fields, &policy::WARNING_THRESHOLD),
            max_policies: reader.read(fields, &policy::MAX_POLICIES),
            custom_place: fields.has(&policy::CUSTOM).then(|| reader.place(fields.trail_of(&policy::CUSTOM))),
            custom: custom_entries(reader, fields),
            exceptions: ExceptionValues::read_all(reader, fields),
            policy_set: SetReference::read(reader, fields),
        }
    }
}

/// Reads `cert_mode`, by either of its names.
fn cert_mode(reader: &mut ConfigReader<'_>, fields: &Fields<'_>) -> Option<WrittenValue<Mode>> {
    let modes = (reader.read(fields, &policy::CERT_MODE), reader.read(fields, &policy::CERT_LEVEL_MODE));
    if let (Some(mode), Some(other)) = &modes
        && mode.value != other.value
    {
        let (mode, other) = (mode.value.as_str(), other.value.as_str());
        let message = format!("`policy.cert_level_mode` is `{other}`, but `policy.cert_mode` is `{mode}`");
        let allowed = "one of the two names, or the same word under both".to_owned();
        reader.note(ProblemCode::Conflict, fields.trail_of(&policy::CERT_LEVEL_MODE), message, allowed);
    }
    modes.0.or(modes.1)
}

fn without_repeats(named: Vec<&'static str>) -> Vec<&'static str> {
    let mut seen = BTreeSet::new();
    named.into_iter().filter(|origin| seen.insert(*origin)).collect()
}

fn custom_entries(reader: &mut ConfigReader<'_>, fields: &Fields<'_>) -> Vec<WrittenValue<CustomValues>> {
    let entries = reader.entries(fields, &policy::CUSTOM);
    let mut read = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = reader.read(&entry, &custom::NAME);
        let value = custom_values(reader, &entry, name);
        read.push(WrittenValue { value, place: reader.place(entry.trail()) });
    }
    read
}

/// Reads an entry, all but its name.
fn custom_values(
    reader: &mut ConfigReader<'_>,
    entry: &Fields<'_>,
    name: Option<WrittenValue<PolicyName>>,
) -> CustomValues {
    let source = reader.read(entry, &custom::SOURCE);
    let digest = reader.read(entry, &custom::DIGEST);
    let signed_by = reader.read(entry, &custom::SIGNED_BY);
    let (refresh, max_age) = (reader.read(entry, &custom::REFRESH), reader.read(entry, &custom::MAX_AGE));
    check_source(reader, entry, source.as_ref(), refresh.as_ref(), max_age.as_ref());
    CustomValues {
        name,
        source,
        digest,
        signed_by,
        refresh,
        max_age,
        mode: reader.read(entry, &custom::MODE),
        on_warn: reader.read(entry, &custom::ON_WARN),
        settings: reader.read(entry, &custom::SETTINGS),
        limits: policy_limits(reader, entry),
    }
}

/// Reads what a policy may use; what its entry doesn't say has its default.
fn policy_limits(reader: &mut ConfigReader<'_>, entry: &Fields<'_>) -> PolicyLimits {
    const DEFAULT: PolicyLimits = PolicyLimits::DEFAULT;
    let Some(fields) = reader.section(entry, &custom::LIMITS) else { return DEFAULT };
    let (time, memory) = (reader.read(&fields, &limit_keys::TIME), reader.read(&fields, &limit_keys::MEMORY));
    let memories = reader.read(&fields, &limit_keys::MEMORIES);
    let instances = reader.read(&fields, &limit_keys::INSTANCES);
    let component_size = reader.read(&fields, &limit_keys::COMPONENT_SIZE);
    let output = reader.read(&fields, &limit_keys::OUTPUT);
    PolicyLimits {
        time: time.map_or(DEFAULT.time, |written| written.value),
        memory: memory.map_or(DEFAULT.memory, |written| written.value),
        memories: memories.map_or(DEFAULT.memories, |written| written.value),
        instances: instances.map_or(DEFAULT.instances, |written| written.value),
        component_size: component_size.map_or(DEFAULT.component_size, |written| written.value),
        output: output.map_or(DEFAULT.output, |written| written.value),
    }
}

/// Returns the bytes as text, without a byte order mark, if they are UTF-8 and not too many.
fn text_of<'b>(bytes: &'b [u8], name: &str) -> Result<&'b str, Box<ConfigProblem>> {
    let bytes = encoding::without_mark(bytes);
    if bytes.len() > limits::CONFIG_FILE {
        let (message, allowed) =
            (format!("the file has {} bytes", bytes.len()), format!("at most {} bytes", limits::CONFIG_FILE));
        return Err(Box::new(ConfigProblem::of_file(ProblemCode::Limit, name, &message, Some(&allowed))));
    }
    let refuse = |message, position| {
        let problem = ConfigProblem::of_file(ProblemCode::Unreadable, name, message, Some("UTF-8 text"));
        Box::new(ConfigProblem { position, ..problem })
    };
    if encoding::is_utf_16(bytes) {
        return Err(refuse("this is UTF-16; save it as UTF-8", None));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
        refuse("this is not UTF-8", valid.map(|valid| smcp_yaml::position_of(valid, valid.len())))
    })
}

/// Returns the text as a tree, if it is at most one YAML document.
fn tree_of(text: &str, name: &str) -> Result<YamlNode, Box<ConfigProblem>> {
    smcp_yaml::parse(text, &BOUNDS).map_err(|wrong| {
        let code = if wrong.allowed.is_some() { ProblemCode::Limit } else { ProblemCode::Syntax };
        let problem = ConfigProblem::of_file(code, name, &wrong.message, wrong.allowed.as_deref());
        Box::new(ConfigProblem { position: wrong.position, ..problem })
    })
}
