//! Policy sets: gets each that a layer names, and makes a layer of it.
//!
//! `config` comes before: it has read the files of the layers, and knows which of them name a set. Everything after it
//! sees the set as one more layer. A set that is not right never replaces the last good one, and without a good one
//! nothing starts (spec section 11).

pub(crate) mod archive;
mod build;
mod error;
pub(crate) mod seen;

pub use crate::sets::archive::PackedSet;
pub use crate::sets::archive::read_packed;
pub use crate::sets::build::BuildSetError;
pub use crate::sets::build::build_set;
pub use crate::sets::error::SetError;
pub use crate::sets::error::SetProblem;

use std::path::PathBuf;

use crate::PipelineError;
use crate::System;
use crate::clock;
use crate::session::sets::SetMemory;
use crate::session::sets::fetch;
use crate::sets::archive::ArrivedSet;
use crate::sets::archive::Components;
use crate::sets::seen::SeenDocument;
use crate::sets::seen::SeenSet;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_config::choice::OnSuspect;
use smcp_config::set::PolicySetFacts;
use smcp_config::set::SetReference;
use smcp_decide::Notice;
use smcp_model::limits;
use smcp_model::policy::LayerName;
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

/// Gets every set that the configuration names, checks the whole of it, and adds its layer to the configuration.
///
/// # Errors
/// [`PipelineError::Set`] when a set can't be had or is not right, and there is no last good one;
/// [`PipelineError::UntrustedSet`] when another user could have written it, and the configuration refuses that.
pub fn add_sets(config: &mut Config, system: &System) -> Result<SetsInForce, PipelineError> {
    let named = config.named_sets().map(|(parent, name, set)| (parent.clone(), name, set.clone()));
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Ok(SetsInForce::default());
    }
    let refuses = config.on_suspect() == OnSuspect::Refuse;
    let (mut memory, suspects) = SetMemory::open(system);
    let mut found = SetsInForce { notices: Vec::new(), suspects };
    found.notices.extend(memory.lost());
    let (now, behind) = moment(system, memory.seen().time);
    found.notices.extend(behind);
    let mut changes = Vec::new();
    for (parent, name, reference) in &named {
        let (arrived, suspects) = fetch(&reference.source, name.owners());
        found.suspects.extend(suspects);
        if let (true, Some(suspect)) = (refuses, found.suspects.first()) {
            return Err(PipelineError::UntrustedSet { layer: *name, suspect: suspect.clone() });
        }
        let case = SetCase { parent, name: *name, reference, seen: memory.seen().of(*name, &reference.source), now };
        let settled = case.settle(arrived, &memory)?;
        config.add_set(settled.layer);
        found.notices.extend(settled.notice);
        changes.extend(settled.change);
    }
    // What could not be kept is looked at again by the next start; that it is not kept has to be known.
    found.notices.extend(memory.note(changes, now, system.now()));
    Ok(found)
}

/// Returns the time that counts, which is not before that of the last look, and a notice when the clock says less.
fn moment(system: &System, seen: u64) -> (u64, Option<Notice>) {
    let clock = system.now();
    let now = clock.max(clock::built_at()).max(seen);
    let behind = seen.saturating_sub(clock);
    let said = |seconds| time::utc_of(seconds).unwrap_or_else(|| format!("{seconds} s after 1970"));
    let notice = (behind > limits::CLOCK_SLACK.as_secs()).then(|| Notice {
        code: "clock-behind",
        message: SafeText::new(&format!(
            "the clock says {}, and a policy set was looked at already at {}, which counts as now; if the clock was wrong \
             then, remove ~/.mcp/seen.json",
            said(clock),
            said(seen)
        )),
    });
    (now, notice)
}

/// A set that a layer names, and what is known of it.
struct SetCase<'a> {
    parent: &'a Layer,
    name: LayerName,
    reference: &'a SetReference,
    seen: Option<&'a SeenSet>,
    /// Seconds since the Unix epoch.
    now: u64,
}

/// What of a set counts.
struct SettledSet {
    layer: Layer,
    notice: Option<Notice>,
    change: Option<NotedSet>,
}

/// What to remember of a set.
pub(crate) struct NotedSet {
    pub(crate) seen: SeenSet,
    /// The archive, unless it was kept before.
    pub(crate) archive: Option<Vec<u8>>,
}

