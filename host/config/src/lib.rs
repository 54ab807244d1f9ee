//! YAML text → [`Config`]: the rules in force, or all that is wrong.
//!
//! The first stage. It touches nothing: the caller looks for the file that [`discover`] names, reads it, and hands
//! over text and paths; what comes out goes to `package` (the registry) and to `policy` (the rules). Whatever is not
//! understood is an error, because a rule that is silently dropped protects nobody.
//!
//! Inside, the data flows one way too: `raw` makes a tree of the text, `reader` walks it by the description in `keys`,
//! `rules` gives the values their meaning.

pub mod choice;
pub mod discover;
mod form;
mod keys;
mod notice;
mod problem;
mod raw;
mod reader;
pub mod rules;
pub mod schema;
mod setting;
mod settings;
pub mod template;
#[cfg(test)]
mod tests;
pub mod view;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::choice::Audit;
use crate::choice::AuditHead;
use crate::choice::OnSuspect;
use crate::form::Base;
use crate::reader::Fields;
use crate::reader::Reader;
use crate::reader::Trail;
use crate::rules::Rules;
use smcp_model::encoding;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;

pub use crate::notice::Notice;
pub use crate::problem::Code;
pub use crate::problem::ConfigError;
pub use crate::problem::Problem;
pub use crate::raw::Position;
pub use crate::setting::Setting;
pub use crate::setting::Source;

/// Where relative paths and `~/` lead.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's home, when it is known.
    pub home: Option<PathBuf>,
    /// The directory that a relative `--config` starts at, absolute; empty when it can't be found, and then there are
    /// absolute paths only.
    pub working_directory: PathBuf,
    /// Where an administrator writes rules: `/etc/mcp`. No flag, variable or file moves it; only tests do.
    pub system_folder: PathBuf,
}

/// Everything that the configuration decides.
#[derive(Debug, Clone)]
pub struct Config {
    registry: Setting<Registry>,
    configured_registry: Registry,
    cache_dir: Setting<Option<PathBuf>>,
    runtime_dir: Setting<Option<PathBuf>>,
    start_timeout: Setting<Duration>,
    max_facts_age: Setting<Duration>,
    audit: Setting<Audit>,
    audit_head: Setting<AuditHead>,
    audit_log: Setting<Option<PathBuf>>,
    on_suspect: OnSuspect,
    layers: Vec<Layer>,
    notices: Vec<Notice>,
}

/// The rules of one author. All layers are evaluated, and all must allow.
#[derive(Debug, Clone)]
pub struct Layer {
    name: LayerName,
    file: Option<PathBuf>,
    trusted: Setting<Option<Vec<Registry>>>,
    rules: Rules,
}

impl Layer {
    /// Whose rules these are.
    pub const fn name(&self) -> LayerName {
        self.name
    }

    /// Whether this layer believes facts for which `registry` vouches. A layer that names whom it trusts does not
    /// believe facts for which nobody does.
    pub fn believes(&self, registry: Option<&Registry>) -> bool {
        let Some(trusted) = &self.trusted.value else { return true };
        registry.is_some_and(|registry| trusted.contains(registry))
    }

    /// Every policy: the three built-in ones, then the layer's own in their order.
    pub fn policies(&self) -> Vec<PolicySpec> {
        self.rules.policies(self.name)
    }
}

/// The command line asks for a lower warning threshold than the configuration has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the warning threshold {asked} is lower than the configured {configured}; it can only be raised")]
pub struct ThresholdError {
    asked: u8,
    configured: u8,
}

impl Config {
    /// What holds when there is no configuration at all: the three checks with their defaults, which allow everything,
    /// and a notice that says so. `legacy` is the file of an older tool, when that is there.
    pub fn unconfigured(places: &Places, legacy: Option<&Path>) -> Self {
        let base = Base { directory: &places.working_directory, home: places.home.as_deref() };
        let mut reader = Reader::new("", String::new(), base);
        let mut config = Self::read(&mut reader, &Fields::default(), None, base);
        config.notices.push(Notice::Unconfigured);
        config.notices.extend(legacy.map(|file| Notice::LegacyFile { file: file.to_owned() }));
        config
    }

    /// Where packages come from.
    pub const fn registry(&self) -> &Registry {
        &self.registry.value
    }

    /// Where downloads are kept; none when nobody says it and there is no home.
    pub fn cache_dir(&self) -> Option<&Path> {
        self.cache_dir.value.as_deref()
    }

