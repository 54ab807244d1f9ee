//! The rules of one layer: `policy` with its defaults, as policies.
//!
//! Before it `reader` has read the values; after it the policies are loaded as any other component, for nothing past
//! this file knows what `min_score` is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::choice::CertScoreCheck;
use crate::keys::custom;
use crate::keys::policy;
use crate::problem::Code;
use crate::reader::Fields;
use crate::reader::Reader;
use crate::setting::Setting;
use crate::setting::Source;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;

/// What stands under `policy`, complete.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Who may stand behind a package; `None` is anybody.
    pub allowed_origins: Setting<Option<Vec<&'static str>>>,
    /// The lowest certification level.
    pub min_cert_level: Setting<CertLevel>,
    /// The lowest score.
    pub min_score: Setting<Score>,
    /// How strictly the certification level is meant.
    pub cert_mode: Setting<Mode>,
    /// How strictly the origin is meant.
    pub origin_mode: Setting<Mode>,
    /// How strictly the score is meant.
    pub score_mode: Setting<Mode>,
    /// Whether a level's own score requirement is enforced.
    pub cert_score_check: Setting<CertScoreCheck>,
    /// Below this score a warning is shown.
    pub warning_threshold: Setting<Score>,
    /// The organisation's own policies, modes resolved.
    pub custom: Vec<PolicySpec>,
}

impl Rules {
    /// Reads the mapping under `policy`; without one, the defaults.
    pub(super) fn read(reader: &mut Reader<'_>, fields: Option<&Fields<'_>>, layer: LayerName) -> Self {
        let empty = Fields::default();
        let fields = fields.unwrap_or(&empty);
        reader.refuse(fields, &policy::EXCEPTIONS);
        let cert_mode = Setting::or_default(cert_mode(reader, fields), Mode::Strict);
        let (inherited, source) = match cert_mode.value {
            Mode::Strict | Mode::Warn => (cert_mode.value, Source::CertMode),
            // "No certification check" says nothing about the other checks.
            Mode::Disabled => (Mode::Strict, Source::Default),
        };
        let rules = Self {
            allowed_origins: Setting::or_default(origins(reader, fields), None),
            min_cert_level: Setting::or_default(reader.read(fields, &policy::MIN_CERT_LEVEL), CertLevel::LOWEST),
            min_score: Setting::or_default(reader.read(fields, &policy::MIN_SCORE), Score::LOWEST),
            origin_mode: Setting::or(reader.read(fields, &policy::ORIGIN_MODE), inherited, source),
            score_mode: Setting::or(reader.read(fields, &policy::SCORE_MODE), inherited, source),
            cert_score_check: Setting::or_default(
                reader.read(fields, &policy::CERT_SCORE_CHECK),
                CertScoreCheck::Notice,
            ),
            warning_threshold: Setting::or_default(
                reader.read(fields, &policy::WARNING_THRESHOLD),
                Score::WARNING_THRESHOLD,
            ),
            custom: custom_policies(reader, fields, layer, inherited),
            cert_mode,
        };
        check_extent(reader, fields, &rules.policies(layer));
        rules
    }

    /// Every policy of the layer: the built-in ones, then its own in their order.
    pub(super) fn policies(&self, layer: LayerName) -> Vec<PolicySpec> {
        let built_in = |which| PolicySpec {
            name: PolicyName::of(which),
            layer,
            source: PolicySource::BuiltIn(which),
            pin: None,
            mode: self.mode_of(which),
            on_warn: None,
            settings: self.settings_of(which),
            limits: PolicyLimits::DEFAULT,
        };
        BuiltIn::ALL.into_iter().map(built_in).chain(self.custom.iter().cloned()).collect()
    }

    const fn mode_of(&self, which: BuiltIn) -> Mode {
        match which {
            BuiltIn::Origin => self.origin_mode.value,
            BuiltIn::Certification => self.cert_mode.value,
            BuiltIn::Score => self.score_mode.value,
        }
    }

    fn settings_of(&self, which: BuiltIn) -> Value {
        match which {
            BuiltIn::Origin => json!({ "allowed_origins": self.allowed_origins.value }),
            BuiltIn::Certification => json!({
                "min_cert_level": self.min_cert_level.value,
                "cert_score_check": self.cert_score_check.value,
            }),
            BuiltIn::Score => json!({
                "min_score": self.min_score.value,
                "warning_threshold": self.warning_threshold.value,
            }),
        }
    }
}

