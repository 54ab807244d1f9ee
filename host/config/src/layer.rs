//! The rules of one layer, ready to be evaluated.

use std::path::PathBuf;
use std::sync::Arc;

use crate::rules::Rules;
use crate::setting::Setting;
use smcp_model::facts::Score;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;

/// The rules of one author: an administrator or the user. All layers are evaluated, and all must allow.
#[derive(Debug, Clone)]
pub struct Layer {
    name: LayerName,
    files: Vec<PathBuf>,
    trusted: Setting<Option<Vec<Registry>>>,
    rules: Rules,
    policies: Vec<Arc<PolicySpec>>, // INVARIANT: those of `rules`.
}

impl Layer {
    /// Returns the layer with these rules.
    pub(super) fn new(
        name: LayerName,
        files: Vec<PathBuf>,
        trusted: Setting<Option<Vec<Registry>>>,
        rules: Rules,
    ) -> Self {
        let policies = rules.policies(name);
        Self { name, files, trusted, rules, policies }
    }

    /// Returns the layer's name.
    pub const fn name(&self) -> LayerName {
        self.name
    }

    /// Returns the absolute paths of the files with the rules; empty where the rules are the defaults.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns the registries whose facts are believed; `None` means any.
    pub const fn trusted(&self) -> &Setting<Option<Vec<Registry>>> {
        &self.trusted
    }

    /// Whether this layer believes facts from `registry`. A layer that names trusted registries does not believe facts
    /// without a registry.
    pub fn believes(&self, registry: Option<&Registry>) -> bool {
        let Some(trusted) = &self.trusted.value else { return true };
        registry.is_some_and(|registry| trusted.contains(registry))
    }

    /// Returns the values of the rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Returns every policy: the three built-in ones, then the layer's own in their order.
    pub fn policies(&self) -> &[Arc<PolicySpec>] {
        &self.policies
    }

    /// Sets the score below which a warning is shown, from the command line.
    pub(super) fn set_warning_threshold(&mut self, threshold: Score) {
        self.rules.warning_threshold = Setting::flag(threshold);
        self.policies = self.rules.policies(self.name);
    }
}
