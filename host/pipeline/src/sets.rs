//! Policy sets: gets each that a layer names, and makes a layer of it.
//!
//! `config` comes before: it has read the files of the layers, and knows which of them name a set. Everything after it
//! sees the set as one more layer. A set that is not right never replaces the last good one, and without a good one
//! nothing starts (spec section 11).

pub(crate) mod archive;
mod build;
mod case;
mod error;
pub(crate) mod proof;
pub(crate) mod seen;
#[cfg(test)]
mod tests;

pub use crate::sets::archive::PackedSet;
pub use crate::sets::archive::read_packed;
pub use crate::sets::build::BuildSetError;
pub use crate::sets::build::build_set;
pub use crate::sets::error::SetError;
pub use crate::sets::error::SetProblem;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::PipelineError;
use crate::Session;
use crate::SharedHost;
use crate::System;
use crate::check_clock;
use crate::clock;
use crate::remote::Eagerness;
use crate::remote::RemoteServers;
use crate::remote::SetServer;
use crate::session::documents_beside;
use crate::session::sets::SetMemory;
use crate::session::sets::read_file;
use crate::session::sets::read_rule;
use crate::session::signatures::found_beside;
use crate::sets::case::SetCase;
use crate::sets::case::SettledSet;
use crate::sets::seen::SeenSet;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_config::choice::OnSuspect;
use smcp_config::set::PolicySetFacts;
use smcp_config::set::SetReference;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::policy::LayerName;
use smcp_model::set_status::SetStatus;
use smcp_model::source::SetSource;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_model::time;

/// What became of the sets of a configuration.
#[derive(Debug, Default)]
pub struct SetsInForce {
    /// What the user should know: that a last good one is used, or that what was seen before is not known.
    pub notices: Vec<Notice>,
    /// Everything on the path to a set, or to what was seen of it, that another user could have changed.
    pub suspects: Vec<Suspect>,
}

/// A set that a layer names, and what came of asking for it.
#[derive(Debug)]
pub struct PulledSet {
    /// The layer of the set.
    pub layer: LayerName,
    /// Where it comes from.
    pub source: SetSource,
    /// What is in force now and whether it came just now, or why nothing new is.
    pub outcome: Result<(PolicySetFacts, bool), PipelineError>,
}

/// Gets every set that the configuration names, checks the whole of it, and adds its layer to the configuration. One
/// elsewhere is asked for only when what was got last is older than `refresh`, or is not good; all of that ends within
/// `patience`.
///
/// # Errors
/// [`PipelineError::Set`] when a set can't be had or is not right, and there is no last good one;
/// [`PipelineError::UntrustedSet`] when another user could have written it, and the configuration refuses that;
/// [`PipelineError::SignerFile`] when a file that its `signed_by` names can't be used.
pub fn add_sets(config: &mut Config, system: &System, patience: Duration) -> Result<SetsInForce, PipelineError> {
    if config.named_sets().next().is_none() {
        return Ok(SetsInForce::default());
    }
    let session = session_of(config, system);
    add_sets_by(config, system, &RemoteServers(&session), &Deadline::after(patience))
}

/// A session for the connections on behalf of the layers that name sets.
fn session_of(config: &Config, system: &System) -> Session {
    Session::new(config.clone(), system.clone(), SharedHost::default())
}

