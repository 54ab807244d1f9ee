//! The rules of a recorded decision, as far as they are still known.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::PipelineError;
use crate::Session;
use crate::layer_rules::LayerRules;
use crate::policies::prepare;
use crate::session::sets::archived;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::GuardedReader;
use smcp_decide::ToldBy;
use smcp_model::deadline::Deadline;
use smcp_model::decision::PolicyResult;
use smcp_model::decision::StatedDocument;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_model::record::DecisionRecord;
use smcp_model::record::PolicyRecord;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::OutcomeKind;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::LoadedPolicy;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::Unreadable;

/// So many different sets of rules are held at once: a log has a few, one after the other.
const HELD: usize = 16;

/// The rules of records, each loaded when a record first has it.
pub(crate) struct RulesOfTheTime<'s> {
    session: &'s Session,
    /// Whether so many records are decided that a pool is worth its making.
    is_pooled: bool,
    host: Option<PolicyHost>,
    known: HashMap<Digest, Result<Arc<KnownRules>, SafeText>>,
    order: VecDeque<Digest>,
}

impl fmt::Debug for RulesOfTheTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RulesOfTheTime").field("order", &self.order).finish_non_exhaustive()
    }
}

/// The rules of one record.
#[derive(Debug)]
pub(crate) struct KnownRules {
    layers: Vec<(LayerName, bool, PolicySet)>,
    /// Policies whose bytes could not be read at that time, by their place among all, with what came of it.
    unread: Vec<(usize, Evaluated)>,
}

impl<'s> RulesOfTheTime<'s> {
    /// For one record.
    pub(crate) fn new(session: &'s Session) -> Self {
        Self { session, is_pooled: false, host: None, known: HashMap::new(), order: VecDeque::new() }
    }

    /// For the records of a log.
    pub(crate) fn for_many(session: &'s Session) -> Self {
        Self { is_pooled: true, ..Self::new(session) }
    }

    /// Returns the host that the policies are asked in.
    fn host(&mut self) -> Result<PolicyHost, PipelineError> {
        if let Some(host) = &self.host {
            return Ok(host.clone());
        }
        let host = self.session.host()?;
        let host = if self.is_pooled { host.comparing()? } else { host.clone() };
        Ok(self.host.insert(host).clone())
    }

    /// Returns the rules of a record, or why they are not known any more.
    ///
    /// # Errors
    /// [`PipelineError::Host`] when there is no sandbox.
    pub(crate) fn of(
        &mut self,
        record: &DecisionRecord,
        progress: &mut dyn Progress,
    ) -> Result<Result<Arc<KnownRules>, SafeText>, PipelineError> {
        let key = key(record);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let host = self.host()?;
        let known = self.load(record, &host, progress)?;
        if self.order.len() >= HELD
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(key);
        self.known.insert(key, known.clone());
        Ok(known)
    }

