//! The configuration in force, and what the command line may change of it.
//!
//! `fold` makes it of files; the pipeline acts by it.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::Places;
use crate::choice::AskedConfinement;
use crate::choice::Audit;
use crate::choice::AuditHead;
use crate::choice::OnSuspect;
use crate::choice::Registries;
use crate::choice::Strictness;
use crate::exceptions;
use crate::exceptions::remarks;
use crate::exceptions::remarks::ExceptionRemarks;
use crate::fold;
use crate::layer::Layer;
use crate::notice::ConfigNotice;
use crate::setting::Setting;
use smcp_model::facts::Score;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;

/// Everything that the configuration decides.
#[derive(Debug, Clone)]
pub struct Config {
    pub(super) registry: Setting<Registry>,
    pub(super) configured_registry: Registry,
    pub(super) ca_file: Setting<Option<PathBuf>>,
    pub(super) cache_dir: Setting<Option<PathBuf>>,
    pub(super) runtime_dir: Setting<Option<PathBuf>>,
    pub(super) start_timeout: Setting<Duration>,
    pub(super) max_facts_age: Setting<Duration>,
    pub(super) audit: Setting<Audit>,
    pub(super) confinement: Setting<Strictness>,
    pub(super) audit_head: Setting<AuditHead>,
    pub(super) audit_log: Setting<Option<PathBuf>>,
    pub(super) on_suspect: OnSuspect,
    pub(super) layers: Vec<Layer>,
    pub(super) notices: Vec<ConfigNotice>,
}

/// The certificate authorities that are trusted for a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorities<'a> {
    /// Those of a file that a layer names.
    File {
        /// The file.
        file: &'a Path,
        /// The layer, which says who may own it.
        layer: LayerName,
    },
    /// The system's own, whatever the environment says: an administrator's rules rely on what this registry says.
    System,
    /// Those that the environment names, or else the system's own.
    Environment,
}

/// The error for a warning threshold of the command line that is lower than the configured one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the warning threshold {asked} is lower than the configured {configured}; it can only be raised")]
pub struct ThresholdError {
    asked: u8,
    configured: u8,
}

/// The error for a confinement of the command line that is looser than the configured one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`--confinement {asked}` is looser than the configured `{configured}`; it can only be tightened")]
pub struct LooserError {
    asked: &'static str,
    configured: &'static str,
}

/// The error for a registry that a layer locks out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "packages may not come from {registry}: the {} layer has `registries: locked` ({place}){}\n  use one that it trusts: \
     {allowed}",
    layer.as_str(),
    contact.as_ref().map(|contact| format!("; ask {contact}")).unwrap_or_default()
)]
pub struct LockedOut {
    registry: String,
    layer: LayerName,
    place: String,
    allowed: String,
    contact: Option<SafeText>,
}

impl Config {
    /// Returns the configuration without any file: the three checks with their defaults, which allow everything, and a
    /// notice that says so.
    pub fn unconfigured(places: &Places) -> Self {
        let mut config = fold::defaults(places.home.as_deref());
        config.notices.push(ConfigNotice::Unconfigured);
        config
    }

    /// Returns the registry that packages come from.
    pub const fn registry(&self) -> &Registry {
        &self.registry.value
    }

