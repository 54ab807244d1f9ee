//! Decides recorded decisions again.
//!
//! By the policies of that time, or by another configuration. Facts, time and `--trust` are those of the record. No registry is asked, and nothing is recorded. What is made again is a
//! whole record, so that it can be held against the one that was written.

pub(crate) mod known;

use std::sync::Arc;

use crate::Judged;
use crate::PipelineError;
use crate::Session;
use crate::layer_rules::LayerRules;
use crate::offline::FACTS_FROM_CACHE;
use crate::policies;
use crate::recorder::body;
use crate::remote::FETCHED_EACH_TIME;
use crate::remote::NOT_REFRESHED;
use crate::replay::known::KnownRules;
use crate::replay::known::RulesOfTheTime;
use crate::session::COMPILED_EACH_TIME;
use smcp_config::Config;
use smcp_config::choice::Strictness;
use smcp_decide as decide;
use smcp_decide::Conclusion;
use smcp_decide::Notice;
use smcp_decide::Ruling;
use smcp_decide::StatedStatus;
use smcp_model::deadline::Deadline;
use smcp_model::decision::CodedMessage;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::StatedDocument;
use smcp_model::decision::exit_for;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::Judgement;
use smcp_model::exit::ExitKind;
use smcp_model::facts::Status;
use smcp_model::mode::Effect;
use smcp_model::policy::LayerName;
use smcp_model::progress::Progress;
use smcp_model::record::DecisionRecord;
use smcp_model::record::PolicyRecord;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_policy::PolicySet;

/// A recorded decision, made again.
#[derive(Debug)]
pub enum Replayed {
    /// The record as it would be now.
    Decided(Box<DecisionRecord>),
    /// It was refused before any policy, for a reason that no record holds: its bytes, its identity, its signature.
    BeforePolicies,
    /// It can't be made again, for this reason.
    Undecided(SafeText),
}

/// Whether a record has nothing that could be decided again: it was refused before any policy, and not by its status.
pub fn is_before_policies(record: &DecisionRecord) -> bool {
    record.request.context.is_none() && decide::admit(record.request.subject.clone()).is_ok()
}

/// Decides records again.
#[derive(Debug)]
pub struct Replayer<'s> {
    rules: RulesInUse<'s>,
}