    /// Where the files of running packages live; none when nobody says it: then in the cache, if that can be written.
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.runtime_dir.value.as_deref()
    }

    /// How long resolving, downloading and starting may take together.
    pub const fn start_timeout(&self) -> Duration {
        self.start_timeout.value
    }

    /// How old cached facts may be when the registry can't be reached.
    pub const fn max_facts_age(&self) -> Duration {
        self.max_facts_age.value
    }

    /// Whether to go on when the audit log can't be written.
    pub const fn audit(&self) -> Audit {
        self.audit.value
    }

    /// Who is told of each new head of the audit log.
    pub const fn audit_head(&self) -> AuditHead {
        self.audit_head.value
    }

    /// The file that the audit log is written to; none when nobody says it and there is no home.
    pub fn audit_log(&self) -> Option<&Path> {
        self.audit_log.value.as_deref()
    }

    /// What follows when somebody else could have written a component.
    pub const fn on_suspect(&self) -> OnSuspect {
        self.on_suspect
    }

    /// Refuses components that somebody else could have written: a server is about to start by these rules.
    pub const fn refuse_suspects(&mut self) {
        self.on_suspect = OnSuspect::Refuse;
    }

    /// The layers, in the order in which they are evaluated and shown; at least one.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// What is worth saying about the configuration, and wrong with none of it.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether anybody wrote a configuration.
    pub fn is_configured(&self) -> bool {
        self.layers.iter().any(|layer| layer.file.is_some())
    }

    /// Below this score a warning is shown: the highest that any layer asks for.
    pub fn warning_threshold(&self) -> Score {
        let thresholds = self.layers.iter().map(|layer| layer.rules.warning_threshold.value);
        thresholds.max().unwrap_or(Score::WARNING_THRESHOLD)
    }

    /// The registry that the configuration names, or the default, whatever the command line says.
    pub const fn configured_registry(&self) -> &Registry {
        &self.configured_registry
    }

    /// Takes packages from another registry.
    pub fn override_registry(&mut self, registry: Registry) {
        self.registry = Setting::flag(registry);
    }

    /// Keeps downloads elsewhere.
    pub fn override_cache_dir(&mut self, directory: PathBuf) {
        self.cache_dir = Setting::flag(Some(directory));
    }

    /// Raises the warning threshold of every layer, in the settings of their policies too.
    ///
    /// # Errors
    /// When any layer already has a higher one; then nothing changes.
    pub fn raise_warning_threshold(&mut self, threshold: Score) -> Result<(), ThresholdError> {
        let configured = self.warning_threshold();
        if threshold < configured {
            return Err(ThresholdError { asked: threshold.get(), configured: configured.get() });
        }
        for layer in &mut self.layers {
            layer.rules.warning_threshold = Setting::flag(threshold);
        }
        Ok(())
    }

    /// Reads the mapping of a whole file as the user layer.
    fn read(reader: &mut Reader<'_>, fields: &Fields<'_>, file: Option<&Path>, base: Base<'_>) -> Self {
        let policy = reader.section(fields, &keys::POLICY);
        let layer = Layer {
            name: LayerName::User,
            file: file.map(Path::to_owned),
            trusted: Setting::or_default(reader.read(fields, &keys::TRUSTED_REGISTRIES).map(Some), None),
            rules: Rules::read(reader, policy.as_ref(), LayerName::User),
        };
        let cache = base.home.map(|home| home.join(".mcp/cache"));
        let log = base.home.map(|home| home.join(".mcp/audit.jsonl"));
        let registry = Setting::or_default(reader.read(fields, &keys::REGISTRY_URL), Registry::default());
        Self {
            configured_registry: registry.value.clone(),
            registry,
            cache_dir: Setting::or_default(reader.read(fields, &keys::CACHE_DIR).map(Some), cache),
            runtime_dir: Setting::or_default(reader.read(fields, &keys::RUNTIME_DIR).map(Some), None),
            start_timeout: Setting::or_default(
                reader.read(fields, &keys::START_TIMEOUT),
                limits::START_TIMEOUT_DEFAULT,
            ),
            max_facts_age: Setting::or_default(
                reader.read(fields, &keys::MAX_FACTS_AGE),
                limits::MAX_FACTS_AGE_DEFAULT,
            ),
            audit: Setting::or_default(reader.read(fields, &keys::AUDIT), Audit::Required),
            audit_head: Setting::or_default(reader.read(fields, &keys::AUDIT_HEAD), AuditHead::None),
            audit_log: Setting::or_default(reader.read(fields, &keys::AUDIT_LOG).map(Some), log),
            on_suspect: OnSuspect::Tell,
            layers: vec![layer],
            notices: Vec::new(),
        }
    }
}

/// Reads the text of the user layer's file.
///
/// # Errors
/// With every problem of the file: not UTF-8, too large, not one YAML document, or with keys or values that mean
/// nothing.
pub fn parse(bytes: &[u8], file: &Path, places: &Places) -> Result<Config, ConfigError> {
    let home = places.home.as_deref();
    let name = problem::shown(file, home);
    let text = text_of(bytes, &name)?;
    let root = raw::parse(text).map_err(|wrong| {
        let code = if wrong.allowed.is_some() { Code::Limit } else { Code::Syntax };
        let mut problem = Problem::of_file(code, &name, &wrong.message, wrong.allowed.as_deref());
        problem.position = wrong.position;
        ConfigError::one(problem)
    })?;
    let file = places.working_directory.join(file);
    let base = Base { directory: file.parent().unwrap_or(&file), home };
    let mut reader = Reader::new(text, name, base);
    // An empty document is an empty configuration.
    let written = (root != raw::Node::Null).then_some(&root);
    let fields = written.and_then(|root| reader.fields(&keys::ROOT, root, Trail::default())).unwrap_or_default();
    let mut config = Config::read(&mut reader, &fields, Some(&file), base);
    if !fields.foreign().is_empty() {
        let keys = fields.foreign().to_vec();
        config.notices.push(Notice::ForeignKeys { file: file.clone(), keys });
    }
    reader.finish().map_or(Ok(config), Err)
}

/// The bytes as text, when they are UTF-8 and not too many. A byte order mark says nothing, and is taken off.
fn text_of<'b>(bytes: &'b [u8], name: &str) -> Result<&'b str, ConfigError> {
    let bytes = encoding::without_mark(bytes);
    if bytes.len() > limits::CONFIG_FILE {
        let (message, allowed) =
            (format!("the file has {} bytes", bytes.len()), format!("at most {} bytes", limits::CONFIG_FILE));
        return Err(ConfigError::one(Problem::of_file(Code::Limit, name, &message, Some(&allowed))));
    }
    let refuse = |message, position| {
        let mut problem = Problem::of_file(Code::Unreadable, name, message, Some("UTF-8 text"));
        problem.position = position;
        ConfigError::one(problem)
    };
    if encoding::is_utf_16(bytes) {
        return Err(refuse("this is UTF-16; save it as UTF-8", None));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
        refuse("this is not UTF-8", valid.map(|valid| raw::position_of(valid, valid.len())))
    })
}