    fn load(
        &self,
        record: &DecisionRecord,
        host: &PolicyHost,
        progress: &mut dyn Progress,
    ) -> Result<Result<Arc<KnownRules>, SafeText>, PipelineError> {
        // Policies of one layer, and whether it believed the registry.
        let mut layers: Vec<(LayerName, bool, Vec<Bound>)> = Vec::new();
        let (mut unread, mut doubtful) = (Vec::new(), Vec::new());
        for (place, policy) in record.policies.iter().enumerate() {
            let spec = bounded(policy.spec());
            let component = match (policy.digest, policy.mode) {
                (None, Mode::Disabled) => Err(Unreadable::Disabled),
                // A built-in one has its digest when it is disabled, too.
                (Some(digest), Mode::Disabled | Mode::Strict | Mode::Warn) => {
                    let component = self.component(&spec, digest, record).unwrap_or_else(|| {
                        doubtful.push((place, digest));
                        compiled_once(digest)
                    });
                    Ok(component.signed(policy.signer.clone()))
                }
                (None, Mode::Strict | Mode::Warn) => {
                    let Some(result) = result_of(record, policy) else { return Ok(Err(unsaid(policy))) };
                    unread.push((place, carried(spec.clone(), result)));
                    Err(Unreadable::Disabled)
                }
            };
            let bound = match Bound::new(spec, component) {
                Ok(bound) => bound,
                Err(mismatch) => return Ok(Err(SafeText::one_line(&mismatch.to_string()))),
            };
            match layers.last_mut() {
                Some((layer, _, policies)) if *layer == policy.layer => policies.push(bound),
                Some(_) | None => layers.push((policy.layer, policy.facts_believed, vec![bound])),
            }
        }
        let all = layers.iter().flat_map(|(.., policies)| policies);
        let _ahead = prepare(host, all, &Deadline::none(), progress)?;
        let loaded = layers
            .into_iter()
            .map(|(layer, believed, policies)| (layer, believed, PolicySet::load_for_now(host, policies)));
        let layers: Vec<_> = loaded.collect();
        let faults: Vec<_> = layers.iter().flat_map(|(.., set)| set.policies()).map(LoadedPolicy::fault).collect();
        let is_gone =
            |place: usize| faults.get(place).is_some_and(|it| it.is_some_and(|it| it.kind == FaultKind::Load));
        let gone = doubtful.into_iter().find(|(place, _)| is_gone(*place));
        if let Some((policy, digest)) = gone.and_then(|(place, digest)| Some((record.policies.get(place)?, digest))) {
            return Ok(Err(forgotten(policy, digest)));
        }
        Ok(Ok(Arc::new(KnownRules { layers, unread })))
    }

    /// Returns the component with a digest: a built-in one, the file that the policy had, what the cache has, or a file of
    /// the policy set that was in force.
    fn component(&self, spec: &PolicySpec, digest: Digest, record: &DecisionRecord) -> Option<Component> {
        let most = spec.limits.component_size;
        let fits = |bytes: &Vec<u8>| Digest::of(bytes) == digest;
        let in_file = || match &spec.source {
            PolicySource::BuiltIn(which) => Some(Component::built_in(*which)).filter(|it| it.digest() == digest),
            PolicySource::File(path) if path.is_absolute() => {
                let guarded = GuardedReader::default().read(path, most, Folder::Any, spec.layer.owners());
                guarded.bytes.ok().filter(fits).map(Component::new)
            }
            PolicySource::File(_) | PolicySource::Remote(_) => None,
        };
        let in_cache = || {
            // A cache that is not there is not made for this.
            authority::open_dir(self.session.config().cache_dir()?).ok()?;
            self.session.cache().ok()?.read(&digest, most).map(Component::new)
        };
        let in_set = || {
            let set = record.sets.iter().find(|set| set.layer == spec.layer)?;
            archived(self.session.system(), set.digest, digest).map(Component::new)
        };
        in_file().or_else(in_cache).or_else(in_set)
    }
}

impl KnownRules {
    /// Puts what came of policies whose bytes could not be read in the place of what comes of them now.
    pub(crate) fn put_unread(&self, evaluated: &mut [Evaluated]) {
        for (place, unread) in &self.unread {
            if let Some(policy) = evaluated.get_mut(*place) {
                *policy = unread.clone();
            }
        }
    }

    /// Returns the rules for one record, whose rules they are.
    pub(crate) fn layers<'a>(&'a self, record: &'a DecisionRecord) -> Vec<LayerRules<'a>> {
        let layers = self.layers.iter().map(|(layer, believed, set)| {
            let own = record.exceptions.iter().filter(|written| written.exception.layer == *layer);
            let places: Vec<SafeText> = own.clone().map(|written| written.at.clone()).collect();
            let stated = record.decision.statements.iter().find(|stated| stated.layer == *layer);
            let told = match (stated, believed) {
                (Some(stated), _) => ToldBy::Statement(Box::new(StatedDocument::facts(stated))),
                (None, true) if record.decision.facts.verified_by.contains(layer) => ToldBy::Verified,
                (None, true) => ToldBy::Registry,
                (None, false) if goes_by_statements(record) => ToldBy::Statement(Box::new(Facts::untrusted())),
                (None, false) => ToldBy::Nothing,
            };
            LayerRules {
                set,
                told,
                // What is recorded held for the package; its registry does not matter any more.
                registry_trusted: true,
                exceptions: own.map(|written| &written.exception).collect(),
                place_of: Box::new(move |number| places.get(number).cloned().unwrap_or_default()),
            }
        });
        layers.collect()
    }
}

