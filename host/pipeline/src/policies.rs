//! The policies of a configuration, each joined with its component.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::Wait;
use crate::session::found;
use crate::statements::StatedFacts;
use smcp_authority::GuardedReader;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_decide::ExceptionFile;
use smcp_decide::InForce;
use smcp_decide::Notice;
use smcp_decide::Occasion;
use smcp_decide::Ruling;
use smcp_decide::ToldBy;
use smcp_model::deadline::Deadline;
use smcp_model::elsewhere::RunsElsewhere;
use smcp_model::examination::Examined;
use smcp_model::examination::PlacedProblem;
use smcp_model::examination::PolicyState;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::fetches::Fetches;
use smcp_model::mode::Mode;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::source::told;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::SettingsProblem;
use smcp_policy::Ahead;
use smcp_policy::Bound;
use smcp_policy::Late;
use smcp_policy::LoadedPolicy;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::Unreadable;
use smcp_policy::request;

/// Reads every component once, compares it with its pin, gets its code, and loads the policies of each layer, in the order
/// of the layers. A component that can't be read or loaded is a fault of that policy alone. No component is compiled or
/// runs before every signature was verified and every pin compared. `progress` learns what is compiled.
///
/// # Errors
/// [`PipelineError::SetMissing`] when a layer names a policy set that was not added;
/// [`PipelineError::Signature`] for the first component that is not signed as it must be; [`PipelineError::Pin`] for the
/// first that is not the pinned one; [`PipelineError::Untrusted`] for the first that another user could have written, when the configuration refuses that; [`PipelineError::Host`] when there
/// is no sandbox to load them in; [`PipelineError::Compiling`] when the deadline passes before all are compiled.
pub(super) fn load(
    session: &Session,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<Vec<PolicySet>, PipelineError> {
    let bound = bind(session, deadline)?;
    load_bound(session.host()?, bound, deadline, progress)
}

/// Reads every component once, and compares it with its pin, as [`load`] does.
pub(super) fn bind(session: &Session, deadline: &Deadline) -> Result<Vec<Vec<Bound>>, PipelineError> {
    let config = session.config();
    if let Some((_, layer, _)) = config.named_sets().find(|(_, layer, _)| config.layer(*layer).is_none()) {
        return Err(PipelineError::SetMissing { layer });
    }
    let mut reader = GuardedReader::default();
    let layers = config.layers().iter();
    let specs: Vec<&Arc<PolicySpec>> = layers.clone().flat_map(Layer::policies).collect();
    let mut files = found::read_all(&specs).into_iter();
    let mut bind = |spec: &Arc<PolicySpec>| {
        let component = match files.next().flatten() {
            Some(file) => session.component_found(spec, file)?,
            None => session.component(spec, &mut reader, deadline)?,
        };
        Ok::<_, PipelineError>(Bound::new(Arc::clone(spec), component)?)
    };
    let bound = layers.map(|layer| layer.policies().iter().map(&mut bind).collect::<Result<Vec<_>, PipelineError>>());
    bound.collect()
}

/// Gets the code of the policies of each layer, and loads them.
pub(super) fn load_bound(
    host: &PolicyHost,
    bound: Vec<Vec<Bound>>,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<Vec<PolicySet>, PipelineError> {
    let _ahead = prepare(host, bound.iter().flatten(), deadline, progress)?;
    Ok(bound.into_iter().map(|policies| PolicySet::load(host, policies)).collect())
}

/// Gets the code of all policies, compiling what is not compiled yet.
pub(super) fn prepare<'a>(
    host: &PolicyHost,
    policies: impl Iterator<Item = &'a Bound>,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<Ahead, PipelineError> {
    let ahead = host.prepare(policies, *deadline, progress);
    ahead.map_err(|Late { policy }| PipelineError::Compiling { policy, expired: deadline.expired() })
}

/// Evaluates every policy of every layer, whatever the others say. Then the exceptions of a layer waive what its own
/// policies found.
///
/// # Errors
/// [`PipelineError::Pin`] when a component is not the one that the configuration pins, [`PipelineError::Host`] when
/// there is no sandbox to evaluate in, [`PipelineError::Compiling`] when they are not compiled in time.
pub(super) fn evaluate(
    session: &Session,
    subject: &Subject,
    stated: &StatedFacts,
    context: Context,
    wait: Wait<'_>,
) -> Result<Vec<Evaluated>, PipelineError> {
    let believed = LazyCell::new(|| request::build(subject, context, true));
    let unbelieved = LazyCell::new(|| request::build(subject, context, false));
    let sets = session.config().layers().iter().zip(session.policies(wait.deadline, wait.progress)?);
    let evaluated = sets.flat_map(|(layer, set)| {
        let evaluated = match told_by(layer, subject, stated.of(layer.name())) {
            ToldBy::Registry => set.evaluate(&believed),
            ToldBy::Nothing => set.evaluate(&unbelieved),
            told @ (ToldBy::Verified | ToldBy::Statement(_)) => {
                set.evaluate(&request::build(&as_told(&told, subject), context, true))
            }
        };
        let registry_trusted = layer.waives_from(subject.registry.as_ref());
        let occasion = Occasion { subject, registry_trusted, seconds: context.evaluated_at };
        let in_force = InForce::on(occasion, layer.exceptions());
        evaluated.into_iter().map(move |policy| in_force.waive(policy, |number| layer.exception_place(number)))
    });
    Ok(evaluated.collect())
}

/// Returns the policies of a file that can't be called, each with the reason: what they say of every package.
pub(super) fn broken<'a>(sets: impl Iterator<Item = &'a PolicySet>, file: &str) -> Vec<String> {
    let broken = sets.flat_map(PolicySet::policies).filter_map(|policy| Some((policy.spec(), policy.fault()?)));
    broken.map(|(spec, fault)| format!("policy `{}` of {file} fails: {}", spec.name, fault.message)).collect()
}

