//! The policies of a configuration, each joined with its component.

use std::path::Path;

use crate::SharedHost;
use crate::Stop;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::ReadError;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_config::choice::OnSuspect;
use smcp_decide::Notice;
use smcp_model::examination::Examined;
use smcp_model::examination::PolicyState;
use smcp_model::fetches::Fetches;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Subject;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Finding;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::LoadedPolicy;
use smcp_policy::PolicySet;
use smcp_policy::Unreadable;

/// Reads every component once, holds it against its pin, and loads the policies of each layer. What can't be read or
/// breaks is a fault of that policy alone. No component runs before all pins have held.
///
/// # Errors
/// [`Stop::Pin`] for the first component that is not the pinned one, [`Stop::Untrusted`] for the first that somebody
/// else could have written, when that is to be refused, [`Stop::Host`] when there is no sandbox to load them in.
pub(super) fn load<'c>(config: &'c Config, host: &SharedHost) -> Result<Vec<(&'c Layer, PolicySet)>, Stop> {
    let bind = |spec: PolicySpec| {
        let component = component(&spec, config.on_suspect())?;
        Ok::<_, Stop>(Bound::new(spec, component)?)
    };
    let bound = config
        .layers()
        .iter()
        .map(|layer| Ok((layer, layer.policies().into_iter().map(bind).collect::<Result<Vec<_>, Stop>>()?)))
        .collect::<Result<Vec<_>, Stop>>()?;
    let host = host.get()?;
    Ok(bound.into_iter().map(|(layer, policies)| (layer, PolicySet::load(host, policies))).collect())
}

/// The component of one policy. That of a disabled policy is not even read.
fn component(spec: &PolicySpec, on_suspect: OnSuspect) -> Result<Result<Component, Unreadable>, Stop> {
    Ok(match (&spec.source, spec.mode) {
        (PolicySource::BuiltIn(policy), _) => Ok(Component::built_in(*policy)),
        (PolicySource::File(_), Mode::Disabled) => Err(Unreadable::Disabled),
        (PolicySource::File(path), Mode::Strict | Mode::Warn) => {
            let Guarded { bytes, suspects } = authority::read_guarded(path, spec.limits.component_size, Folder::Any);
            if let (OnSuspect::Refuse, Some(suspect)) = (on_suspect, suspects.into_iter().next()) {
                return Err(Stop::Untrusted { name: spec.name.clone(), suspect });
            }
            bytes.map(Component::new).map_err(|error| unreadable(path, &error))
        }
    })
}

/// Everything that somebody else could write to, on the way to the component of any enabled policy.
pub fn suspects(config: &Config) -> Vec<Suspect> {
    let specs = config.layers().iter().flat_map(Layer::policies).filter(|spec| spec.mode != Mode::Disabled);
    let of_one = |spec: PolicySpec| match spec.source {
        PolicySource::BuiltIn(_) => Vec::new(),
        // Who could write to it is known without its bytes.
        PolicySource::File(path) => authority::read_guarded(&path, 0, Folder::Any).suspects,
    };
    let mut found: Vec<Suspect> = Vec::new();
    for suspect in specs.flat_map(of_one) {
        if !found.contains(&suspect) {
            found.push(suspect);
        }
    }
    found
}

/// Why the component at `path` could not be read.
pub fn unreadable(path: &Path, error: &ReadError) -> Unreadable {
    match error {
        ReadError::TooLarge { limit } => {
            let size = authority::open_file(path).ok().and_then(|file| Some(file.metadata().ok()?.len()));
            Unreadable::TooLarge { limit: *limit, size }
        }
        ReadError::NotAFile => Unreadable::NotAFile(path.display().to_string()),
        ReadError::Io(reason) => Unreadable::Failed(format!("{}: {reason}", path.display())),
    }
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
/// [`Stop::Host`] when there is no sandbox to load them in, [`Stop::Untrusted`] as for a decision.
pub fn examine(config: &Config, host: &SharedHost) -> Result<Vec<Examined>, Stop> {
    let host = host.get()?;
    let mut sets = Vec::new();
    for spec in config.layers().iter().flat_map(Layer::policies) {
        let component = component(&spec, config.on_suspect())?;
        let digest = component.as_ref().ok().map(Component::digest);
        // A set for each, so that a pin that does not hold is one policy's; all are kept until the last is loaded, so
        // that what they have in common is compiled once.
        let loaded = Bound::new(spec.clone(), component).map(|bound| PolicySet::load(host, [bound]));
        sets.push((spec, digest, loaded));
    }
    let examined = sets.iter().map(|(spec, digest, loaded)| {
        let (state, version) = match loaded {
            Err(mismatch) => (PolicyState::Mismatched { pin: mismatch.expected() }, None),
            Ok(set) => set.policies().first().map_or((PolicyState::Disabled, None), found),
        };
        let PolicySpec { name, layer, mode, source, .. } = spec.clone();
        Examined { name, layer, mode, source, digest: *digest, version, state }
    });
    Ok(examined.collect())
}

/// Whether a loaded policy works, and what it calls its version when it came as far as saying so.
fn found(policy: &LoadedPolicy) -> (PolicyState, Option<SafeText>) {
    let state = match (policy.spec().mode, policy.fault()) {
        (Mode::Disabled, _) => PolicyState::Disabled,
        (Mode::Strict | Mode::Warn, Some(fault)) => PolicyState::Faulty(fault.clone()),
        (Mode::Strict | Mode::Warn, None) => PolicyState::Ready,
    };
    (state, policy.description().map(|it| SafeText::new(&it.version.to_string())))
}