/// Whether some layer of a record went by a signed statement; one beside it that was told of no facts had no statement that
/// counted, and was told all that is no fact of the registry.
fn goes_by_statements(record: &DecisionRecord) -> bool {
    !record.decision.statements.is_empty()
}

/// Returns a policy with no more than a configuration can allow it: a record may come from anybody.
fn bounded(spec: PolicySpec) -> PolicySpec {
    let most = PolicyLimits::CEILING;
    let PolicyLimits { time, memory, memories, instances, component_size, output } = spec.limits;
    let limits = PolicyLimits {
        time: time.min(most.time),
        memory: memory.min(most.memory),
        memories: memories.min(most.memories),
        instances: instances.min(most.instances),
        component_size: component_size.min(most.component_size),
        output: output.min(most.output),
    };
    PolicySpec { limits, ..spec }
}

/// Returns a component whose bytes nobody has any more: it can be asked as long as its compiled code is kept.
fn compiled_once(digest: Digest) -> Component {
    Component::known(digest, 0, Arc::new(|| Err(Unreadable::Failed("its bytes are not known any more".to_owned()))))
}

/// Returns what tells the rules of one record from those of another.
fn key(record: &DecisionRecord) -> Digest {
    let unread: Vec<_> = record.decision.policies.iter().filter(|result| result.digest.is_none()).collect();
    let sets: Vec<_> = record.sets.iter().map(|set| set.digest).collect();
    // What can't be written has no twin.
    let written = serde_json::to_vec(&(&record.policies, timeless(&unread), sets)).unwrap_or_default();
    Digest::of(&written)
}

fn timeless(results: &[&PolicyResult]) -> Vec<PolicyResult> {
    results.iter().map(|result| PolicyResult { duration_us: 0, ..PolicyResult::clone(result) }).collect()
}

fn result_of<'r>(record: &'r DecisionRecord, policy: &PolicyRecord) -> Option<&'r PolicyResult> {
    let of_it = |result: &&PolicyResult| result.layer == policy.layer && result.name == policy.name;
    record.decision.policies.iter().find(of_it).filter(|result| result.outcome == OutcomeKind::Fault)
}

/// Returns a fault of that time as it was: there were no bytes, and there are none now.
fn carried(spec: PolicySpec, result: &PolicyResult) -> Evaluated {
    let finding = result.findings.first();
    let fault = Fault {
        kind: result.fault.unwrap_or(FaultKind::Load),
        message: finding.map(|finding| finding.message.clone()).unwrap_or_default(),
        remedy: finding.and_then(|finding| finding.remedy.clone()),
        settings: Vec::new(),
    };
    Evaluated {
        on_warn: spec.on_warn.unwrap_or(OnWarn::Notify),
        spec: Arc::new(spec),
        digest: None,
        signer: result.signer.clone(),
        version: result.version.clone(),
        outcome: Outcome::Fault(fault),
        duration: Duration::ZERO,
        memory: 0,
    }
}

fn forgotten(policy: &PolicyRecord, digest: Digest) -> SafeText {
    let PolicyRecord { name, layer, source, .. } = policy;
    SafeText::one_line(&format!(
        "the component of policy `{name}` ({} layer, {source}) with the digest {digest} is not known any more",
        layer.as_str()
    ))
}

fn unsaid(policy: &PolicyRecord) -> SafeText {
    let PolicyRecord { name, layer, .. } = policy;
    SafeText::new(&format!("the record does not say what came of policy `{name}` ({} layer)", layer.as_str()))
}
