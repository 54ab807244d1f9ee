//! Judges packages by two configurations, and says what changes: `policy diff`.
//!
//! A catalogue comes before, package by package, and `report` after. Nothing is recorded, remembered or started. Both
//! configurations are loaded once, into one pool, and all cores judge.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::PipelineError;
use crate::Session;
use crate::policies;
use crate::statements;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_decide as decide;
use smcp_decide::InForce;
use smcp_decide::Occasion;
use smcp_decide::ToldBy;
use smcp_model::deadline::Deadline;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::Judgement;
use smcp_model::diff::Transition;
use smcp_model::mode::Effect;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_policy::Bound;
use smcp_policy::LoadedPolicy;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::request;

/// Two configurations, ready to judge any number of packages.
#[derive(Debug)]
pub struct WhatIf<'s> {
    from: Side<'s>,
    to: Side<'s>,
    context: Context,
    /// How many packages a policy had no answer about in time, however often it was asked.
    late: AtomicU64,
}

/// One of the two configurations, with the policies of each of its layers.
#[derive(Debug)]
struct Side<'s> {
    config: &'s Config,
    layers: Vec<SideLayer<'s>>,
}

/// A layer of one configuration.
#[derive(Debug)]
struct SideLayer<'s> {
    layer: &'s Layer,
    set: PolicySet,
    /// What it has in common with the same layer of the other configuration, which is asked first.
    shared: Option<SharedPolicies<'s>>,
}

/// Policies that need not be asked twice.
#[derive(Debug)]
struct SharedPolicies<'s> {
    /// The layer of the other configuration, and its number there.
    first: (&'s Layer, usize),
    /// For each policy, the number of the one there that answers like it; `None` where it has to be asked itself.
    answers: Vec<Option<usize>>,
    /// Those that have to be asked.
    rest: PolicySet,
}

/// What came of one package under one configuration.
enum Opinion {
    /// It is refused before any policy, with this code.
    Refused(&'static str),
    /// So the policies of all layers say.
    Ruled(Vec<Evaluated>),
}

/// What the policies of a layer say of each package, before any exception; `None` of one that they were not asked about.
type Answers = Vec<Option<Vec<Evaluated>>>;

/// Which policies of a layer are asked about a package.
enum AskedOf<'a> {
    /// None: it is refused before.
    Nobody,
    /// All of them.
    Everybody,
    /// Those for which the others have not answered, who have said this.
    Rest(&'a [Evaluated]),
}

/// What came of one package under both.
#[derive(Debug)]
pub enum Compared {
    /// The decision is the same.
    Unchanged(Effect),
    /// It changes.
    Changed(Box<ChangedPackage>),
}

impl<'s> WhatIf<'s> {
    /// Loads the policies of both. It waits for those that have to be compiled, which `progress` learns.
    ///
    /// # Errors
    /// As for a decision: a wrong pin, a missing signature, a file that another user could have written, no sandbox.
    pub fn new(
        from: &'s Session,
        to: &'s Session,
        context: Context,
        progress: &mut dyn Progress,
    ) -> Result<Self, PipelineError> {
        let deadline = Deadline::none();
        let bound = (policies::bind(from, &deadline)?, policies::bind(to, &deadline)?);
        let host = to.host()?.comparing()?;
        let from = Side::load(&host, from.config(), bound.0, progress)?;
        let mut asked_after = Side::load(&host, to.config(), bound.1.clone(), progress)?;
        asked_after.share_with(&from, &host, bound.1);
        Ok(Self { from, to: asked_after, context, late: AtomicU64::new(0) })
    }

    /// Judges each package, on all cores, and returns what `finish` makes of the results, in the order of `all`. `subject_of`
    /// says what a package is; where it can't, its error is the result.
    pub fn of_each<T: Sync, R: Send, E: Send>(
        &self,
        all: &[T],
        subject_of: impl Fn(&T) -> Result<Subject, E> + Sync,
        finish: impl Fn(&T, Compared) -> R + Sync,
    ) -> Vec<Result<R, E>> {
        let work = |(): &mut (), part: &[T]| -> Vec<Result<R, E>> {
            let read: Vec<_> = part.iter().map(&subject_of).collect();
            let mut compared = self.compare(&read.iter().flatten().collect::<Vec<_>>()).into_iter();
            // One for each that could be read.
            let one = |(entry, read): (&T, Result<Subject, E>)| {
                read.map(|_| compared.next().map(|compared| finish(entry, compared))).transpose()
            };
            part.iter().zip(read).filter_map(one).collect()
        };
        smcp_policy::share(all, || (), work).into_iter().flatten().collect()
    }

