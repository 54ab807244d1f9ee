//! Many files → one configuration: joins files to layers, combines layers.
//!
//! Before it `layer_file` has read each file; after it the configuration is complete. Layers combine with AND (spec
//! section 1): each keeps its own rules. A value outside the rules is the strictest of all layers, or that of the first
//! layer that has it. With a problem in any file there is no configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::choice::Audit;
use crate::choice::AuditHead;
use crate::choice::OnSuspect;
use crate::choice::Registries;
use crate::choice::Strictness;
use crate::config::Config;
use crate::drafts::ConfigProblems;
use crate::exceptions;
use crate::layer::Layer;
use crate::layer_file::CustomValues;
use crate::layer_file::LayerFile;
use crate::layer_file::Values;
use crate::notice::ConfigNotice;
use crate::place::FilePlace;
use crate::place::SourceText;
use crate::place::Trail;
use crate::place::WrittenValue;
use crate::problem::ConfigError;
use crate::problem::ProblemCode;
use crate::rules;
use crate::rules::Rules;
use crate::setting::Setting;
use crate::trust::TrustedRegistry;
use smcp_model::limits;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;

/// Makes the configuration of these files. Layers are put in order; the files of one layer keep theirs.
///
/// # Errors
/// With every problem of every file.
pub(super) fn fold(files: Vec<LayerFile>, home: Option<&Path>) -> Result<Config, ConfigError> {
    let (config, problems) = assemble(files, home);
    problems.finish().map_or(Ok(config), Err)
}

/// Returns the configuration without any file: the defaults.
pub(super) fn defaults(home: Option<&Path>) -> Config {
    assemble(Vec::new(), home).0
}

/// The values of all files of one layer.
#[derive(Debug)]
struct LayerValues {
    name: LayerName,
    /// Whether one of the files is the layer's configuration file.
    has_main: bool,
    files: Vec<Arc<SourceText>>,
    values: Values,
}

impl LayerValues {
    fn new(name: LayerName) -> Self {
        Self { name, has_main: false, files: Vec::new(), values: Values::default() }
    }
}

fn assemble(mut files: Vec<LayerFile>, home: Option<&Path>) -> (Config, ConfigProblems) {
    files.sort_by_key(|file| file.layer);
    let (mut problems, mut notices) = (ConfigProblems::default(), Vec::new());
    let mut layers = join(files, &mut problems, &mut notices);
    if layers.is_empty() {
        layers.push(LayerValues::new(LayerName::User));
    }
    notices.extend(ignored_audit_logs(&layers));
    let config = combine(layers, notices, home, &mut problems);
    (config, problems)
}

/// Makes a layer of the files of a policy set that `parent` names: what the set says of trusted registries counts, or
/// else what that layer says.
pub(super) fn set_layer(files: Vec<LayerFile>, parent: &Layer, problems: &mut ConfigProblems) -> Option<Layer> {
    let layer = join(files, problems, &mut Vec::new()).pop()?;
    let own = layer.values.trusted_registries.clone();
    let trusted = own.map_or_else(|| parent.trusted().clone(), |trusted| optional(Some(trusted), None));
    Some(make_layer(layer, trusted, parent.own_registry(), problems))
}

/// Joins the files of each layer, which are beside each other.
fn join(files: Vec<LayerFile>, problems: &mut ConfigProblems, notices: &mut Vec<ConfigNotice>) -> Vec<LayerValues> {
    let mut layers: Vec<LayerValues> = Vec::new();
    for LayerFile { layer: name, values, is_main, foreign, drafts } in files {
        let source = Arc::clone(&drafts.source);
        if !foreign.is_empty() {
            notices.push(ConfigNotice::ForeignKeys { file: source.file.clone(), keys: foreign });
        }
        problems.add(drafts);
        let mut layer = layers.pop_if(|last| last.name == name).unwrap_or_else(|| LayerValues::new(name));
        layer.has_main |= is_main;
        layer.files.push(source);
        layer.values = layer.values.join(values, problems);
        layers.push(layer);
    }
    layers
}