    /// Returns the certificate authorities for connections to a registry. Where a system or added layer relies on what the
    /// registry says, only that layer or one above it names them: a user can set `SMCP_SYSTEM_CONFIG`, too.
    pub fn authorities(&self, registry: &Registry) -> Authorities<'_> {
        let relies = |layer: &&Layer| !layer.name().is_users() && layer.trusts(Some(registry));
        self.authorities_below(self.layers.iter().filter(relies).map(Layer::name).min())
    }

    /// Returns the certificate authorities for connections to the source of a policy; the same rule holds for the layer
    /// that has it.
    pub fn authorities_of_source(&self, layer: LayerName) -> Authorities<'_> {
        self.authorities_below(Some(layer).filter(|layer| !layer.is_users()))
    }

    /// Returns the certificate authorities when `first` is the first system or added layer that relies on the server.
    fn authorities_below(&self, first: Option<LayerName>) -> Authorities<'_> {
        match (&self.ca_file.value, self.layer_of(&self.ca_file)) {
            (Some(file), Some(layer)) if first.is_none_or(|first| layer <= first) => Authorities::File { file, layer },
            (Some(_) | None, _) if first.is_some() => Authorities::System,
            (Some(_) | None, _) => Authorities::Environment,
        }
    }

    /// Returns the layer whose file has a value; `None` when no file has it.
    fn layer_of<T>(&self, setting: &Setting<T>) -> Option<LayerName> {
        let file = setting.source.place()?.file();
        self.layers.iter().find(|layer| layer.files().iter().any(|own| own == file)).map(Layer::name)
    }

    /// Returns the file of certificate authorities that the configuration names.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.value.as_deref()
    }

    /// Returns where downloads are kept; `None` when it is not configured and the home is unknown.
    pub fn cache_dir(&self) -> Option<&Path> {
        self.cache_dir.value.as_deref()
    }

    /// Returns where the files of running packages are; `None` means in the cache, if that can be written.
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.runtime_dir.value.as_deref()
    }

    /// Returns how long resolving, downloading and starting may take together.
    pub const fn start_timeout(&self) -> Duration {
        self.start_timeout.value
    }

    /// Returns how old cached facts may be when the registry can't be reached.
    pub const fn max_facts_age(&self) -> Duration {
        self.max_facts_age.value
    }

    /// Returns whether to go on when the audit log can't be written.
    pub const fn audit(&self) -> Audit {
        self.audit.value
    }

    /// Returns whether servers are held to what their manifests ask for.
    pub const fn confinement(&self) -> Strictness {
        self.confinement.value
    }

    /// Returns where each new head of the audit log is sent.
    pub const fn audit_head(&self) -> AuditHead {
        self.audit_head.value
    }

    /// Returns the file of the audit log; `None` when it is not configured and the home is unknown.
    pub fn audit_log(&self) -> Option<&Path> {
        self.audit_log.value.as_deref()
    }

    /// Returns what to do if another user could have written a component.
    pub const fn on_suspect(&self) -> OnSuspect {
        self.on_suspect
    }

    /// Refuses components that another user could have written, because a server is about to start by these rules.
    pub const fn refuse_suspects(&mut self) {
        self.on_suspect = OnSuspect::Refuse;
    }

    /// Returns the layers, in the order in which they are evaluated and shown; at least one.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns the layer with a name, if there is one.
    pub fn layer(&self, name: LayerName) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name() == name)
    }

    /// Adds the layer of a policy set, in its place in the order of the layers.
    pub fn add_set(&mut self, layer: Layer) {
        let place = self.layers.iter().take_while(|other| other.name() < layer.name()).count();
        self.layers.insert(place, layer);
    }

    /// Returns notices about the configuration, which are not problems.
    pub fn notices(&self) -> &[ConfigNotice] {
        &self.notices
    }

    /// Returns a notice for each layer with exceptions that have ended; `seconds` is the time, since the Unix epoch.
    pub fn ended_exceptions(&self, seconds: u64) -> Vec<ConfigNotice> {
        self.layers.iter().filter_map(|layer| exceptions::ended(layer, seconds)).collect()
    }

    /// Returns what should be known of the exceptions of every layer: those that have ended or will soon, and those that
    /// can't match anything. `seconds` is the time, since the Unix epoch.
    pub fn exception_remarks(&self, seconds: u64) -> ExceptionRemarks {
        remarks::of(&self.layers, seconds, self.registry())
    }

    /// Whether any configuration file was read.
    pub fn is_configured(&self) -> bool {
        self.layers.iter().any(|layer| !layer.files().is_empty())
    }

    /// Returns the score below which a warning is shown: the highest of all layers.
    pub fn warning_threshold(&self) -> Score {
        let thresholds = self.layers.iter().map(|layer| layer.rules().warning_threshold.value);
        thresholds.max().unwrap_or(Score::WARNING_THRESHOLD)
    }

    /// Returns the registry of the configuration or the default, whatever the command line says.
    pub const fn configured_registry(&self) -> &Registry {
        &self.configured_registry
    }

    /// Refuses packages from a registry that a layer locks out.
    ///
    /// # Errors
    /// When a layer has `registries: locked` and does not trust the registry that packages come from. A layer that
    /// trusts any allows the configured one.
    pub fn check_registry(&self) -> Result<(), LockedOut> {
        for layer in self.layers.iter().filter(|layer| layer.registries().value == Registries::Locked) {
            let trusted = layer.trusted().value.as_ref();
            let trusted: Option<Vec<_>> = trusted.map(|all| all.iter().map(|entry| &entry.registry).collect());
            let allowed = trusted.unwrap_or_else(|| vec![&self.configured_registry]);
            if !allowed.contains(&self.registry()) {
                return Err(LockedOut {
                    registry: self.registry().to_string(),
                    layer: layer.name(),
                    place: layer.registries().source.place().map(ToString::to_string).unwrap_or_default(),
                    allowed: allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                    contact: layer.admin_contact().value.clone(),
                });
            }
        }
        Ok(())
    }

    /// Takes packages from another registry.
    pub fn override_registry(&mut self, registry: Registry) {
        self.registry = Setting::flag(registry);
    }

    /// Replaces the directories of registries by their canonical paths, which `resolve` returns. From then on they are
    /// compared by these, and the one that packages come from is opened by it: a link that is changed meanwhile leads
    /// nowhere else.
    pub fn resolve_directories(&mut self, resolve: impl Fn(&Path) -> Option<PathBuf>) {
        self.registry.value.resolve(&resolve);
        self.configured_registry.resolve(&resolve);
        self.layers.iter_mut().for_each(|layer| layer.resolve_directories(&resolve));
    }

    /// Keeps downloads elsewhere.
    pub fn override_cache_dir(&mut self, directory: PathBuf) {
        self.cache_dir = Setting::flag(Some(directory));
    }

    /// Raises the warning threshold of every layer, in the settings of their policies too.
    ///
    /// # Errors
    /// When a layer has a higher one; then nothing changes.
    pub fn raise_warning_threshold(&mut self, threshold: Score) -> Result<(), ThresholdError> {
        let configured = self.warning_threshold();
        if threshold < configured {
            return Err(ThresholdError { asked: threshold.get(), configured: configured.get() });
        }
        for layer in &mut self.layers {
            layer.set_warning_threshold(threshold);
        }
        Ok(())
    }

    /// Sets how strictly servers are confined.
    ///
    /// # Errors
    /// When the layers are stricter; then nothing changes.
    pub fn tighten_confinement(&mut self, asked: AskedConfinement) -> Result<(), LooserError> {
        let configured = self.confinement();
        let confining = match asked {
            AskedConfinement::Held(confining) => confining,
            AskedConfinement::Observed => configured.min(Strictness::BestEffort),
        };
        if confining > configured {
            return Err(LooserError { asked: confining.as_str(), configured: configured.as_str() });
        }
        self.confinement = Setting::flag(confining);
        Ok(())
    }
}