impl SetCase<'_> {
    /// Decides which set counts: the one that came, if it is right, or else the last good one.
    fn settle(&self, arrived: Result<ArrivedSet, SetProblem>, memory: &SetMemory) -> Result<SettledSet, SetError> {
        let came = arrived.and_then(|arrived| Ok((self.open(&arrived)?, arrived)));
        let (layer, arrived) = match came {
            Ok(came) => came,
            Err(problem) => return self.last_good(problem, memory),
        };
        let change = layer.set().and_then(|facts| self.change(facts, arrived, memory));
        Ok(SettledSet { layer, notice: None, change })
    }

    /// Checks the whole of a set, and that it is no older than what was seen.
    fn open(&self, arrived: &ArrivedSet) -> Result<Layer, SetProblem> {
        // What was seen was found good then; its digest says that it is the same.
        let is_known = self.seen.is_some_and(|seen| seen.digest == arrived.digest());
        let components = if is_known { Components::AreKnown } else { Components::AreNew };
        let admitted = arrived.admit(self.reference)?;
        let layer = admitted.read(&self.reference.source, self.parent, self.name, components)?;
        layer.set().map_or(Ok(()), |facts| self.accept(facts))?;
        Ok(layer)
    }

    fn accept(&self, facts: &PolicySetFacts) -> Result<(), SetProblem> {
        let (version, minimum) = (facts.version, self.reference.minimum);
        if version < minimum {
            return Err(SetProblem::TooOld { version, minimum });
        }
        if let Some(seen) = self.seen {
            if version < seen.version {
                return Err(SetProblem::Rollback { version, seen: seen.version });
            }
            if version == seen.version && facts.digest != seen.digest {
                return Err(SetProblem::Changed { version });
            }
        }
        if facts.expires <= self.now {
            return Err(SetProblem::Expired { version, expires: facts.expires });
        }
        Ok(())
    }

    /// Returns what to remember; `None` when nothing is new, and the last look was not long ago.
    fn change(&self, facts: &PolicySetFacts, arrived: ArrivedSet, memory: &SetMemory) -> Option<NotedSet> {
        let digest = facts.digest;
        let archive = (!memory.has_copy(digest)).then(|| arrived.into_bytes());
        let noted_every = self.reference.refresh.min(self.reference.max_age / 2).as_secs();
        let is_recent = |seen: &SeenSet| seen.digest == digest && self.now.saturating_sub(seen.looked_at) < noted_every;
        if archive.is_none() && self.seen.is_some_and(is_recent) {
            return None;
        }
        let seen = SeenSet {
            layer: self.name,
            source: self.reference.source.clone(),
            version: facts.version,
            digest,
            looked_at: self.now,
        };
        Some(NotedSet { seen, archive })
    }

    /// Returns the last good set in place of one that has a problem.
    fn last_good(&self, problem: SetProblem, memory: &SetMemory) -> Result<SettledSet, SetError> {
        let Some(seen) = self.seen else {
            return Err(self.error(problem, memory.lost().map(|notice| notice.message.to_string())));
        };
        let ends = seen.looked_at.saturating_add(self.reference.max_age.as_secs());
        let why_not = |why: String| format!("version {} was the last good one, but {why}", seen.version);
        let said = |seconds| time::utc_of(seconds).unwrap_or_else(|| format!("{seconds} s after 1970"));
        if ends <= self.now {
            let limit = humantime::format_duration(self.reference.max_age);
            let why = format!("the last look that succeeded was at {}, more than {limit} ago", said(seen.looked_at));
            return Err(self.error(problem, Some(why_not(why))));
        }
        let copy =
            memory.copy(seen.digest).and_then(|copy| self.open(&copy).map_err(|problem| format!("it {problem}")));
        let layer = copy.map_err(why_not);
        let layer = match layer {
            Ok(layer) => layer,
            Err(why) => return Err(self.error(problem, Some(why))),
        };
        let expires = layer.set().map_or(ends, |facts| facts.expires);
        let message = format!(
            "the policy set of the {} layer, {}, {problem}; version {} stays in force, until {}",
            self.parent.name().as_str(),
            self.reference.source.display(),
            seen.version,
            said(ends.min(expires))
        );
        let notice = Notice { code: "set-last-good", message: SafeText::new(&message) };
        Ok(SettledSet { layer, notice: Some(notice), change: None })
    }

    fn error(&self, problem: SetProblem, last: Option<String>) -> SetError {
        SetError { layer: self.parent.name(), source: PathBuf::clone(&self.reference.source), problem, last }
    }
}

impl SeenDocument {
    /// Returns what was seen of a set: of the same source, named by the same layer.
    fn of(&self, layer: LayerName, source: &std::path::Path) -> Option<&SeenSet> {
        self.sets.iter().find(|seen| seen.layer == layer && seen.source == source)
    }
}

#[cfg(test)]
mod tests;
