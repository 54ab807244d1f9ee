//! The rules of one layer: `policy` with its defaults, as policies.
//!
//! Before it `layer_file` holds the values of files; after it the policies are loaded like any other component.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::choice::CertScoreCheck;
use crate::form::WrittenSource;
use crate::layer_file::CustomValues;
use crate::layer_file::PolicyValues;
use crate::place::WrittenValue;
use crate::set::SetReference;
use crate::setting::Setting;
use crate::setting::SettingSource;
use smcp_model::exception::Exception;
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
use smcp_model::source::RemoteSource;
use smcp_model::text::SafeText;

/// The values under `policy`, with the defaults.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The allowed origins of packages; `None` means any.
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
    /// How many policies the layer may have.
    pub max_policies: Setting<usize>,
    /// The organisation's own policies, with their modes resolved, and their places.
    pub custom: Vec<WrittenValue<Arc<PolicySpec>>>,
    /// The exceptions, in their order, and their places.
    pub exceptions: Vec<WrittenValue<Exception>>,
    /// The policy set that the layer names, and its place.
    pub policy_set: Option<WrittenValue<SetReference>>,
}

impl Rules {
    /// Returns the rules of a layer: its values, and the defaults for the others.
    pub(super) fn of(values: PolicyValues, layer: LayerName, admin_contact: Option<&SafeText>) -> Self {
        let cert_mode = Setting::or_default(values.cert_mode, Mode::Strict);
        let (inherited, source) = match cert_mode.value {
            Mode::Strict | Mode::Warn => (cert_mode.value, SettingSource::CertMode),
            // "No certification check" says nothing about the other checks.
            Mode::Disabled => (Mode::Strict, SettingSource::Default),
        };
        let custom = values.custom.into_iter();
        Self {
            allowed_origins: Setting::or_default(values.allowed_origins.map(|written| written.map(Some)), None),
            min_cert_level: Setting::or_default(values.min_cert_level, CertLevel::LOWEST),
            min_score: Setting::or_default(values.min_score, Score::LOWEST),
            origin_mode: Setting::or(values.origin_mode, inherited, source.clone()),
            score_mode: Setting::or(values.score_mode, inherited, source),
            cert_score_check: Setting::or_default(values.cert_score_check, CertScoreCheck::Notice),
            warning_threshold: Setting::or_default(values.warning_threshold, Score::WARNING_THRESHOLD),
            max_policies: Setting::or_default(values.max_policies, limits::POLICIES),
            custom: custom.filter_map(|entry| custom_policy(entry, layer, inherited, admin_contact)).collect(),
            exceptions: values.exceptions.into_iter().filter_map(|entry| entry.exception(layer)).collect(),
            policy_set: values.policy_set,
            cert_mode,
        }
    }

    /// Returns every policy of the layer: the built-in ones, then its own in their order.
    pub(super) fn policies(&self, layer: LayerName, admin_contact: Option<&SafeText>) -> Vec<Arc<PolicySpec>> {
        let built_in = |which| {
            Arc::new(PolicySpec {
                name: PolicyName::of(which),
                layer,
                source: PolicySource::BuiltIn(which),
                pin: None,
                signed_by: None,
                mode: self.mode_of(which),
                on_warn: None,
                settings: self.settings_of(which),
                settings_vouched: true,
                limits: PolicyLimits::DEFAULT,
                admin_contact: admin_contact.cloned(),
            })
        };
        let custom = self.custom.iter().map(|written| Arc::clone(&written.value));
        BuiltIn::ALL.into_iter().map(built_in).chain(custom).collect()
    }

    /// Returns how strictly a built-in policy is meant.
    pub const fn mode_of(&self, which: BuiltIn) -> Mode {
        match which {
            BuiltIn::Origin => self.origin_mode.value,
            BuiltIn::Certification => self.cert_mode.value,
            BuiltIn::Score => self.score_mode.value,
        }
    }

