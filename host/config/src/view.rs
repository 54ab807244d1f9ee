//! The configuration in force and the source of each value: `config show`.
//!
//! As text it is YAML that [`crate::parse`] reads back to the same rules.

use std::fmt;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::Serializer;
use serde_json::Value;
use serde_json::json;

use crate::BOUNDS;
use crate::Config;
use crate::Layer;
use crate::place::WrittenValue;
use crate::rules::Rules;
use crate::set::SetReference;
use crate::setting::Setting;
use crate::setting::SettingSource;
use crate::trust::TrustedRegistry;
use smcp_model::digest::Digest;
use smcp_model::exception::Exception;
use smcp_model::mode::Mode;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::source::RemoteSource;
use smcp_model::source::told;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_yaml::YamlNode;

/// One key in force.
#[derive(Debug, Clone, Serialize)]
pub struct ViewEntry {
    /// The key, without its section.
    #[serde(skip)]
    pub key: &'static str,
    /// Its value; null when the key is absent and has no default value.
    pub value: Value,
    /// The source of the value.
    pub source: SettingSource,
    /// The file, line and column of the value; absent when no file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<SafeText>,
    /// The file, line and column of each item of a list of mappings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items_at: Vec<SafeText>,
    /// What other layers say, which does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<OverruledValue>,
    /// A remark: what the absence of the key means, or that the key has no effect yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// What a layer says of a key that another layer decides.
#[derive(Debug, Clone, Serialize)]
pub struct OverruledValue {
    /// The layer.
    pub layer: LayerName,
    /// Its value.
    pub value: Value,
    /// The file, line and column.
    pub at: SafeText,
}

/// The rules of one layer in force.
#[derive(Debug, Clone, Serialize)]
pub struct LayerView {
    /// The layer's name.
    pub layer: LayerName,
    /// The file of the rules; `None` when they are the defaults.
    pub file: Option<PathBuf>,
    /// Every file of the rules, `policies.d` and what is in it included.
    pub files: Vec<PathBuf>,
    /// Which policy set it is; absent for rules that are files of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<SetView>,
    /// `trusted_registries`.
    pub trusted_registries: ViewEntry,
    /// `registries`.
    pub registries: ViewEntry,
    /// `admin_contact`.
    pub admin_contact: ViewEntry,
    /// The keys under `policy`.
    #[serde(serialize_with = "by_key")]
    pub policy: Vec<ViewEntry>,
}

/// The policy set that makes a layer.
#[derive(Debug, Clone, Serialize)]
pub struct SetView {
    /// Where it comes from.
    pub source: SafeText,
    /// The number of its version.
    pub version: u64,
    /// When it ends to be valid: RFC 3339, UTC.
    pub expires: Option<String>,
    /// The digest of its archive.
    pub digest: Digest,
    /// Who has signed it; `None` when nobody need to have.
    pub signer: Option<SafeText>,
    /// When a good set was last found at its source: RFC 3339, UTC; `None` where a digest fixes it.
    pub looked_at: Option<String>,
}

/// The whole configuration in force.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// The name of the document's format.
    pub schema: &'static str,
    /// Whether any configuration file was read.
    pub configured: bool,
    /// The keys outside the layers.
    #[serde(serialize_with = "by_key")]
    pub settings: Vec<ViewEntry>,
    /// The layers.
    pub layers: Vec<LayerView>,
}

impl Config {
    /// Returns everything in force, defaults included.
    pub fn view(&self) -> View {
        View {
            schema: "smcp.config/1",
            configured: self.is_configured(),
            settings: vec![
                entry("registry_url", &self.registry, |registry| json!(registry.to_string())),
                entry("ca_file", &self.ca_file, |file| json!(file.as_ref().map(|path| path.to_string_lossy()))),
                entry("cache_dir", &self.cache_dir, |directory| {
                    json!(directory.as_ref().map(|path| path.to_string_lossy()))
                }),
                ViewEntry {
                    note: self.runtime_dir.value.is_none().then_some("in the cache"),
                    ..entry("runtime_dir", &self.runtime_dir, |directory| {
                        json!(directory.as_ref().map(|path| path.to_string_lossy()))
                    })
                },
                entry("start_timeout", &self.start_timeout, duration),
                entry("max_facts_age", &self.max_facts_age, duration),
                entry("audit", &self.audit, |audit| json!(audit)),
                entry("confinement", &self.confinement, |confining| json!(confining)),
                entry("audit_head", &self.audit_head, |head| json!(head)),
                entry("audit_log", &self.audit_log, |file| json!(file.as_ref().map(|path| path.to_string_lossy()))),
            ],
            layers: self.layers.iter().map(layer).collect(),
        }
    }
}

