//! The policies of a configuration, each joined with its component.

use crate::Session;
use crate::Stop;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_decide::Notice;
use smcp_model::examination::Examined;
use smcp_model::examination::PolicyState;
use smcp_model::fetches::Fetches;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Finding;
use smcp_policy::Bound;
use smcp_policy::PolicyHost;
use smcp_policy::Source;

/// Reads every component once and holds it against its pin. What can't be read is a fault of that policy alone.
///
/// # Errors
/// [`Stop::Pin`] for the first component that is not the pinned one, [`Stop::Untrusted`] for the first that somebody
/// else could have written, when that is to be refused.
pub(super) fn bind(session: &Session) -> Result<Vec<(&Layer, Bound)>, Stop> {
    let mut bound = Vec::new();
    for layer in session.config().layers() {
        for spec in layer.policies() {
            let source = session.component(spec)?;
            bound.push((layer, Bound::new(PolicySpec::clone(spec), source)?));
        }
    }
    Ok(bound)
}

/// A notice for each layer that doesn't believe the registry, so that nobody wonders where the facts went.
pub(super) fn distrust(config: &Config, subject: &Subject) -> Vec<Notice> {
    let distrusting = config.layers().iter().filter(|layer| !layer.believes(subject.registry.as_ref()));
    distrusting
        .map(|layer| {
            let registry = subject.registry.as_ref().map_or("an unnamed registry".to_owned(), ToString::to_string);
            let layer = layer.name().as_str();
            Notice {
                code: "registry-untrusted",
                message: SafeText::new(&format!(
                    "the {layer} layer does not trust {registry}, so its policies see no facts from there \
                     (trusted_registries)"
                )),
            }
        })
        .collect()
}

/// A notice for a known score below the warning threshold about which no policy says a word: the one that would is
/// disabled, waived or broken, or its layer doesn't believe the registry. The threshold warns whatever the modes are.
pub(super) fn low_score(config: &Config, subject: &Subject, policies: &[Evaluated]) -> Option<Notice> {
    let threshold = config.warning_threshold();
    let score = subject.facts.score.filter(|score| *score < threshold)?;
    let about_it = |finding: &Finding| finding.fact.as_ref().is_some_and(|fact| fact.as_str() == "score");
    let said = policies.iter().any(|policy| policy.outcome.findings().any(about_it));
    let (score, threshold) = (score.get(), threshold.get());
    (!said).then(|| Notice {
        code: "score-below-warning-threshold",
        message: SafeText::new(&format!("security score {score} is below warning threshold {threshold}")),
    })
}

/// A notice for a command that fetches when it starts: what was judged is then not all that runs.
pub(super) fn fetching(subject: &Subject) -> Option<Notice> {
    let fetches = Fetches::of(subject.entrypoint.as_ref()?)?;
    Some(Notice { code: "fetches-at-start", message: SafeText::new(&fetches.sentence()) })
}

/// Loads every enabled policy and asks whether it accepts its settings; nothing is evaluated.
///
/// # Errors
/// [`Stop::Host`] when there is no sandbox to load them in, [`Stop::Untrusted`] as in [`bind`].
pub fn examine(session: &Session) -> Result<Vec<Examined>, Stop> {
    let specs = session.config().layers().iter().flat_map(Layer::policies);
    specs.map(|spec| examine_one(session, spec)).collect()
}

fn examine_one(session: &Session, spec: &PolicySpec) -> Result<Examined, Stop> {
    let source = session.component(spec)?;
    let digest = source.digest();
    let pin = spec.pin.filter(|pin| source.differs_from(*pin).is_some());
    let (state, version) = match (spec.mode, pin) {
        (Mode::Disabled, _) => (PolicyState::Disabled, None),
        (Mode::Strict | Mode::Warn, Some(pin)) => (PolicyState::Mismatched { pin }, None),
        (Mode::Strict | Mode::Warn, None) => try_out(session.host()?, spec, source),
    };
    let PolicySpec { name, layer, mode, source, .. } = spec.clone();
    Ok(Examined { name, layer, mode, source, digest, version, state })
}

/// Whether a policy loads and accepts its settings, and what it calls its version when it came as far as saying so.
fn try_out(host: &PolicyHost, spec: &PolicySpec, source: Source) -> (PolicyState, Option<SafeText>) {
    match host.load(source, &spec.limits) {
        Err(fault) => (PolicyState::Faulty(fault.of(&spec.source)), None),
        Ok(loaded) => {
            let checked = host.check_settings(&loaded, &spec.limits, &spec.settings.to_string());
            let version = SafeText::new(&loaded.description.version.to_string());
            (checked.map_or_else(PolicyState::Faulty, |_| PolicyState::Ready), Some(version))
        }
    }
}