    /// The policies of NEW that can't be called, each with the reason: what they say of every package.
    pub fn broken(&self) -> Vec<String> {
        policies::broken(self.to.layers.iter().map(|layer| &layer.set), "NEW")
    }

    /// The number of packages so far that a policy had no answer about in time, however often it was asked. What is said of
    /// these says more about the machine, or about the policy, than about the rule.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    fn compare(&self, subjects: &[&Subject]) -> Vec<Compared> {
        let (from, answers) = self.from.judge(subjects, &[], self.context);
        let (to, _) = self.to.judge(subjects, &answers, self.context);
        let both = subjects.iter().zip(from.into_iter().zip(to));
        both.map(|(subject, (from, to))| {
            let effects = (from.effect(), to.effect());
            if from.is_late() || to.is_late() {
                self.late.fetch_add(1, Ordering::Relaxed);
            }
            if Transition::between(effects.0, effects.1) == Transition::Unchanged {
                return Compared::Unchanged(effects.0);
            }
            let label = SafeText::new(&subject.label());
            let changed = ChangedPackage::between(label, &from.judgement(), &to.judgement());
            changed.map_or(Compared::Unchanged(effects.0), |changed| Compared::Changed(Box::new(changed)))
        })
        .collect()
    }
}

impl<'s> Side<'s> {
    fn load(
        host: &PolicyHost,
        config: &'s Config,
        bound: Vec<Vec<Bound>>,
        progress: &mut dyn Progress,
    ) -> Result<Self, PipelineError> {
        let sets = policies::load_bound(host, bound, &Deadline::none(), progress)?;
        let layers = config.layers().iter().zip(sets).map(|(layer, set)| SideLayer { layer, set, shared: None });
        Ok(Self { config, layers: layers.collect() })
    }

    /// Finds the policies that `first` has, too. They are asked only once.
    fn share_with(&mut self, first: &Side<'s>, host: &PolicyHost, bound: Vec<Vec<Bound>>) {
        for (ours, bound) in self.layers.iter_mut().zip(bound) {
            let theirs = first.layers.iter().enumerate().find(|(_, it)| it.layer.name() == ours.layer.name());
            let Some((number, theirs)) = theirs else { continue };
            let like = |policy: &LoadedPolicy| theirs.set.policies().iter().position(|it| policy.answers_like(it));
            let answers: Vec<_> = ours.set.policies().iter().map(like).collect();
            let rest = bound.into_iter().zip(&answers).filter(|(_, known)| known.is_none()).map(|(bound, _)| bound);
            let rest = PolicySet::load_for_now(host, rest);
            ours.shared = Some(SharedPolicies { first: (theirs.layer, number), answers, rest });
        }
    }

    /// Judges packages on the calling thread. Returns what came of them in their order, and what the policies of each layer
    /// said. `known` is what those of the other configuration have said.
    fn judge(&self, subjects: &[&Subject], known: &[Answers], context: Context) -> (Vec<Opinion>, Vec<Answers>) {
        let mut opinions: Vec<Opinion> = subjects.iter().map(|subject| self.admit(subject)).collect();
        let mut said = Vec::new();
        for layer in &self.layers {
            let answers = layer.ask(subjects, &opinions, known, context);
            for ((subject, opinion), evaluated) in subjects.iter().zip(&mut opinions).zip(&answers) {
                let (Opinion::Ruled(policies), Some(evaluated)) = (opinion, evaluated) else { continue };
                let registry_trusted = layer.layer.waives_from(subject.registry.as_ref());
                let occasion = Occasion { subject, registry_trusted, seconds: context.evaluated_at };
                let in_force = InForce::on(occasion, layer.layer.exceptions());
                let waived =
                    |policy: &Evaluated| in_force.waive(policy.clone(), |number| layer.layer.exception_place(number));
                policies.extend(evaluated.iter().map(waived));
            }
            said.push(answers);
        }
        (opinions, said)
    }