fn layer(layer: &Layer) -> LayerView {
    let names = |trusted: &Option<Vec<TrustedRegistry>>| {
        trusted.as_ref().map_or(Value::Null, |all| all.iter().map(TrustedRegistry::written).collect())
    };
    let trusted = layer.trusted();
    // Names alone stand on one line, where the list is.
    let mappings = trusted.value.as_ref().filter(|all| all.iter().any(|entry| !entry.is_plain()));
    let items = trusted.source.place().zip(mappings).into_iter();
    let items = items.flat_map(|(place, all)| (0..all.len()).map(|index| place.item(index)));
    let items_at = items.map(|place| SafeText::new(&place.to_string())).collect();
    let any = layer.trusted().value.is_none().then_some("any registry");
    LayerView {
        layer: layer.name(),
        file: layer.files().first().map(|file| told(file)),
        files: layer.files().iter().map(|file| told(file)).collect(),
        set: layer.set().map(|facts| SetView {
            source: SafeText::new(&facts.arrival.source.to_string()),
            version: facts.version,
            expires: time::utc_of(facts.expires),
            digest: facts.arrival.digest,
            signer: facts.arrival.signer.clone(),
            looked_at: facts.arrival.looked_at.and_then(time::utc_of),
        }),
        trusted_registries: ViewEntry { note: any, items_at, ..entry("trusted_registries", trusted, names) },
        registries: entry("registries", layer.registries(), |registries| json!(registries)),
        admin_contact: entry("admin_contact", layer.admin_contact(), |contact| json!(contact)),
        policy: policy(layer.rules()),
    }
}

fn policy(rules: &Rules) -> Vec<ViewEntry> {
    let mode = |key, setting: &Setting<Mode>| entry(key, setting, |mode| json!(mode));
    let any = rules.allowed_origins.value.is_none().then_some("any origin");
    let first = rules.custom.first();
    let source = first.map_or(SettingSource::Default, |first| SettingSource::File(first.place.clone()));
    let first = rules.exceptions.first();
    let waived_in = first.map_or(SettingSource::Default, |first| SettingSource::File(first.place.clone()));
    let exceptions = rules.exceptions.iter().map(|written| exception_entry(&written.value));
    vec![
        ViewEntry { note: any, ..entry("allowed_origins", &rules.allowed_origins, |origins| json!(origins)) },
        entry("min_cert_level", &rules.min_cert_level, |level| json!(level)),
        entry("min_score", &rules.min_score, |score| json!(score)),
        mode("cert_mode", &rules.cert_mode),
        mode("origin_mode", &rules.origin_mode),
        mode("score_mode", &rules.score_mode),
        entry("cert_score_check", &rules.cert_score_check, |check| json!(check)),
        entry("warning_threshold", &rules.warning_threshold, |score| json!(score)),
        entry("max_policies", &rules.max_policies, |most| json!(most)),
        ViewEntry {
            key: "custom",
            value: rules.custom.iter().map(custom_entry).collect(),
            at: at(&source),
            items_at: rules.custom.iter().map(|entry| SafeText::new(&entry.place.to_string())).collect(),
            source,
            overruled: Vec::new(),
            note: None,
        },
        ViewEntry {
            key: "exceptions",
            value: exceptions.collect(),
            at: at(&waived_in),
            items_at: rules.exceptions.iter().map(|entry| SafeText::new(&entry.place.to_string())).collect(),
            source: waived_in,
            overruled: Vec::new(),
            note: None,
        },
        set_entry(rules.policy_set.as_ref()),
    ]
}

fn set_entry(written: Option<&WrittenValue<SetReference>>) -> ViewEntry {
    let source = written.map_or(SettingSource::Default, |written| SettingSource::File(written.place.clone()));
    let value = |written: &WrittenValue<SetReference>| {
        let SetReference { source, signed_by, refresh, max_age, minimum } = &written.value;
        let (refresh, max_age) = (duration(refresh), duration(max_age));
        let source = source.to_string();
        let mut value = json!({ "source": source, "refresh": refresh, "max_age": max_age, "minimum": minimum });
        if let Value::Object(members) = &mut value {
            members.extend(signed_by.as_ref().map(|rule| ("signed_by".to_owned(), rule.written())));
        }
        value
    };
    ViewEntry {
        key: "policy_set",
        value: written.map_or(Value::Null, value),
        at: at(&source),
        items_at: Vec::new(),
        source,
        overruled: Vec::new(),
        note: None,
    }
}

fn exception_entry(exception: &Exception) -> Value {
    let Exception { layer: _, package, policies, codes, reason, approved_by, until } = exception;
    let mut value = json!({ "package": package, "policies": policies });
    if let Value::Object(members) = &mut value {
        members.extend(codes.as_ref().map(|codes| ("codes".to_owned(), json!(codes))));
        members.insert("reason".to_owned(), json!(reason));
        members.extend(approved_by.as_ref().map(|name| ("approved_by".to_owned(), json!(name))));
        members.insert("until".to_owned(), json!(until));
    }
    value
}