/// Whether a policy's time was over before it answered.
pub(super) fn is_late(policy: &Evaluated) -> bool {
    matches!(&policy.outcome, Outcome::Fault(fault) if fault.kind == FaultKind::Deadline)
}

/// Returns the layers that believe what the package's registry says.
pub(super) fn believers(config: &Config, subject: &Subject) -> Vec<LayerName> {
    let believing = config.layers().iter().filter(|layer| layer.believes(subject.registry.as_ref()));
    believing.map(Layer::name).collect()
}

/// Returns whose word the policies of a layer are told about a package. `stated` is what a layer that goes by signed
/// statements believes.
pub(super) fn told_by(layer: &Layer, subject: &Subject, stated: Option<Facts>) -> ToldBy {
    let registry = subject.registry.as_ref();
    match stated {
        Some(facts) => ToldBy::Statement(Box::new(facts)),
        None if !layer.believes(registry) => ToldBy::Nothing,
        None if is_verified(layer, subject) => ToldBy::Verified,
        None => ToldBy::Registry,
    }
}

/// Returns a package with the facts that policies are told of it.
pub(super) fn as_told<'s>(told: &ToldBy, subject: &'s Subject) -> Cow<'s, Subject> {
    let facts = match told {
        ToldBy::Registry | ToldBy::Nothing => return Cow::Borrowed(subject),
        ToldBy::Verified => Facts { origin: Some(Origin::Verified), ..subject.facts.clone() },
        ToldBy::Statement(facts) => Facts::clone(facts),
    };
    Cow::Owned(Subject { facts, ..subject.clone() })
}

/// Whether a layer takes the namespace of a package for verified.
fn is_verified(layer: &Layer, subject: &Subject) -> bool {
    let verifies = |registry| layer.verifies(registry, &subject.org);
    subject.facts.origin == Some(Origin::Community) && subject.registry.as_ref().is_some_and(verifies)
}

/// Returns the layers that believe the package's registry, and take its namespace for verified.
pub(super) fn verifiers(config: &Config, subject: &Subject) -> Vec<LayerName> {
    let believing = config.layers().iter().filter(|layer| layer.believes(subject.registry.as_ref()));
    believing.filter(|layer| is_verified(layer, subject)).map(Layer::name).collect()
}

