//! The rules of one layer, ready to be evaluated.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::choice::Registries;
use crate::discover::POLICIES_FOLDER;
use crate::place::FilePlace;
use crate::rules::Rules;
use crate::set::PolicySetFacts;
use crate::set::SetReference;
use crate::setting::Setting;
use crate::setting::SettingSource;
use crate::trust::StatementRule;
use crate::trust::TrustedRegistry;
use crate::trust::entry_for;
use smcp_model::exception::Exception;
use smcp_model::facts::Score;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;

/// The rules of one author: an administrator or the user. All layers are evaluated, and all must allow.
#[derive(Debug, Clone)]
pub struct Layer {
    name: LayerName,
    files: Vec<PathBuf>,
    trusted: Setting<Option<Vec<TrustedRegistry>>>,
    own_registry: Registry,
    registries: Setting<Registries>,
    admin_contact: Setting<Option<SafeText>>,
    rules: Rules,
    policies: Vec<Arc<PolicySpec>>, // INVARIANT: those of `rules`.
    set: Option<Arc<PolicySetFacts>>,
}

impl Layer {
    /// Returns the layer with these rules.
    pub(super) fn new(
        name: LayerName,
        files: Vec<PathBuf>,
        trusted: Setting<Option<Vec<TrustedRegistry>>>,
        own_registry: Registry,
        registries: Setting<Registries>,
        admin_contact: Setting<Option<SafeText>>,
        rules: Rules,
    ) -> Self {
        let policies = rules.policies(name, admin_contact.value.as_ref());
        Self { name, files, trusted, own_registry, registries, admin_contact, rules, policies, set: None }
    }

    /// Returns the layer as that of a policy set.
    pub(super) fn of_set(self, set: PolicySetFacts) -> Self {
        Self { set: Some(Arc::new(set)), ..self }
    }

    /// Holds the archive of the set that makes the layer.
    pub(super) fn hold_archive(&mut self, archive: Arc<Vec<u8>>) {
        let facts = self.set.take().map(Arc::unwrap_or_clone);
        self.set = facts.map(|facts| Arc::new(PolicySetFacts { held: Some(archive), ..facts }));
    }

    /// Returns which set it is, for the layer of a policy set.
    pub fn set(&self) -> Option<&PolicySetFacts> {
        self.set.as_deref()
    }

    /// Returns the policy set that the layer names; it is another layer.
    pub fn policy_set(&self) -> Option<&SetReference> {
        self.rules.policy_set.as_ref().map(|written| &written.value)
    }

    /// Returns the registry that the layer names as its own, or else the one that packages come from.
    pub(super) const fn own_registry(&self) -> &Registry {
        &self.own_registry
    }

    /// Returns the layer's name.
    pub const fn name(&self) -> LayerName {
        self.name
    }

    /// Returns the absolute paths of the files with the rules; empty where the rules are the defaults.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns the configuration file of the layer, which may be missing beside its `policies.d`; `None` where the rules
    /// are the defaults.
    pub fn main_file(&self) -> Option<PathBuf> {
        let first = self.files.first()?;
        let is_folder = first.ends_with(POLICIES_FOLDER);
        Some(if is_folder { first.with_file_name("config.yaml") } else { first.clone() })
    }

    /// Returns the registries whose facts are believed, and whose signatures that takes; `None` means any.
    pub const fn trusted(&self) -> &Setting<Option<Vec<TrustedRegistry>>> {
        &self.trusted
    }

    /// Whether this layer believes what `registry` itself says. Facts without a registry are those of a facts document,
    /// which nothing can start from: every layer believes them (spec section 12).
    pub fn believes(&self, registry: Option<&Registry>) -> bool {
        let (Some(trusted), Some(registry)) = (&self.trusted.value, registry) else { return true };
        entry_for(trusted, registry).is_some_and(|entry| entry.statements.is_none())
    }

    /// Whether this layer believes facts about packages of `registry`: its own, or those of who signs for it.
    pub fn trusts(&self, registry: Option<&Registry>) -> bool {
        self.believes(registry) || registry.is_some_and(|registry| self.statement_rule(registry).is_some())
    }

