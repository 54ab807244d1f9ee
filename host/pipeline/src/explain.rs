//! Explains a decision, and what it would take for the package to run.
//!
//! The policies are asked again about the same package with other facts, as often as the bounds allow. Nothing is recorded,
//! and nothing that is found is applied.

use std::cell::Cell;
use std::time::Duration;
use std::time::Instant;

use crate::Failed;
use crate::Judged;
use crate::PipelineError;
use crate::Session;
use crate::evaluate_facts;
use crate::evaluate_package;
use crate::layer_rules::LayerRules;
use crate::policies;
use crate::replay::known::RulesOfTheTime;
use smcp_config::Config;
use smcp_decide as decide;
use smcp_decide::ExplainedPolicy;
use smcp_decide::Explanation;
use smcp_decide::Hints;
use smcp_decide::OtherFact;
use smcp_decide::PassingFacts;
use smcp_decide::Ruling;
use smcp_decide::Way;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::package::PackageRef;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_model::record::DecisionRecord;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Outcome;

/// A decision, and why it came about.
#[derive(Debug)]
pub struct Explained {
    /// The decision.
    pub judged: Judged,
    /// Why it came about.
    pub explanation: Explanation,
}

/// Explains the decision about a package.
///
/// # Errors
/// As [`evaluate_package`].
pub fn of_package(
    session: &Session,
    reference: &PackageRef,
    context: Context,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<Explained, Failed> {
    let (_, judged) = evaluate_package(session, reference, context, deadline, progress)?;
    explained(session, judged, context, progress)
}

/// Explains the decision about a facts document.
///
/// # Errors
/// As [`evaluate_facts`].
pub fn of_facts(
    session: &Session,
    subject: Subject,
    context: Context,
    progress: &mut dyn Progress,
) -> Result<Explained, Failed> {
    let judged = evaluate_facts(session, subject, context, progress)?;
    explained(session, judged, context, progress)
}

/// Explains a recorded decision by the rules of its time, as far as they are still known. The inner error says why it can't
/// be explained.
///
/// # Errors
/// [`PipelineError::Host`] when there is no sandbox.
pub fn of_record(
    session: &Session,
    record: &DecisionRecord,
    progress: &mut dyn Progress,
) -> Result<Result<Explained, SafeText>, PipelineError> {
    let Some(context) = &record.request.context else {
        let refusal = record.decision.refusal.as_ref().map(|refusal| refusal.message.to_string());
        let why = format!("it was refused before any policy was asked: {}", refusal.unwrap_or_default());
        return Ok(Err(SafeText::new(&why)));
    };
    let context = context.context();
    let known = match RulesOfTheTime::new(session).of(record, progress)? {
        Ok(known) => known,
        Err(why) => return Ok(Err(why)),
    };
    let (rules, subject) = (known.layers(record), record.request.subject.clone());
    let mut evaluated: Vec<Evaluated> =
        rules.iter().flat_map(|layer| layer.evaluate(&layer.told(&subject), context)).collect();
    known.put_unread(&mut evaluated);
    let ruling = match Ruling::of(evaluated) {
        Ok(ruling) => ruling,
        Err(refusal) => return Ok(Err(SafeText::new(&refusal.to_string()))),
    };
    let ruling = ruling.by_statements(record.decision.statements.clone());
    let ruling = ruling.believed_by(record.decision.facts.believed_by.clone().unwrap_or_default());
    let ruling = ruling.verified_by(record.decision.facts.verified_by.clone());
    let files = policies::exception_files(session.config(), &subject);
    let lifts = decide::lifting(&ruling, &subject, context.trust, &files);
    let judged = Judged { subject, ruling, notices: Vec::new(), lifts, stated: None, access: None };
    let explanation = explanation(&rules, &judged, context, |spec| {
        Some(standing_place(session.config(), spec).unwrap_or_else(|| SafeText::new("not in force now")))
    });
    Ok(Ok(Explained { judged, explanation }))
}

/// Returns where a policy of a record is written now, if it is the same one still.
fn standing_place(config: &Config, spec: &PolicySpec) -> Option<SafeText> {
    let mut policies = config.layer(spec.layer)?.policies().iter();
    let same = policies.find(|it| it.name == spec.name && it.mode == spec.mode && it.settings == spec.settings)?;
    Some(place_of(config, same).unwrap_or_else(|| SafeText::new("by default")))
}

/// Explains a decision by the configuration.
fn explained(
    session: &Session,
    judged: Judged,
    context: Context,
    progress: &mut dyn Progress,
) -> Result<Explained, Failed> {
    let rules = LayerRules::of_session(session, &judged.subject, judged.ruling.statements(), progress);
    let rules = rules.map_err(|error: PipelineError| Failed::new(judged.subject.clone(), error))?;
    let explanation = explanation(&rules, &judged, context, |spec| place_of(session.config(), spec));
    Ok(Explained { judged, explanation })
}

/// Returns where a policy was put in force.
fn place_of(config: &Config, spec: &PolicySpec) -> Option<SafeText> {
    let place = config.layer(spec.layer)?.place_of(spec)?;
    Some(SafeText::new(&place.to_string()))
}

/// Explains a decision that was made by these rules.
pub(crate) fn explanation(
    rules: &[LayerRules<'_>],
    judged: &Judged,
    context: Context,
    place_of: impl Fn(&PolicySpec) -> Option<SafeText>,
) -> Explanation {
    let end = Instant::now().checked_add(limits::EXPLAIN_TIME);
    let inquiry = Inquiry { subject: &judged.subject, context, end, at_once: Cell::new(1) };
    let lightest = if context.trust { Effect::Block } else { Effect::Ask };
    let mut ruled = judged.ruling.policies().iter();
    let mut policies = Vec::new();
    for layer in rules {
        for (place, policy) in ruled.by_ref().take(layer.set.policies().len()).enumerate() {
            let is_broken = layer.set.policies().get(place).is_none_or(|loaded| loaded.fault().is_some());
            let way = match (policy.effect() >= lightest, is_broken) {
                (false, _) => Way::Open,
                (true, true) => Way::Broken,
                (true, false) => Way::Facts(inquiry.of_policy(layer, place, policy)),
            };
            policies.push(ExplainedPolicy { at: place_of(&policy.spec), told: layer.told.clone(), way });
        }
    }
    let is_refused = judged.ruling.effect() >= lightest;
    let together = is_refused.then(|| inquiry.together(rules, judged, &policies, lightest));
    let (together, is_cut) = together.unwrap_or_default();
    Explanation { context, policies, together, is_cut }
}

/// Questions about one package with other facts.
struct Inquiry<'a> {
    subject: &'a Subject,
    context: Context,
    /// When there is no more time for questions.
    end: Option<Instant>,
    /// How many packages are asked about before the time is looked at again.
    at_once: Cell<usize>,
}

impl Inquiry<'_> {
    /// Looks for facts that one policy would not object to.
    fn of_policy(&self, layer: &LayerRules<'_>, place: usize, policy: &Evaluated) -> PassingFacts {
        let subject = layer.told(self.subject);
        let mut ask = |subjects: &[Subject]| {
            self.in_time(subjects, |part| {
                layer.evaluate_one(place, part, self.context).iter().map(objections).collect()
            })
        };
        let hints = Hints::of(&policy.spec.settings);
        decide::passing(&subject, &named([policy]), &hints, limits::EXPLAIN_QUESTIONS, &mut ask)
    }

    /// Looks for facts with which the package would run: those that the policies that refuse would not object to, all
    /// together; where they contradict each other, others. Returns whether the search ended at its bound, too.
    fn together(
        &self,
        rules: &[LayerRules<'_>],
        judged: &Judged,
        policies: &[ExplainedPolicy],
        lightest: Effect,
    ) -> (Option<Vec<OtherFact>>, bool) {
        let mut hints = Vec::new();
        let mut changes = Vec::new();
        let refusing = judged.ruling.policies().iter().zip(policies).filter(|(it, _)| it.effect() >= lightest);
        let is_cut = policies.iter().any(|it| matches!(&it.way, Way::Facts(PassingFacts { is_cut: true, .. })));
        for (policy, explained) in refusing.clone() {
            let Way::Facts(PassingFacts { change: Some(change), .. }) = &explained.way else { return (None, is_cut) };
            changes.extend(change.iter());
            hints.push(policy.spec.settings.clone());
        }
        let hints = Hints::of(&hints.into());
        let objected = |layer: &LayerRules<'_>, told: Subject| -> usize {
            let evaluated = layer.evaluate(&told, self.context);
            evaluated.iter().filter(|policy| policy.effect() >= lightest).map(objections).sum()
        };
        let united = decide::united(self.subject, &hints, changes.into_iter());
        if rules.iter().all(|layer| objected(layer, decide::changed(&layer.told(self.subject), &united)) == 0) {
            return (Some(united), is_cut);
        }
        // What a signed statement says would have to change as well.
        let told =
            |layer: &LayerRules<'_>, other: &Subject| decide::carried(self.subject, other, &layer.told(self.subject));
        let of_all = |other: &Subject| rules.iter().map(|layer| objected(layer, told(layer, other))).sum();
        let mut ask = |subjects: &[Subject]| self.in_time(subjects, |part| part.iter().map(of_all).collect());
        let named = named(refusing.map(|(policy, _)| policy));
        let PassingFacts { change, is_cut: is_over, .. } =
            decide::passing(self.subject, &named, &hints, limits::EXPLAIN_QUESTIONS, &mut ask);
        (change, is_cut || is_over)
    }

    /// Asks about packages in parts, as long as there is time. Where a part takes long, the next one is shorter.
    fn in_time(&self, subjects: &[Subject], ask: impl Fn(&[Subject]) -> Vec<usize>) -> Vec<usize> {
        let mut answers = Vec::new();
        while let Some(rest) = subjects.get(answers.len()..).filter(|rest| !rest.is_empty()) {
            let begun = Instant::now();
            let part = rest.get(..rest.len().min(self.at_once.get())).unwrap_or(rest);
            if self.end.is_none_or(|end| begun >= end) {
                break;
            }
            let answered = ask(part);
            let is_short = begun.elapsed() < SHORT;
            self.at_once.set(if is_short { AT_ONCE.min(part.len().saturating_mul(2)) } else { 1 });
            let is_over = answered.len() < part.len();
            answers.extend(answered);
            if is_over {
                break;
            }
        }
        answers
    }
}

/// So many packages are asked about at most before the time is looked at again, if as many as before took a short time.
const AT_ONCE: usize = 16;
const SHORT: Duration = Duration::from_millis(50);
/// What a fault counts: more than all violations that a policy may report.
const FAULT: usize = limits::FINDINGS + 1;

/// Returns how much a policy objects.
fn objections(policy: &Evaluated) -> usize {
    match &policy.outcome {
        Outcome::Fault(_) => FAULT,
        Outcome::Violation { verdict, .. } => verdict.violations.len(),
        Outcome::Pass { .. } | Outcome::Waived { .. } | Outcome::Skipped => 0,
    }
}

/// Returns the facts that the findings of policies name.
fn named<'p>(policies: impl IntoIterator<Item = &'p Evaluated>) -> Vec<String> {
    let violations = policies.into_iter().flat_map(|policy| policy.outcome.violations());
    violations.filter_map(|finding| Some(finding.fact.as_ref()?.as_str().to_owned())).collect()
}