fn custom_entry(written: &WrittenValue<Arc<PolicySpec>>) -> Value {
    let spec = &written.value;
    let mut value = json!({ "name": spec.name, "source": spec.source.to_string(), "mode": spec.mode });
    if let Value::Object(members) = &mut value {
        members.extend(spec.pin.map(|pin| ("digest".to_owned(), json!(pin))));
        members.extend(spec.signed_by.as_ref().map(|rule| ("signed_by".to_owned(), rule.written())));
        if let PolicySource::Remote(RemoteSource { address: _, refresh, max_age }) = &spec.source {
            let text = |age| humantime::format_duration(age).to_string().replace(' ', "");
            members.insert("refresh".to_owned(), json!(text(*refresh)));
            members.insert("max_age".to_owned(), json!(text(*max_age)));
        }
        members.extend(spec.on_warn.map(|on_warn| ("on_warn".to_owned(), json!(on_warn))));
        members.insert("settings".to_owned(), spec.settings.clone());
        let limits = spec.limits.written().into_iter().map(|(key, value)| (key.to_owned(), value));
        members.insert("limits".to_owned(), Value::Object(limits.collect()));
    }
    value
}

fn entry<T>(key: &'static str, setting: &Setting<T>, value: impl Fn(&T) -> Value) -> ViewEntry {
    let others = setting.overruled.iter();
    let others = others.map(|(layer, other)| OverruledValue {
        layer: *layer,
        value: value(&other.value),
        at: SafeText::new(&other.place.to_string()),
    });
    ViewEntry {
        key,
        value: value(&setting.value),
        source: setting.source.clone(),
        at: at(&setting.source),
        items_at: Vec::new(),
        overruled: others.collect(),
        note: None,
    }
}

/// Returns the place of a value in a file.
fn at(source: &SettingSource) -> Option<SafeText> {
    source.place().map(|place| SafeText::new(&place.to_string()))
}

fn duration(duration: &Duration) -> Value {
    json!(humantime::format_duration(*duration).to_string())
}

fn by_key<S: Serializer>(entries: &[ViewEntry], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|entry| (entry.key, entry)))
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.iter().try_for_each(|entry| line(f, "", entry))?;
        for layer in &self.layers {
            let file = layer.file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string());
            writeln!(f, "\n# {} layer: {}", layer.layer.as_str(), SafeText::new(&file))?;
            if let Some(SetView { source: _, version, expires, digest, signer, looked_at }) = &layer.set {
                let expires = expires.as_deref().unwrap_or("never");
                writeln!(f, "# policy set, version {version}, expires {expires}, {digest}")?;
                signer.iter().try_for_each(|signer| writeln!(f, "# signed by {signer}"))?;
                looked_at.iter().try_for_each(|at| writeln!(f, "# last found at its source {at}"))?;
            }
            line(f, "", &layer.trusted_registries)?;
            line(f, "", &layer.registries)?;
            line(f, "", &layer.admin_contact)?;
            writeln!(f, "policy:")?;
            layer.policy.iter().try_for_each(|entry| line(f, "  ", entry))?;
        }
        Ok(())
    }
}

/// Writes one key as YAML, and its source as a comment. A key without a value is a comment as a whole.
fn line(f: &mut fmt::Formatter<'_>, indent: &str, entry: &ViewEntry) -> fmt::Result {
    let mut remark = match &entry.at {
        Some(at) => at.to_string(),
        None => entry.source.as_str().to_owned(),
    };
    if let Some(note) = entry.note {
        remark.extend(["; ", note]);
    }
    for OverruledValue { layer, value, at } in &entry.overruled {
        let layer = layer.as_str();
        let _ = match *value == entry.value {
            true => write!(remark, "; the {layer} layer says the same ({at})"),
            false => write!(remark, "; the {layer} layer says {}, which does not count ({at})", yaml(value)),
        };
    }
    let remark = SafeText::new(&remark);
    let hidden = if entry.value.is_null() { "# " } else { "" };
    if let Value::Array(items) = &entry.value
        && items.iter().any(Value::is_object)
    {
        writeln!(f, "{indent}{}:  # {remark}", entry.key)?;
        return items
            .iter()
            .zip(&entry.items_at)
            .try_for_each(|(item, at)| writeln!(f, "{indent}  - {}  # {at}", SafeText::new(&item.to_string())));
    }
    writeln!(f, "{indent}{hidden}{}: {}  # {remark}", entry.key, SafeText::new(&yaml(&entry.value)))
}

/// Returns a value as YAML: JSON is YAML, and text that YAML reads as that text needs no quotes.
fn yaml(value: &Value) -> String {
    let reads_as_itself = |text: &&str| smcp_yaml::parse(text, &BOUNDS) == Ok(YamlNode::Text((*text).to_owned()));
    value.as_str().filter(reads_as_itself).map_or_else(|| value.to_string(), str::to_owned)
}