fn add_sets_by(
    config: &mut Config,
    system: &System,
    server: &dyn SetServer,
    deadline: &Deadline,
) -> Result<SetsInForce, PipelineError> {
    let mut round = SetRound::begin(config, system, server, Eagerness::Needed, deadline);
    let (mut layers, mut changes, mut archives, mut failed) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (parent, name, reference) in &named(config) {
        match round.settle(parent, *name, reference) {
            Ok(SettledSet { layer, notice, change, unkept }) => {
                layers.push(layer);
                round.found.notices.extend(notice);
                archives.extend(unkept.map(|archive| (*name, archive)));
                changes.extend(change.map(|change| (*name, change)));
            }
            // The others are looked at all the same: what was seen of them counts also when nothing starts.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let of_changes: Vec<_> =
        changes.iter().filter_map(|(name, change)| Some((*name, Arc::clone(change.archive.as_ref()?)))).collect();
    // What could not be kept is looked at again by the next start; that it is not kept has to be known.
    let unkept = round.note(changes.into_iter().map(|(_, change)| change).collect(), failed.is_none());
    if let Some(error) = failed {
        return Err(error);
    }
    layers.into_iter().for_each(|layer| config.add_set(layer));
    archives.extend(of_changes.into_iter().filter(|_| unkept.is_some()));
    for (name, archive) in archives {
        config.hold_archive(name, archive);
    }
    let mut found = round.found;
    found.notices.extend(unkept);
    Ok(found)
}

/// Asks for every set that the configuration names, however young what was got last is, and keeps what is good. A set that
/// is not right concerns itself alone here.
pub fn pull_sets(config: &Config, system: &System) -> (Vec<PulledSet>, SetsInForce) {
    let (session, deadline) = (session_of(config, system), Deadline::after(limits::sets::PULL_AHEAD));
    let server = RemoteServers(&session);
    let mut round = SetRound::begin(config, system, &server, Eagerness::Always, &deadline);
    let (mut pulled, mut changes) = (Vec::new(), Vec::new());
    for (parent, layer, reference) in named(config) {
        let outcome = round.settle(&parent, layer, &reference).map(|SettledSet { layer, notice, change, unkept }| {
            round.found.notices.extend(notice);
            let is_new = unkept.is_some() || change.as_ref().is_some_and(|change| change.archive.is_some());
            changes.extend(change);
            (layer, is_new)
        });
        let outcome = outcome.map(|(layer, is_new)| layer.set().cloned().map(|facts| (facts, is_new)));
        // A layer of a set has its facts.
        if let Some(outcome) = outcome.transpose() {
            pulled.push(PulledSet { layer, source: reference.source, outcome });
        }
    }
    let unkept = round.note(changes, true);
    let mut found = round.found;
    found.notices.extend(unkept);
    (pulled, found)
}

/// Returns what is to be said of the sets in force at the time `now`, in seconds since the Unix epoch.
pub fn in_force(config: &Config, now: u64) -> Vec<SetStatus> {
    let of_layer = |layer: &Layer| {
        let PolicySetFacts { arrival, version, expires, held: _, components: _ } = layer.set()?;
        Some(SetStatus {
            layer: layer.name(),
            source: SafeText::new(&arrival.source.to_string()),
            version: *version,
            expires: time::utc_of(*expires),
            digest: arrival.digest,
            signer: arrival.signer.clone(),
            looked_at: arrival.looked_at.and_then(time::utc_of),
            age: arrival.looked_at.map(|at| Duration::from_secs(now.saturating_sub(at))),
        })
    };
    config.layers().iter().filter_map(of_layer).collect()
}

/// Holds the archive of a set in a file against `signed_by` of the layer that names it, as a start would. Returns who has
/// signed it, or else what there is; `None` when nobody need to have.
///
/// # Errors
/// [`PipelineError::SignerFile`] when a file that the rule names can't be used.
pub fn check_set_signature(
    reference: &SetReference,
    layer: LayerName,
    archive: (&Path, &[u8]),
    system: &System,
) -> Result<Option<Result<SafeText, SafeText>>, PipelineError> {
    let Some(signed_by) = &reference.signed_by else { return Ok(None) };
    let ((path, bytes), rule) = (archive, read_rule(signed_by, layer.owners()).0?);
    let verified = rule.verify(bytes, &documents_beside(path, &rule.forms()), system.now());
    Ok(Some(verified.map_err(|unsigned| found_beside(path, &rule.forms(), &unsigned))))
}

/// Returns the layers that name a set, the layer of each set, and how it is named.
fn named(config: &Config) -> Vec<(Layer, LayerName, SetReference)> {
    config.named_sets().map(|(parent, name, set)| (parent.clone(), name, set.clone())).collect()
}

/// One look at all sets of a configuration.
struct SetRound<'r> {
    system: &'r System,
    server: &'r dyn SetServer,
    eagerness: Eagerness,
    deadline: &'r Deadline,
    refuses: bool,
    memory: SetMemory,
    /// Whether another user could have written what was seen.
    is_memory_suspect: bool,
    /// The time that counts, in seconds since the Unix epoch.
    now: u64,
    found: SetsInForce,
}

impl<'r> SetRound<'r> {
    fn begin(
        config: &Config,
        system: &'r System,
        server: &'r dyn SetServer,
        eagerness: Eagerness,
        deadline: &'r Deadline,
    ) -> Self {
        let refuses = config.on_suspect() == OnSuspect::Refuse;
        let (memory, suspects) = SetMemory::open(system);
        let (now, behind) = moment(system, memory.seen().time);
        let notices = memory.lost().into_iter().chain(behind).collect();
        let (is_memory_suspect, found) = (!suspects.is_empty(), SetsInForce { notices, suspects });
        Self { system, server, eagerness, deadline, refuses, memory, is_memory_suspect, now, found }
    }

    /// Gets one set. Nothing is to be remembered of one that another user could have written.
    fn settle(
        &mut self,
        parent: &Layer,
        name: LayerName,
        reference: &SetReference,
    ) -> Result<SettledSet, PipelineError> {
        let before = self.found.suspects.len();
        let mut settled = self.look(parent, name, reference)?;
        if (self.is_memory_suspect || self.found.suspects.len() > before)
            && let Some(change) = settled.change.take()
        {
            settled.unkept = change.archive;
            self.found.notices.push(unnoted(name));
        }
        Ok(settled)
    }

    fn look(&mut self, parent: &Layer, name: LayerName, reference: &SetReference) -> Result<SettledSet, PipelineError> {
        let owners = name.owners();
        let (rule, suspects) = reference.signed_by.as_ref().map(|signed_by| read_rule(signed_by, owners)).unzip();
        self.found.suspects.extend(suspects.into_iter().flatten());
        // Nothing is refused for a reason that somebody else may have made.
        self.refuse(name)?;
        let rule = rule.transpose()?;
        let forms = rule.as_ref().map_or_else(Vec::new, smcp_signature::LoadedRule::forms);
        let (seen, memory) = (self.memory.seen().of(name, &reference.source).cloned(), &self.memory);
        let (seen, rule) = (seen.as_ref(), rule.as_ref());
        let (now, clock) = (self.now, self.system.now());
        let case = SetCase { parent, name, reference, rule, seen, now, clock, eagerness: self.eagerness };
        match &reference.source {
            SetSource::File(path) => {
                let (arrived, suspects) = read_file(path, &forms, owners);
                self.found.suspects.extend(suspects);
                self.refuse(name)?;
                Ok(case.judge(arrived, memory)?)
            }
            SetSource::Remote(address) => {
                // The libraries that check certificates need a time that can be.
                check_clock(self.system)?;
                Ok(case.ask(address, &forms, memory, self.server, self.deadline)?)
            }
        }
    }

    fn refuse(&self, layer: LayerName) -> Result<(), PipelineError> {
        match self.found.suspects.first().filter(|_| self.refuses) {
            Some(suspect) => Err(PipelineError::UntrustedSet { layer, suspect: suspect.clone() }),
            None => Ok(()),
        }
    }

    /// Remembers what was seen. Nothing is written where another user could have written what is there: a new file would be
    /// the caller's own. That what was seen is lost stays so until it is said, `says_so`.
    fn note(&mut self, changes: Vec<NotedSet>, says_so: bool) -> Option<Notice> {
        if self.is_memory_suspect || (changes.is_empty() && !says_so && self.memory.lost().is_some()) {
            return None;
        }
        self.memory.note(changes, self.now, self.system.now())
    }
}

/// Returns the notice that nothing is remembered of a set that another user could have written.
fn unnoted(layer: LayerName) -> Notice {
    let message = format!(
        "nothing is remembered of the policy set of {}: another user could have written it, or what was seen",
        layer.as_str()
    );
    Notice { code: "set-not-remembered", message: SafeText::new(&message) }
}

/// Returns the time that counts, which is not before that of the last look, and a notice when the clock says less.
fn moment(system: &System, seen: u64) -> (u64, Option<Notice>) {
    let clock = system.now();
    let now = clock.max(clock::built_at()).max(seen);
    let notice =
        clock::behind(clock, seen).map(|message| Notice { code: "clock-behind", message: SafeText::new(&message) });
    (now, notice)
}

/// What to remember of a set.
pub(crate) struct NotedSet {
    pub(crate) seen: SeenSet,
    /// The archive, unless it was kept before.
    pub(crate) archive: Option<Arc<Vec<u8>>>,
    /// What proves that it counts, unless that was kept before.
    pub(crate) proof: Option<String>,
}