/// Returns a notice for each layer that doesn't trust the registry: it says why its policies see no facts.
pub(super) fn distrust(config: &Config, subject: &Subject) -> Vec<Notice> {
    let distrusting = config.layers().iter().filter(|layer| !layer.trusts(subject.registry.as_ref()));
    distrusting
        .map(|layer| {
            let registry = subject.registry.as_ref().map(ToString::to_string).unwrap_or_default();
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

/// Returns the file of each layer that has one, for an exception to be written in.
pub(super) fn exception_files(config: &Config, subject: &Subject) -> Vec<ExceptionFile> {
    let of_layer = |layer: &Layer| {
        Some(ExceptionFile {
            layer: layer.name(),
            file: SafeText::new(&told(&layer.main_file()?).to_string_lossy()),
            has_exceptions: layer.exceptions().next().is_some(),
            registry_trusted: layer.waives_from(subject.registry.as_ref()),
        })
    };
    config.layers().iter().filter_map(of_layer).collect()
}

/// Returns a notice for a known score below the warning threshold that no policy reports: the one that would is
/// disabled, waived or broken, or its layer doesn't trust the registry. The threshold warns whatever the modes are.
pub(super) fn low_score(config: &Config, subject: &Subject, ruling: &Ruling) -> Option<Notice> {
    let threshold = config.warning_threshold();
    // The lowest of what the registry says, and of what was stated to a layer.
    let stated = ruling.statements().iter().filter_map(|stated| stated.score);
    let score = subject.facts.score.into_iter().chain(stated).min().filter(|score| *score < threshold)?;
    let about_it = |finding: &Finding| finding.fact.as_ref().is_some_and(|fact| fact.as_str() == "score");
    let is_reported = ruling.policies().iter().any(|policy| policy.outcome.findings().any(about_it));
    let (score, threshold) = (score.get(), threshold.get());
    (!is_reported).then(|| Notice {
        code: "score-below-warning-threshold",
        message: SafeText::new(&format!("security score {score} is below warning threshold {threshold}")),
    })
}

/// Returns notices for a command that fetches when it starts, or runs code that is in no file of the package: more runs
/// then than was judged.
pub(super) fn starting(subject: &Subject) -> impl Iterator<Item = Notice> + use<> {
    let notice = |code, sentence: String| Notice { code, message: SafeText::new(&sentence) };
    let entrypoint = subject.entrypoint.as_ref();
    let fetches = entrypoint.and_then(Fetches::of).map(|it| notice("fetches-at-start", it.sentence()));
    let elsewhere = entrypoint.and_then(RunsElsewhere::of).map(|it| notice("runs-elsewhere", it.sentence()));
    fetches.into_iter().chain(elsewhere)
}

/// Loads every enabled policy and checks that it accepts its settings; evaluates nothing. `progress` learns what is
/// compiled.
///
/// # Errors
/// [`PipelineError::Host`] when there is no sandbox to load them in, [`PipelineError::Untrusted`] as for a decision.
pub fn examine_policies(session: &Session, progress: &mut dyn Progress) -> Result<Vec<Examined>, PipelineError> {
    let host = session.host()?;
    let (mut policies, mut reader) = (Vec::new(), GuardedReader::default());
    let layers = session.config().layers().iter();
    for (layer, spec) in layers.flat_map(|layer| layer.policies().iter().map(move |spec| (layer, spec))) {
        // A component that came and is not right concerns its policy alone here.
        let component = match session.component(spec, &mut reader, &Deadline::none()) {
            Err(PipelineError::Source { error, .. }) => Err(Unreadable::NotFetched(error.to_string())),
            Err(PipelineError::Signature(mismatch)) => {
                policies.push((layer, spec, None, Err(PolicyState::Unsigned { why: mismatch.line() })));
                continue;
            }
            Err(PipelineError::Pin(mismatch)) => {
                let known = mismatch.found().map(|found| (found, None));
                policies.push((layer, spec, known, Err(PolicyState::Mismatched { pin: mismatch.expected() })));
                continue;
            }
            component => component?,
        };
        let known = component.as_ref().ok().map(|it| (it.digest(), it.signer().cloned()));
        let bound = Bound::new(Arc::clone(spec), component);
        let bound = bound.map_err(|mismatch| PolicyState::Mismatched { pin: mismatch.expected() });
        policies.push((layer, spec, known, bound));
    }
    let bound = policies.iter().filter_map(|(.., bound)| bound.as_ref().ok());
    let _ahead = prepare(host, bound, &Deadline::none(), progress)?;
    // One set for each policy, so that a wrong pin concerns that policy alone.
    let examined = policies.into_iter().map(|(layer, spec, known, bound)| {
        let at = layer.place_of(spec).map(|place| SafeText::new(&place.to_string()));
        let loaded = bound.map(|bound| PolicySet::load(host, [bound]));
        let (state, version) = match &loaded {
            Err(state) => (state.clone(), None),
            Ok(set) => set.policies().first().map_or((PolicyState::Disabled, None), state_of),
        };
        let settings = state.fault().map_or_else(Vec::new, |fault| placed(layer, spec, &fault.settings));
        let (digest, signer) = known.map_or((None, None), |(digest, signer)| (Some(digest), signer));
        let PolicySpec { name, layer, mode, source, limits, .. } = PolicySpec::clone(spec);
        Examined { name, layer, mode, source, at, limits, digest, signer, version, state, settings }
    });
    Ok(examined.collect())
}

/// Returns the problems of a policy's settings with their places in a file.
fn placed(layer: &Layer, spec: &PolicySpec, problems: &[SettingsProblem]) -> Vec<PlacedProblem> {
    let placed = |problem: &SettingsProblem| PlacedProblem {
        at: layer.place_of_setting(spec, problem.path.as_str()).map(|place| SafeText::new(&place.to_string())),
        problem: problem.clone(),
    };
    problems.iter().map(placed).collect()
}

/// Returns whether a loaded policy works, and the version that it gave, if it got that far.
fn state_of(policy: &LoadedPolicy) -> (PolicyState, Option<SafeText>) {
    let state = match (policy.spec().mode, policy.fault()) {
        (Mode::Disabled, _) => PolicyState::Disabled,
        (Mode::Strict | Mode::Warn, Some(fault)) => PolicyState::Faulty(fault.clone()),
        (Mode::Strict | Mode::Warn, None) => PolicyState::Ready,
    };
    (state, policy.description().map(|it| SafeText::new(&it.version.to_string())))
}