    /// Returns where the values of a built-in policy come from, its mode first.
    pub(super) fn sources_of(&self, which: BuiltIn) -> Vec<&SettingSource> {
        match which {
            BuiltIn::Origin => vec![&self.origin_mode.source, &self.allowed_origins.source],
            BuiltIn::Certification => {
                vec![&self.cert_mode.source, &self.min_cert_level.source, &self.cert_score_check.source]
            }
            BuiltIn::Score => vec![&self.score_mode.source, &self.min_score.source, &self.warning_threshold.source],
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

/// Returns the policy of an entry; `None` without a valid name or source, which is already a problem of the file.
fn custom_policy(
    entry: WrittenValue<CustomValues>,
    layer: LayerName,
    default_mode: Mode,
    admin_contact: Option<&SafeText>,
) -> Option<WrittenValue<Arc<PolicySpec>>> {
    let WrittenValue { value, place } = entry;
    let CustomValues { name, source, digest, signed_by, refresh, max_age, mode, on_warn, settings, limits: allowed } =
        value;
    let source = match source?.value {
        WrittenSource::File(path) => PolicySource::File(path),
        WrittenSource::Remote(address) => PolicySource::Remote(RemoteSource {
            address,
            refresh: refresh.map_or(limits::oci::REFRESH_DEFAULT, |written| written.value),
            max_age: max_age.map_or(limits::oci::MAX_AGE_DEFAULT, |written| written.value),
        }),
    };
    let spec = PolicySpec {
        name: name?.value,
        layer,
        source,
        pin: digest.map(|written| written.value),
        signed_by: signed_by.map(|written| written.value),
        mode: mode.map_or(default_mode, |written| written.value),
        on_warn: on_warn.map(|written| written.value),
        settings: settings.map_or_else(|| json!({}), |written| written.value),
        settings_vouched: false,
        limits: allowed,
        admin_contact: admin_contact.cloned(),
    };
    Some(WrittenValue { value: Arc::new(spec), place })
}

/// Returns each way in which the policies of one layer exceed a limit, and the limit: their number, or the time that a
/// client waits.
pub(super) fn excess(policies: &[Arc<PolicySpec>], most: usize) -> Vec<(String, String)> {
    let number = (policies.len() > most).then(|| {
        let raised = match most < limits::POLICIES_CEILING {
            true => format!("; `policy.max_policies` raises that to at most {}", limits::POLICIES_CEILING),
            false => String::new(),
        };
        let allowed = format!("{most} policies, the three built-in ones included{raised}");
        (format!("{} policies are too many for one layer", policies.len()), allowed)
    });
    let enabled = policies.iter().filter(|policy| policy.mode != Mode::Disabled);
    let needed = enabled.fold(Duration::ZERO, |sum, policy| sum.saturating_add(policy.limits.time));
    let text = humantime::format_duration;
    let time = (needed > limits::POLICIES_TIME).then(|| {
        let each = text(PolicyLimits::DEFAULT.time);
        let allowed = format!(
            "{} for all enabled policies of a layer; each has {each}, or what its `limits: {{time: …}}` says",
            text(limits::POLICIES_TIME)
        );
        (format!("the policies may take {} together", text(needed)), allowed)
    });
    number.into_iter().chain(time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_all_enabled_policies_is_bounded() {
        let policy = |seconds, mode| {
            Arc::new(PolicySpec {
                name: PolicyName::of(BuiltIn::Score),
                layer: LayerName::User,
                source: PolicySource::BuiltIn(BuiltIn::Score),
                pin: None,
                signed_by: None,
                mode,
                on_warn: None,
                settings: Value::Null,
                settings_vouched: false,
                limits: PolicyLimits { time: Duration::from_secs(seconds), ..PolicyLimits::DEFAULT },
                admin_contact: None,
            })
        };
        let (six, most) = (vec![policy(10, Mode::Strict); 6], 8);
        assert_eq!(excess(&six, most), []);
        assert_eq!(excess(&[six.clone(), vec![policy(10, Mode::Disabled)]].concat(), most), []);
        let [(found, allowed)] = excess(&[six.clone(), vec![policy(1, Mode::Warn)]].concat(), most).try_into().unwrap();
        assert_eq!(found, "the policies may take 1m 1s together");
        let expected = "1m for all enabled policies of a layer; each has 500ms, or what its `limits: {time: …}` says";
        assert_eq!(allowed, expected);
        // Both excesses are told at once, and no number of seconds makes the sum small again.
        let both = excess(&[six, vec![policy(u64::MAX, Mode::Strict); 3]].concat(), most);
        assert_eq!(both.len(), 2, "{both:?}");
    }
}