/// The rules by which records are decided again.
#[derive(Debug)]
enum RulesInUse<'s> {
    /// Those of each record.
    OfTheTime(Box<RulesOfTheTime<'s>>),
    /// Those of a configuration.
    Of(&'s Session, Vec<PolicySet>),
}

impl<'s> Replayer<'s> {
    /// Decides by the policies of the time of each record, as far as `session` still knows their bytes.
    pub fn of_the_time(session: &'s Session) -> Self {
        Self { rules: RulesInUse::OfTheTime(Box::new(RulesOfTheTime::for_many(session))) }
    }

    /// Decides by another configuration.
    ///
    /// # Errors
    /// Those of loading its policies.
    pub fn with(session: &'s Session, progress: &mut dyn Progress) -> Result<Self, PipelineError> {
        let deadline = Deadline::none();
        let (bound, host) = (policies::bind(session, &deadline)?, session.host()?.comparing()?);
        let sets = policies::load_bound(&host, bound, &deadline, progress)?;
        Ok(Self { rules: RulesInUse::Of(session, sets) })
    }

    /// The policies of the other configuration that can't be called, each with the reason: what they say of every record.
    pub fn broken(&self) -> Vec<String> {
        match &self.rules {
            RulesInUse::Of(_, sets) => policies::broken(sets.iter(), "CONFIG"),
            RulesInUse::OfTheTime(_) => Vec::new(),
        }
    }

    /// Decides records again, in their order.
    ///
    /// # Errors
    /// [`PipelineError::Host`] when there is no sandbox.
    pub fn again(
        &mut self,
        records: &[DecisionRecord],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Replayed>, PipelineError> {
        match &mut self.rules {
            RulesInUse::Of(session, sets) => {
                let trials = records.iter().map(|record| Trial::by(session.config(), sets, record));
                Ok(settle(trials.collect(), Some(session.config())))
            }
            RulesInUse::OfTheTime(rules) => {
                let known: Vec<_> =
                    records.iter().map(|record| rules.of(record, progress)).collect::<Result<_, PipelineError>>()?;
                let trials = records.iter().zip(&known).map(|(record, known)| Trial::of_the_time(record, known));
                Ok(settle(trials.collect(), None))
            }
        }
    }
}

/// One record, with the rules for it.
enum Trial<'a> {
    /// The policies are asked.
    Open(Box<OpenTrial<'a>>),
    /// Nothing need be asked any more.
    Settled(Replayed),
}

struct OpenTrial<'a> {
    record: &'a DecisionRecord,
    context: Context,
    layers: Vec<LayerRules<'a>>,
    /// Its own rules, where it is decided by these.
    known: Option<&'a KnownRules>,
}

impl<'a> Trial<'a> {
    /// By a configuration.
    fn by(config: &'a Config, sets: &'a [PolicySet], record: &'a DecisionRecord) -> Self {
        let subject = &record.request.subject;
        let statements = &record.decision.statements;
        let layers = config.layers().iter();
        let stated = layers.clone().filter_map(|layer| {
            let rule = subject.registry.as_ref().and_then(|registry| layer.statement_rule(registry));
            rule.map(|_| stated_status(layer.name(), statements))
        });
        let required = config.confinement() == Strictness::Required;
        Self::admitted(record, &stated.collect::<Vec<_>>(), required, |context| OpenTrial {
            record,
            context,
            layers: layers
                .zip(sets)
                .map(|(layer, set)| LayerRules::of_layer(layer, set, subject, statements))
                .collect(),
            known: None,
        })
    }

    /// By the rules of its own time.
    fn of_the_time(record: &'a DecisionRecord, known: &'a Result<Arc<KnownRules>, SafeText>) -> Self {
        let known = match known {
            Ok(known) => known,
            Err(why) => return Self::Settled(Replayed::Undecided(why.clone())),
        };
        Self::admitted(record, &[], false, |context| OpenTrial {
            record,
            context,
            layers: known.layers(record),
            known: Some(known),
        })
    }

    /// Admits the package by its status, and by how far its server was confined where that is `required`, as ever before
    /// any policy is asked.
    fn admitted(
        record: &'a DecisionRecord,
        stated: &[StatedStatus],
        required: bool,
        open: impl FnOnce(Context) -> OpenTrial<'a>,
    ) -> Self {
        let subject = &record.request.subject;
        let admitted = decide::admit(subject.clone()).and_then(|admitted| admitted.stated(stated));
        let admitted = admitted.and_then(|admitted| match &subject.confinement {
            Some(confinement) => admitted.confined(confinement, required),
            None => Ok(admitted),
        });
        match (admitted, &record.request.context) {
            (Err(refusal), _) => Self::Settled(Replayed::Decided(Box::new(refused(record, &refusal)))),
            (Ok(_), None) => Self::Settled(Replayed::BeforePolicies),
            (Ok(_), Some(context)) => Self::Open(Box::new(open(context.context()))),
        }
    }
}

/// Returns what the recorded statements say of the status to a layer.
fn stated_status(layer: LayerName, statements: &[StatedDocument]) -> StatedStatus {
    let own = statements.iter().find(|stated| stated.layer == layer);
    let status = own.and_then(|stated| stated.status.as_ref()).map(|word| Status::from_word(word.as_str()));
    StatedStatus { layer, status: status.ok_or_else(|| SafeText::new("the record has no signed statement for it")) }
}

/// Returns the record of a package that is refused before any policy.
fn refused(record: &DecisionRecord, refusal: &decide::Refusal) -> DecisionRecord {
    if let Some(known) = &record.decision.refusal
        && known.code == refusal.code()
    {
        return record.clone();
    }
    let subject = &record.request.subject;
    let message = refusal.to_string();
    let conclusion = Conclusion::Refused { code: refusal.code(), message: &message };
    DecisionRecord {
        package: record.package.clone(),
        consent: None,
        decision: decide::document(subject, conclusion, &[], ExitKind::Refused),
        request: record.request.clone(),
        policies: Vec::new(),
        exceptions: Vec::new(),
        sets: Vec::new(),
    }
}

/// Asks all policies, those of one layer about all records at once, and makes the records. `config` is the one that they are
/// decided by; `None` stands for their own rules.
fn settle(trials: Vec<Trial<'_>>, config: Option<&Config>) -> Vec<Replayed> {
    let open: Vec<&OpenTrial<'_>> = trials.iter().filter_map(Trial::open).collect();
    let mut evaluated: Vec<Vec<Evaluated>> = open.iter().map(|_| Vec::new()).collect();
    let deepest = open.iter().map(|trial| trial.layers.len()).max().unwrap_or_default();
    for layer in 0..deepest {
        // Records that follow one another mostly have the same rules.
        let mut from = 0;
        for part in open.chunk_by(|one, next| same_set(one, next, layer)) {
            let to = from + part.len();
            let asked = part.iter().filter_map(|trial| {
                let rules = trial.layers.get(layer)?;
                Some(rules.request(&rules.told(&trial.record.request.subject), trial.context))
            });
            let requests: Vec<Request> = asked.collect();
            let set = part.first().and_then(|trial| trial.layers.get(layer)).map(|rules| rules.set);
            let answers = set.map_or_else(Vec::new, |set| set.evaluate_each(&requests));
            for ((trial, answers), all) in part.iter().zip(answers).zip(evaluated.iter_mut().skip(from)) {
                let Some(rules) = trial.layers.get(layer) else { continue };
                let subject = rules.told(&trial.record.request.subject);
                all.extend(answers.into_iter().map(|policy| rules.waived(policy, &subject, trial.context)));
            }
            from = to;
        }
    }
    let mut evaluated = evaluated.into_iter();
    let settled = trials.into_iter().map(|trial| match trial {
        Trial::Settled(replayed) => replayed,
        Trial::Open(trial) => trial.decided(evaluated.next().unwrap_or_default(), config),
    });
    settled.collect()
}

fn same_set(one: &OpenTrial<'_>, next: &OpenTrial<'_>, layer: usize) -> bool {
    match (one.layers.get(layer), next.layers.get(layer)) {
        (Some(one), Some(next)) => std::ptr::eq(one.set, next.set),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl<'a> Trial<'a> {
    fn open(&self) -> Option<&OpenTrial<'a>> {
        match self {
            Self::Open(trial) => Some(trial),
            Self::Settled(_) => None,
        }
    }
}

impl OpenTrial<'_> {
    /// Makes the record of what the policies said.
    fn decided(&self, mut evaluated: Vec<Evaluated>, config: Option<&Config>) -> Replayed {
        self.known.iter().for_each(|known| known.put_unread(&mut evaluated));
        let late = evaluated.iter().find(|policy| policies::is_late(policy)).map(|policy| policy.name().clone());
        let ruling = match Ruling::of(evaluated) {
            Ok(ruling) => ruling,
            Err(refusal) => return Replayed::Undecided(SafeText::new(&refusal.to_string())),
        };
        let record = match config {
            Some(config) => self.by_configuration(ruling, config),
            None => self.of_its_time(ruling),
        };
        // Only where that is what the record says is it an answer.
        let (was, now) = (&self.record.decision, &record.decision);
        if let Some(policy) = late
            && ChangedPackage::between(SafeText::default(), &Judgement::of_document(was), &Judgement::of_document(now))
                .is_some()
        {
            let why = format!("policy {policy} had no answer in its time, though it was asked again");
            return Replayed::Undecided(SafeText::new(&why));
        }
        Replayed::Decided(Box::new(record))
    }

    /// What was told to be a remark of that time stays one: where the answer came from, what the registry said.
    fn of_its_time(&self, ruling: Ruling) -> DecisionRecord {
        let DecisionRecord { package, decision, request, policies, exceptions, sets, .. } = self.record;
        let ruling = ruling.by_statements(decision.statements.clone());
        let ruling = ruling.believed_by(decision.facts.believed_by.clone().unwrap_or_default());
        let ruling = ruling.verified_by(decision.facts.verified_by.clone());
        let (consent, document) = self.document(&ruling, decision.notices.clone());
        let believed = |policy: &Evaluated| {
            let recorded = policies.iter().find(|it| it.layer == policy.layer() && it.name == *policy.name());
            recorded.is_some_and(|recorded| recorded.facts_believed)
        };
        let used: Vec<_> = ruling.policies().iter().flat_map(|policy| policy.outcome.exceptions()).collect();
        DecisionRecord {
            package: package.clone(),
            consent,
            decision: document,
            request: request.clone(),
            policies: ruling.policies().iter().map(|policy| PolicyRecord::new(policy, believed(policy))).collect(),
            exceptions: exceptions.iter().filter(|exception| used.contains(exception)).cloned().collect(),
            sets: sets.clone(),
        }
    }

    fn by_configuration(&self, ruling: Ruling, config: &Config) -> DecisionRecord {
        let DecisionRecord { package, decision, request, .. } = self.record;
        let subject = &request.subject;
        let stated = decision.statements.iter().filter(|stated| {
            let rule = |registry| config.layer(stated.layer).and_then(|layer| layer.statement_rule(registry));
            subject.registry.as_ref().and_then(rule).is_some()
        });
        let ruling = ruling.by_statements(stated.cloned().collect());
        let ruling = ruling.believed_by(policies::believers(config, subject));
        let ruling = ruling.verified_by(policies::verifiers(config, subject));
        let by_rules = policies::distrust(config, subject).into_iter();
        let by_rules: Vec<Notice> = by_rules.chain(policies::low_score(config, subject, &ruling)).collect();
        let (consent, document) = self.document(&ruling, notices(&decision.notices, &by_rules));
        let judged = Judged {
            subject: subject.clone(),
            ruling,
            notices: Vec::new(),
            lifts: Vec::new(),
            stated: None,
            access: None,
        };
        DecisionRecord {
            package: package.clone(),
            consent,
            decision: document,
            request: request.clone(),
            policies: body::policies(config, &judged),
            exceptions: body::exceptions(config, &judged),
            sets: body::sets(config),
        }
    }

    fn document(&self, ruling: &Ruling, notices: Vec<CodedMessage>) -> (Option<Consent>, DecisionDocument) {
        // Who was not asked at that time can't be asked now.
        let answer = if self.context.trust { Consent::Trusted } else { Consent::NobodyToAsk };
        let consent = (ruling.effect() == Effect::Ask).then(|| self.record.consent.unwrap_or(answer));
        let exit = exit_for(ruling.effect(), consent);
        let document = decide::document(&self.record.request.subject, Conclusion::Ruled(ruling), &[], exit);
        (consent, DecisionDocument { notices, ..document })
    }
}

/// Returns the notices of a record, with those that follow from its rules replaced, in the order in which they are made.
fn notices(recorded: &[CodedMessage], by_rules: &[Notice]) -> Vec<CodedMessage> {
    let kept = recorded.iter().filter(|notice| !BY_RULES.contains(&notice.code.as_str())).cloned();
    let made = by_rules.iter().map(|it| CodedMessage { code: it.code.to_owned(), message: it.message.clone() });
    let mut notices: Vec<CodedMessage> = kept.chain(made).collect();
    notices.sort_by_key(|notice| match notice.code.as_str() {
        FACTS_FROM_CACHE => 0,
        code if code.starts_with("status-") => 1,
        "registry-untrusted" => 2,
        "score-below-warning-threshold" => 4,
        COMPILED_EACH_TIME => 5,
        FETCHED_EACH_TIME | NOT_REFRESHED => 6,
        "as-of" | "unconfigured" => 7,
        "fact-doubtful" => 8,
        _ => 3,
    });
    notices
}

/// The notices that follow from the rules.
const BY_RULES: [&str; 2] = ["registry-untrusted", "score-below-warning-threshold"];