    /// Looks at the status of a package, as is done before any policy.
    fn admit(&self, subject: &Subject) -> Opinion {
        let stated = statements::of_document(self.config, subject).statuses();
        let admitted = decide::admit(subject.clone()).and_then(|admitted| admitted.stated(&stated));
        admitted.map_or_else(|refusal| Opinion::Refused(refusal.code()), |_| Opinion::Ruled(Vec::new()))
    }
}

impl SideLayer<'_> {
    /// Asks the policies about each package that is not refused before.
    fn ask(&self, subjects: &[&Subject], opinions: &[Opinion], known: &[Answers], context: Context) -> Answers {
        let each = subjects.iter().zip(opinions).enumerate();
        let questions = each.map(|(number, (subject, opinion))| match opinion {
            Opinion::Refused(_) => AskedOf::Nobody,
            Opinion::Ruled(_) => self.known_of(subject, number, known).map_or(AskedOf::Everybody, AskedOf::Rest),
        });
        let questions: Vec<_> = questions.collect();
        let requests = |is_meant: fn(&AskedOf<'_>) -> bool| -> Vec<Request> {
            let meant = subjects.iter().zip(&questions).filter(|(_, question)| is_meant(question));
            meant.map(|(subject, _)| told(self.layer, subject, context)).collect()
        };
        let everybody = requests(|question| matches!(question, AskedOf::Everybody));
        let mut everybody = self.set.evaluate_in_turn(&everybody).into_iter();
        let rest = requests(|question| matches!(question, AskedOf::Rest(_)));
        let rest = self.shared.as_ref().map(|shared| shared.rest.evaluate_in_turn(&rest));
        let mut rest = rest.into_iter().flatten();
        let answered = questions.iter().map(|question| match question {
            AskedOf::Nobody => None,
            AskedOf::Everybody => everybody.next(),
            AskedOf::Rest(known) => Some(self.joined(known, rest.next().unwrap_or_default())),
        });
        answered.collect()
    }

    /// What the policies of the other configuration said of a package, if these are told the same.
    fn known_of<'k>(&self, subject: &Subject, number: usize, known: &'k [Answers]) -> Option<&'k [Evaluated]> {
        let (first, layer) = self.shared.as_ref()?.first;
        let said = known.get(layer)?.get(number)?.as_deref()?;
        let told_by = |layer| policies::told_by(layer, subject, None);
        (told_by(first) == told_by(self.layer)).then_some(said)
    }

    /// All answers in the order of the policies: those that are known, and those of the rest.
    fn joined(&self, known: &[Evaluated], rest: Vec<Evaluated>) -> Vec<Evaluated> {
        let mut rest = rest.into_iter();
        let answers = self.shared.iter().flat_map(|shared| &shared.answers).zip(self.set.policies());
        let answers = answers.filter_map(|(answer, policy)| match answer {
            Some(number) => known.get(*number).map(|said| policy.answered_by(said)),
            None => rest.next(),
        });
        answers.collect()
    }
}

/// What the policies of a layer are told. No facts document is signed, so that one for a layer that goes by statements
/// ends before.
fn told(layer: &Layer, subject: &Subject, context: Context) -> Request {
    let told = policies::told_by(layer, subject, None);
    request::build(&policies::as_told(&told, subject), context, told != ToldBy::Nothing)
}

impl Opinion {
    /// The decision; no policies allow nothing.
    fn effect(&self) -> Effect {
        match self {
            Self::Refused(_) => Effect::Block,
            Self::Ruled(policies) => smcp_policy::decision(policies),
        }
    }

    /// Whether a policy had no answer in time.
    fn is_late(&self) -> bool {
        matches!(self, Self::Ruled(policies) if policies.iter().any(policies::is_late))
    }

    fn judgement(&self) -> Judgement {
        match self {
            Self::Refused(code) => Judgement::refused(code),
            Self::Ruled(policies) => Judgement::of(self.effect(), policies),
        }
    }
}