fn combine(
    layers: Vec<LayerValues>,
    notices: Vec<ConfigNotice>,
    home: Option<&Path>,
    problems: &mut ConfigProblems,
) -> Config {
    let in_home = |path: &str| home.map(|home| home.join(path));
    let registry = first(&layers, |values| &values.registry_url).or_default(Registry::default());
    let configured = registry.value.clone();
    let (may_place, may_not) = by_authority(&layers);
    let mut audit_log = first(may_place, |values| &values.audit_log);
    audit_log.others.extend(written(may_not, |values| &values.audit_log));
    Config {
        configured_registry: configured.clone(),
        registry,
        ca_file: first(&layers, |values| &values.ca_file).optional(None),
        cache_dir: first(&layers, |values| &values.cache_dir).optional(in_home(".mcp/cache")),
        runtime_dir: first(&layers, |values| &values.runtime_dir).optional(None),
        start_timeout: strictest(&layers, |values| &values.start_timeout, limits::START_TIMEOUT_DEFAULT),
        max_facts_age: strictest(&layers, |values| &values.max_facts_age, limits::MAX_FACTS_AGE_DEFAULT),
        audit: strictest(&layers, |values| &values.audit, Audit::Required),
        confinement: strictest(&layers, |values| &values.confinement, Strictness::BestEffort),
        audit_head: first(&layers, |values| &values.audit_head).or_default(AuditHead::None),
        audit_log: audit_log.optional(in_home(".mcp/audit.jsonl")),
        on_suspect: OnSuspect::Warn,
        notices,
        layers: layers
            .into_iter()
            .map(|layer| {
                let trusted = trusted(&layer, problems);
                make_layer(layer, trusted, &configured, problems)
            })
            .collect(),
    }
}

/// Splits the layers into those that may place the audit log and the others. A user can't move an administrator's log:
/// neither by a file nor by `SMCP_SYSTEM_CONFIG`, which a user can set, too.
fn by_authority(layers: &[LayerValues]) -> (&[LayerValues], &[LayerValues]) {
    match layers.first().map(|layer| layer.name) {
        Some(name) if !name.is_users() => layers.split_at(1),
        Some(_) | None => (layers, &[]),
    }
}

fn ignored_audit_logs(layers: &[LayerValues]) -> impl Iterator<Item = ConfigNotice> {
    let ignored = by_authority(layers).1.iter().filter_map(|layer| layer.values.audit_log.as_ref());
    ignored.map(|log| ConfigNotice::AuditLogIgnored { file: log.place.file().to_owned() })
}

/// The value that counts, and those of other layers that don't.
struct ChosenValue<T> {
    counts: Option<WrittenValue<T>>,
    others: Vec<(LayerName, WrittenValue<T>)>,
}

impl<T> ChosenValue<T> {
    fn or_default(self, default: T) -> Setting<T> {
        Setting::or_default(self.counts, default).over(self.others)
    }

    fn optional(self, default: Option<T>) -> Setting<Option<T>> {
        let others = self.others.into_iter().map(|(layer, written)| (layer, written.map(Some)));
        optional(self.counts, default).over(others.collect())
    }
}

fn optional<T>(chosen: Option<WrittenValue<T>>, default: Option<T>) -> Setting<Option<T>> {
    Setting::or_default(chosen.map(|written| written.map(Some)), default)
}

/// Returns the value of each layer that has the key.
fn written<T: Clone>(
    layers: &[LayerValues],
    key: fn(&Values) -> &Option<WrittenValue<T>>,
) -> impl Iterator<Item = (LayerName, WrittenValue<T>)> {
    layers.iter().filter_map(move |layer| Some((layer.name, key(&layer.values).clone()?)))
}

/// Returns the value of the first layer that has the key.
fn first<T: Clone>(layers: &[LayerValues], key: fn(&Values) -> &Option<WrittenValue<T>>) -> ChosenValue<T> {
    let mut all = written(layers, key);
    ChosenValue { counts: all.next().map(|(_, written)| written), others: all.collect() }
}

