//! What one file says, value by value, before anything is made of it.
//!
//! Before it the file was read; `raw` makes a tree of its text and `reader` takes the values out. After it `fold` makes
//! the configuration of all files. Nothing is filled in here: a key that the file doesn't have is absent.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::Places;
use crate::choice::Audit;
use crate::choice::AuditHead;
use crate::choice::CertScoreCheck;
use crate::drafts::Drafts;
use crate::form::Base;
use crate::keys;
use crate::keys::custom;
use crate::keys::policy;
use crate::place::FilePlace;
use crate::place::SourceText;
use crate::place::Trail;
use crate::place::Written;
use crate::problem::Code;
use crate::problem::Problem;
use crate::problem::shown;
use crate::raw;
use crate::raw::Node;
use crate::reader::Fields;
use crate::reader::Reader;
use smcp_model::digest::Digest;
use smcp_model::encoding;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;

/// One file of one layer: its values, and what is wrong with it.
#[derive(Debug)]
pub(super) struct LayerFile {
    /// The layer that the file belongs to.
    pub(super) layer: LayerName,
    /// What it says.
    pub(super) values: Values,
    /// Keys of other tools that were skipped.
    pub(super) foreign: Vec<&'static str>,
    /// What is wrong with it. A value that can't be read is absent from `values`.
    pub(super) drafts: Drafts,
}

/// The values of a whole file, or of all files of one layer.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) registry_url: Option<Written<Registry>>,
    pub(super) trusted_registries: Option<Written<Vec<Registry>>>,
    pub(super) cache_dir: Option<Written<PathBuf>>,
    pub(super) runtime_dir: Option<Written<PathBuf>>,
    pub(super) start_timeout: Option<Written<Duration>>,
    pub(super) max_facts_age: Option<Written<Duration>>,
    pub(super) audit: Option<Written<Audit>>,
    pub(super) audit_head: Option<Written<AuditHead>>,
    pub(super) audit_log: Option<Written<PathBuf>>,
    pub(super) policy: PolicyValues,
}

/// The values under `policy`.
#[derive(Debug, Default)]
pub(super) struct PolicyValues {
    pub(super) allowed_origins: Option<Written<Vec<&'static str>>>,
    pub(super) min_cert_level: Option<Written<CertLevel>>,
    pub(super) min_score: Option<Written<Score>>,
    pub(super) cert_mode: Option<Written<Mode>>,
    pub(super) origin_mode: Option<Written<Mode>>,
    pub(super) score_mode: Option<Written<Mode>>,
    pub(super) cert_score_check: Option<Written<CertScoreCheck>>,
    pub(super) warning_threshold: Option<Written<Score>>,
    /// Where `custom` stands, in the first file that has it.
    pub(super) custom_place: Option<FilePlace>,
    pub(super) custom: Vec<Written<CustomValues>>,
}

/// One entry of `policy.custom`.
#[derive(Debug)]
pub(super) struct CustomValues {
    /// Absent only where that is a problem of the file.
    pub(super) name: Option<Written<PolicyName>>,
    /// Absent only where that is a problem of the file.
    pub(super) source: Option<Written<PathBuf>>,
    pub(super) digest: Option<Written<Digest>>,
    pub(super) mode: Option<Written<Mode>>,
    pub(super) on_warn: Option<Written<OnWarn>>,
    pub(super) settings: Option<Written<Value>>,
}

impl LayerFile {
    /// Reads the text of a file. Everything that is wrong with it is in `drafts`: the bytes are not UTF-8, too many, or
    /// not one YAML document, or keys or values mean nothing.
    pub(super) fn parse(bytes: &[u8], file: &Path, layer: LayerName, places: &Places) -> Self {
        let home = places.home.as_deref();
        let path = places.working_directory.join(file);
        let read = text_of(bytes, &shown(file, home)).and_then(|text| Ok((text, tree_of(text, &shown(file, home))?)));
        let (text, root) = match read {
            Ok(read) => read,
            Err(problem) => {
                let drafts = Drafts::new(SourceText::new(file, path, home, ""));
                let drafts = Drafts { unread: Some(*problem), ..drafts };
                return Self { layer, values: Values::default(), foreign: Vec::new(), drafts };
            }
        };
        let base = Base { directory: path.parent().unwrap_or(&path), home };
        let mut reader = Reader::new(SourceText::new(file, path.clone(), home, text), base);
        // An empty document is an empty configuration.
        let written = (root != Node::Null).then_some(&root);
        let fields = written.and_then(|root| reader.fields(&keys::ROOT, root, Trail::default())).unwrap_or_default();
        let values = Values::read(&mut reader, &fields);
        Self { layer, values, foreign: fields.foreign().to_vec(), drafts: reader.finish() }
    }
}

