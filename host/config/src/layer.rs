//! The rules of one author, ready to be evaluated.

use std::path::PathBuf;
use std::sync::Arc;

use crate::rules::Rules;
use crate::setting::Setting;
use smcp_model::facts::Score;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;

/// The rules of one author. All layers are evaluated, and all must allow.
#[derive(Debug, Clone)]
pub struct Layer {
    name: LayerName,
    files: Vec<PathBuf>,
    trusted: Setting<Option<Vec<Registry>>>,
    rules: Rules,
    policies: Vec<Arc<PolicySpec>>, // INVARIANT: those of `rules`.
}

impl Layer {
    /// The layer with these rules.
    pub(super) fn new(
        name: LayerName,
        files: Vec<PathBuf>,
        trusted: Setting<Option<Vec<Registry>>>,
        rules: Rules,
    ) -> Self {
        let policies = rules.policies(name);
        Self { name, files, trusted, rules, policies }
    }

    /// Whose rules these are.
    pub const fn name(&self) -> LayerName {
        self.name
    }

    /// The files that the rules are in, by their absolute paths; none where the rules are the defaults.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The registries whose facts are believed; `None` is any.
    pub const fn trusted(&self) -> &Setting<Option<Vec<Registry>>> {
        &self.trusted
    }

    /// Whether this layer believes facts for which `registry` vouches. A layer that names whom it trusts does not
    /// believe facts for which nobody does.
    pub fn believes(&self, registry: Option<&Registry>) -> bool {
        let Some(trusted) = &self.trusted.value else { return true };
        registry.is_some_and(|registry| trusted.contains(registry))
    }

    /// What the rules say, value by value.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Every policy: the three built-in ones, then the layer's own in their order.
    pub fn policies(&self) -> &[Arc<PolicySpec>] {
        &self.policies
    }

    /// Warns below this score from now on, as the command line wants it.
    pub(super) fn set_warning_threshold(&mut self, threshold: Score) {
        self.rules.warning_threshold = Setting::flag(threshold);
        self.policies = self.rules.policies(self.name);
    }
}