/// Returns the smallest value of all layers. A system layer without the key counts with the default.
fn strictest<T: Clone + Ord>(
    layers: &[LayerValues],
    key: fn(&Values) -> &Option<WrittenValue<T>>,
    default: T,
) -> Setting<T> {
    let of_layer = |layer: &LayerValues| match (key(&layer.values), layer.name) {
        (None, name) if name.is_users() => None,
        (written, _) => Some(Setting::or_default(written.clone(), default.clone())),
    };
    let smallest = layers.iter().filter_map(of_layer).min_by(|one, other| one.value.cmp(&other.value));
    let smallest = smallest.unwrap_or_else(|| Setting::or_default(None, default));
    let counts = |written: &WrittenValue<T>| smallest.source.place() == Some(&written.place);
    let others = written(layers, key).filter(|(_, written)| !counts(written)).collect();
    smallest.over(others)
}

/// Makes a layer of its values. `configured` is the registry that packages come from.
fn make_layer(
    layer: LayerValues,
    trusted: Setting<Option<Vec<TrustedRegistry>>>,
    configured: &Registry,
    problems: &mut ConfigProblems,
) -> Layer {
    let LayerValues { name, files, values, has_main: _ } = layer;
    let own_registry = values.registry_url.map_or_else(|| configured.clone(), |written| written.value);
    let files = files.into_iter().map(|source| source.file.clone()).collect();
    refuse_repeated_names(&values.policy.custom, problems);
    exceptions::refuse_unknown_policies(&values.policy, problems);
    let custom_place = values.policy.custom_place.clone();
    let registries = Setting::or_default(values.registries, Registries::Open);
    let contact = optional(values.admin_contact, None);
    let rules = Rules::of(values.policy, name, contact.value.as_ref());
    let layer = Layer::new(name, files, trusted, own_registry, registries, contact, rules);
    // Without `custom` there are only the three built-in policies, which are within the limits.
    if let Some(place) = custom_place {
        for (message, allowed) in rules::excess(layer.policies(), layer.rules().max_policies.value) {
            problems.note(&place, ProblemCode::Limit, message, &allowed);
        }
    }
    layer
}

/// Returns the registries whose facts a layer believes. A system layer must name one; without a list it is its own.
fn trusted(layer: &LayerValues, problems: &mut ConfigProblems) -> Setting<Option<Vec<TrustedRegistry>>> {
    let LayerValues { name, files, values, has_main } = layer;
    match (name.is_users(), &values.trusted_registries, &values.registry_url) {
        (_, Some(trusted), _) => optional(Some(trusted.clone()), None),
        (true, None, _) => optional(None, None),
        (false, None, Some(registry)) => {
            optional(Some(registry.clone().map(|own| vec![TrustedRegistry::plain(own)])), None)
        }
        // Without a configuration file it believes the registry that is used.
        (false, None, None) if !has_main => optional(None, None),
        (false, None, None) => {
            // A file with problems may name one that could not be read.
            if let (true, Some(source)) = (problems.has_none_in(files), files.first()) {
                let place = FilePlace { source: Arc::clone(source), trail: Trail::default() };
                let message = "a system layer must say whose facts it believes".to_owned();
                problems.note(&place, ProblemCode::MissingKey, message, "`registry_url` or `trusted_registries`");
            }
            optional(None, Some(Vec::new()))
        }
    }
}

fn refuse_repeated_names(entries: &[WrittenValue<CustomValues>], problems: &mut ConfigProblems) {
    let mut first = BTreeMap::new();
    for name in entries.iter().filter_map(|entry| entry.value.name.as_ref()) {
        let before = *first.entry(&name.value).or_insert(&name.place);
        if *before != name.place {
            let of = if before.source == name.place.source { "file" } else { "layer" };
            let message = format!("another policy of this {of} has the name `{}` too", name.value);
            problems.note_repeated(&name.place, before, message, "each name once");
        }
    }
}