    /// Returns whose statements about packages of `registry` this layer believes; `None` when it goes by the registry's own
    /// words, or by none.
    pub fn statement_rule(&self, registry: &Registry) -> Option<&StatementRule> {
        entry_for(self.trusted.value.as_deref()?, registry)?.statements.as_ref()
    }

    /// Whether a namespace of `registry` counts as verified for this layer, which believes what that registry says.
    pub fn verifies(&self, registry: &Registry, namespace: &str) -> bool {
        let entry = self.trusted.value.as_deref().and_then(|trusted| entry_for(trusted, registry));
        let verified = entry.filter(|entry| entry.statements.is_none()).map(|entry| &entry.verified_namespaces);
        verified.is_some_and(|verified| verified.iter().any(|known| known.as_str() == namespace))
    }

    /// Whether exceptions of this layer that name no digest hold for packages from `registry` (spec section 3): those
    /// that it trusts, or, where it says nothing, the one that it names as its own. A facts document without a registry
    /// is as good for them as for the policies.
    pub fn waives_from(&self, registry: Option<&Registry>) -> bool {
        match (&self.trusted.value, registry) {
            (None, Some(registry)) => *registry == self.own_registry,
            (Some(_), _) | (None, None) => self.trusts(registry),
        }
    }

    /// Returns the exceptions, in their order.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.rules.exceptions.iter().map(|written| &written.value)
    }

    /// Returns where the exception with this number is written, as `FILE:LINE`; empty for a number that none has.
    pub fn exception_place(&self, number: usize) -> SafeText {
        self.rules.exceptions.get(number).map(|written| written.place.line()).unwrap_or_default()
    }

    /// Returns whether packages may come from registries that the layer does not trust.
    pub const fn registries(&self) -> &Setting<Registries> {
        &self.registries
    }

    /// Returns whom to ask about a refusal by this layer.
    pub const fn admin_contact(&self) -> &Setting<Option<SafeText>> {
        &self.admin_contact
    }

    /// Returns where a policy of the layer was written: its entry, or for a built-in one the first of its keys that a
    /// file has; `None` when all of them have their defaults.
    pub fn place_of(&self, policy: &PolicySpec) -> Option<&FilePlace> {
        match &policy.source {
            PolicySource::BuiltIn(which) => self.rules.sources_of(*which).into_iter().find_map(SettingSource::place),
            PolicySource::File(_) | PolicySource::Remote(_) => {
                self.rules.custom.iter().find(|entry| entry.value.name == policy.name).map(|entry| &entry.place)
            }
        }
    }

    /// Returns where a setting of one of the layer's own policies was written, by its JSON pointer in the settings; the
    /// nearest that the file has. `None` for a built-in policy, whose settings are keys of their own.
    pub fn place_of_setting(&self, policy: &PolicySpec, pointer: &str) -> Option<FilePlace> {
        match policy.source {
            PolicySource::BuiltIn(_) => None,
            PolicySource::File(_) | PolicySource::Remote(_) => {
                self.place_of(policy).map(|place| place.inside("settings", pointer))
            }
        }
    }

    /// Returns the values of the rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Returns every policy: the three built-in ones, then the layer's own in their order.
    pub fn policies(&self) -> &[Arc<PolicySpec>] {
        &self.policies
    }

    /// Replaces the directories of registries by their canonical paths.
    pub(super) fn resolve_directories(&mut self, resolve: impl Fn(&Path) -> Option<PathBuf>) {
        self.own_registry.resolve(&resolve);
        self.trusted.value.iter_mut().flatten().for_each(|entry| entry.registry.resolve(&resolve));
    }

    /// Sets the score below which a warning is shown, from the command line.
    pub(super) fn set_warning_threshold(&mut self, threshold: Score) {
        self.rules.warning_threshold = Setting::flag(threshold);
        self.policies = self.rules.policies(self.name, self.admin_contact.value.as_ref());
    }
}