impl Values {
    fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Self {
        let policy = reader.section(fields, &keys::POLICY);
        Self {
            trusted_registries: reader.read(fields, &keys::TRUSTED_REGISTRIES),
            policy: policy.map(|fields| PolicyValues::read(reader, &fields)).unwrap_or_default(),
            registry_url: reader.read(fields, &keys::REGISTRY_URL),
            cache_dir: reader.read(fields, &keys::CACHE_DIR),
            runtime_dir: reader.read(fields, &keys::RUNTIME_DIR),
            start_timeout: reader.read(fields, &keys::START_TIMEOUT),
            max_facts_age: reader.read(fields, &keys::MAX_FACTS_AGE),
            audit: reader.read(fields, &keys::AUDIT),
            audit_head: reader.read(fields, &keys::AUDIT_HEAD),
            audit_log: reader.read(fields, &keys::AUDIT_LOG),
        }
    }
}

impl PolicyValues {
    fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Self {
        reader.refuse(fields, &policy::EXCEPTIONS);
        Self {
            cert_mode: cert_mode(reader, fields),
            allowed_origins: reader.read(fields, &policy::ALLOWED_ORIGINS).map(|written| written.map(each_once)),
            min_cert_level: reader.read(fields, &policy::MIN_CERT_LEVEL),
            min_score: reader.read(fields, &policy::MIN_SCORE),
            origin_mode: reader.read(fields, &policy::ORIGIN_MODE),
            score_mode: reader.read(fields, &policy::SCORE_MODE),
            cert_score_check: reader.read(fields, &policy::CERT_SCORE_CHECK),
            warning_threshold: reader.read(fields, &policy::WARNING_THRESHOLD),
            custom_place: fields.has(&policy::CUSTOM).then(|| reader.place(fields.trail_of(&policy::CUSTOM))),
            custom: custom_entries(reader, fields),
        }
    }
}

/// `cert_mode`, by either of its names.
fn cert_mode(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Written<Mode>> {
    let modes = (reader.read(fields, &policy::CERT_MODE), reader.read(fields, &policy::CERT_LEVEL_MODE));
    if let (Some(mode), Some(other)) = &modes
        && mode.value != other.value
    {
        let (mode, other) = (mode.value.as_str(), other.value.as_str());
        let message = format!("`policy.cert_level_mode` is `{other}`, but `policy.cert_mode` is `{mode}`");
        let allowed = "one of the two names, or the same word under both".to_owned();
        reader.note(Code::Conflict, fields.trail_of(&policy::CERT_LEVEL_MODE), message, allowed);
    }
    modes.0.or(modes.1)
}

fn each_once(named: Vec<&'static str>) -> Vec<&'static str> {
    let mut seen = BTreeSet::new();
    named.into_iter().filter(|origin| seen.insert(*origin)).collect()
}

fn custom_entries(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<Written<CustomValues>> {
    let entries = reader.entries(fields, &policy::CUSTOM);
    let mut read = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = reader.read(&entry, &custom::NAME);
        reader.refuse(&entry, &custom::LIMITS);
        let value = CustomValues {
            name,
            source: reader.read(&entry, &custom::SOURCE),
            digest: reader.read(&entry, &custom::DIGEST),
            mode: reader.read(&entry, &custom::MODE),
            on_warn: reader.read(&entry, &custom::ON_WARN),
            settings: reader.read(&entry, &custom::SETTINGS),
        };
        read.push(Written { value, place: reader.place(entry.trail()) });
    }
    read
}

/// The bytes as text, when they are UTF-8 and not too many. A byte order mark says nothing, and is taken off.
fn text_of<'b>(bytes: &'b [u8], name: &str) -> Result<&'b str, Box<Problem>> {
    let bytes = encoding::without_mark(bytes);
    if bytes.len() > limits::CONFIG_FILE {
        let (message, allowed) =
            (format!("the file has {} bytes", bytes.len()), format!("at most {} bytes", limits::CONFIG_FILE));
        return Err(Box::new(Problem::of_file(Code::Limit, name, &message, Some(&allowed))));
    }
    let refuse = |message, position| {
        let problem = Problem::of_file(Code::Unreadable, name, message, Some("UTF-8 text"));
        Box::new(Problem { position, ..problem })
    };
    if encoding::is_utf_16(bytes) {
        return Err(refuse("this is UTF-16; save it as UTF-8", None));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
        refuse("this is not UTF-8", valid.map(|valid| raw::position_of(valid, valid.len())))
    })
}

/// The text as a tree, when it is at most one YAML document.
fn tree_of(text: &str, name: &str) -> Result<Node, Box<Problem>> {
    raw::parse(text).map_err(|wrong| {
        let code = if wrong.allowed.is_some() { Code::Limit } else { Code::Syntax };
        let problem = Problem::of_file(code, name, &wrong.message, wrong.allowed.as_deref());
        Box::new(Problem { position: wrong.position, ..problem })
    })
}