/// `cert_mode`, by either of its names.
fn cert_mode(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Mode> {
    let modes = (reader.read(fields, &policy::CERT_MODE), reader.read(fields, &policy::CERT_LEVEL_MODE));
    if let (Some(mode), Some(other)) = modes
        && mode != other
    {
        let (mode, other) = (mode.as_str(), other.as_str());
        let message = format!("`policy.cert_level_mode` is `{other}`, but `policy.cert_mode` is `{mode}`");
        let allowed = "one of the two names, or the same word under both".to_owned();
        reader.note(Code::Conflict, fields.trail_of(&policy::CERT_LEVEL_MODE), message, allowed);
    }
    modes.0.or(modes.1)
}

/// `allowed_origins`, each named once.
fn origins(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Option<Vec<&'static str>>> {
    let named = reader.read(fields, &policy::ALLOWED_ORIGINS)?;
    let mut seen = BTreeSet::new();
    Some(Some(named.into_iter().filter(|origin| seen.insert(*origin)).collect()))
}

fn custom_policies(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    layer: LayerName,
    default_mode: Mode,
) -> Vec<PolicySpec> {
    let mut names = BTreeMap::new();
    let mut policies = Vec::new();
    for entry in reader.entries(fields, &policy::CUSTOM) {
        let name = reader.read(&entry, &custom::NAME);
        if let Some(name) = &name {
            let trail = entry.trail_of(&custom::NAME);
            if let Some(first) = names.get(name) {
                let message = format!("another policy of this file has the name `{name}` too");
                reader.note_repeated(trail, first, message, "each name once".to_owned());
            } else {
                names.insert(name.clone(), trail.clone());
            }
        }
        policies.extend(custom_policy(reader, &entry, name, layer, default_mode));
    }
    policies
}

/// One entry; `None` when it has no usable name or source, which the reader has noted.
fn custom_policy(
    reader: &mut Reader<'_>,
    entry: &Fields<'_>,
    name: Option<PolicyName>,
    layer: LayerName,
    default_mode: Mode,
) -> Option<PolicySpec> {
    reader.refuse(entry, &custom::LIMITS);
    let source = reader.read(entry, &custom::SOURCE);
    let pin = reader.read(entry, &custom::DIGEST);
    let mode = reader.read(entry, &custom::MODE).unwrap_or(default_mode);
    let on_warn = reader.read(entry, &custom::ON_WARN);
    let settings = reader.read(entry, &custom::SETTINGS).unwrap_or_else(|| json!({}));
    let (name, source, limits) = (name?, PolicySource::File(source?), PolicyLimits::DEFAULT);
    Some(PolicySpec { name, layer, source, pin, mode, on_warn, settings, limits })
}

/// No more policies than one run may have, and no more time than a client waits.
fn check_extent(reader: &mut Reader<'_>, fields: &Fields<'_>, policies: &[PolicySpec]) {
    if let Some((message, allowed)) = excess(policies) {
        reader.note(Code::Limit, fields.trail_of(&policy::CUSTOM), message, allowed);
    }
}

/// What is too much about these policies, and how much there may be.
fn excess(policies: &[PolicySpec]) -> Option<(String, String)> {
    if policies.len() > limits::POLICIES {
        let allowed = format!("{} policies, the three built-in ones included", limits::POLICIES);
        return Some((format!("{} policies are too many for one run", policies.len()), allowed));
    }
    let enabled = policies.iter().filter(|policy| policy.mode != Mode::Disabled);
    let needed = enabled.fold(Duration::ZERO, |sum, policy| sum.saturating_add(policy.limits.time));
    let text = humantime::format_duration;
    (needed > limits::POLICIES_TIME).then(|| {
        let allowed = format!("{} for all enabled policies", text(limits::POLICIES_TIME));
        (format!("the policies may take {} together", text(needed)), allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_all_enabled_policies_is_bounded() {
        let policy = |seconds, mode| PolicySpec {
            name: PolicyName::of(BuiltIn::Score),
            layer: LayerName::User,
            source: PolicySource::BuiltIn(BuiltIn::Score),
            pin: None,
            mode,
            on_warn: None,
            settings: Value::Null,
            limits: PolicyLimits { time: Duration::from_secs(seconds), ..PolicyLimits::DEFAULT },
        };
        let six = vec![policy(10, Mode::Strict); 6];
        assert_eq!(excess(&six), None);
        assert_eq!(excess(&[six.clone(), vec![policy(10, Mode::Disabled)]].concat()), None);
        let (found, allowed) = excess(&[six, vec![policy(1, Mode::Warn)]].concat()).unwrap();
        assert_eq!(found, "the policies may take 1m 1s together");
        assert_eq!(allowed, "1m for all enabled policies");
    }
}
