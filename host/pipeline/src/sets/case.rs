//! One set that a layer names: what came of it, or the last good one instead.

use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::remote::Eagerness;
use crate::remote::KeptSet;
use crate::remote::SetQuestion;
use crate::remote::SetServer;
use crate::session::sets::SetMemory;
use crate::sets::NotedSet;
use crate::sets::archive::ArrivedSet;
use crate::sets::archive::Components;
use crate::sets::archive::SetDemands;
use crate::sets::error::SetError;
use crate::sets::error::SetProblem;
use crate::sets::seen::SeenSet;
use smcp_config::Layer;
use smcp_config::set::PolicySetFacts;
use smcp_config::set::SetReference;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::limits::oci;
use smcp_model::policy::LayerName;
use smcp_model::source::RemoteAddress;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureForm;

/// A set that a layer names, and what is known of it.
pub(super) struct SetCase<'a> {
    pub(super) parent: &'a Layer,
    pub(super) name: LayerName,
    pub(super) reference: &'a SetReference,
    /// Who must have signed it; `None` when nobody need to have.
    pub(super) rule: Option<&'a LoadedRule>,
    pub(super) seen: Option<&'a SeenSet>,
    /// Seconds since the Unix epoch.
    pub(super) now: u64,
    /// What the clock says, which may be before `now`.
    pub(super) clock: u64,
    pub(super) eagerness: Eagerness,
}

/// What of a set counts.
pub(super) struct SettledSet {
    pub(super) layer: Layer,
    pub(super) notice: Option<Notice>,
    pub(super) change: Option<NotedSet>,
    /// The archive of a set of which no copy is made.
    pub(super) unkept: Option<Arc<Vec<u8>>>,
}

impl SetCase<'_> {
    /// Decides which set counts when it is elsewhere: the copy while it is good and young, else what is there now.
    pub(super) fn ask(
        &self,
        address: &RemoteAddress,
        forms: &[SignatureForm],
        memory: &SetMemory,
        server: &dyn SetServer,
        deadline: &Deadline,
    ) -> Result<SettledSet, Box<SetError>> {
        let kept = self.seen.and_then(|seen| Some((seen, memory.copy(seen.digest).ok()?)));
        let good = kept.as_ref().and_then(|(seen, kept)| self.open(kept, seen.looked_at).ok());
        let is_good = good.is_some();
        if let (Some(layer), true) = (good, self.is_young()) {
            return Ok(SettledSet { layer, notice: None, change: None, unkept: None });
        }
        let patience = match (self.eagerness, is_good && self.ends() > self.now) {
            (Eagerness::Always, _) => *deadline,
            (Eagerness::Needed, true) => self.share(deadline, oci::REFRESH_PATIENCE),
            (Eagerness::Needed, false) => self.share(deadline, oci::PULL_PATIENCE),
        };
        // While several may sign, keys are changing: what has been signed by the next one is wanted before the last one goes.
        let is_settled = self.reference.signed_by.as_ref().is_none_or(|rule| rule.demands().len() == 1);
        let is_enough = is_good && is_settled && self.eagerness == Eagerness::Needed;
        let kept = kept.as_ref().map(|(_, set)| KeptSet { set, is_enough });
        let question = SetQuestion { address, layer: self.parent.name(), forms, kept, deadline: &patience };
        self.judge(server.ask(&question).map_err(SetProblem::from), memory)
    }

    /// Whether the copy need not be asked for again: it is young, or the digest of its manifest fixes it.
    fn is_young(&self) -> bool {
        let Some(seen) = self.seen else { return false };
        if self.is_fixed() {
            return true;
        }
        let age = self.now.checked_sub(seen.looked_at).map(Duration::from_secs);
        let is_known = self.ahead(seen) <= limits::CLOCK_SLACK.as_secs();
        self.eagerness == Eagerness::Needed && is_known && age.is_some_and(|age| age < self.reference.refresh)
    }

    /// By how many seconds the last look is later than the clock. Then its age is not known: one of the two is wrong.
    const fn ahead(&self, seen: &SeenSet) -> u64 {
        seen.looked_at.saturating_sub(self.clock)
    }

    /// The part of a start's time that the source has. A user, who may give a start any time, must not have the sets of others
    /// grow old by that.
    fn share(&self, deadline: &Deadline, limit: Duration) -> Deadline {
        let share = deadline.share(limit);
        if self.name == LayerName::UserSet { share } else { share.at_least(oci::REFRESH_PATIENCE) }
    }

    /// Whether only one set can be meant, by the digest of its manifest.
    const fn is_fixed(&self) -> bool {
        self.reference.source.digest().is_some()
    }

    /// When the last good set is too old to stay in force, in seconds since the Unix epoch.
    fn ends(&self) -> u64 {
        match self.seen {
            Some(_) if self.is_fixed() => u64::MAX,
            // Beyond what a time server corrects, it could have any age.
            Some(seen) if self.ahead(seen) > limits::CLOCK_TOLERANCE.as_secs() => 0,
            Some(seen) => seen.looked_at.saturating_add(self.reference.max_age.as_secs()),
            None => 0,
        }
    }

    /// Decides which set counts: the one that came, if it is right, or else the last good one.
    pub(super) fn judge(
        &self,
        arrived: Result<ArrivedSet, SetProblem>,
        memory: &SetMemory,
    ) -> Result<SettledSet, Box<SetError>> {
        let came = arrived.and_then(|arrived| Ok((self.open(&arrived, self.now)?, arrived)));
        let (layer, arrived) = match came {
            Ok(came) => came,
            Err(problem) => return self.last_good(problem, memory),
        };
        let change = layer.set().and_then(|facts| self.change(facts, &arrived, memory));
        Ok(SettledSet { layer, notice: None, change, unkept: None })
    }

    /// Checks the whole of a set, and that it is no older than what was seen. A good one was found at its source when
    /// `looked_at` says.
    fn open(&self, arrived: &ArrivedSet, looked_at: u64) -> Result<Layer, SetProblem> {
        // What was seen was found good then; its digest says that it is the same.
        let is_known = self.seen.is_some_and(|seen| seen.digest == arrived.digest());
        let components = if is_known { Components::AreKnown } else { Components::AreNew };
        let source = &self.reference.source;
        let admitted = arrived.admit(&SetDemands { source, rule: self.rule, now: self.now })?;
        let looked_at = (!self.is_fixed()).then_some(looked_at);
        let layer = admitted.read(source, looked_at, self.parent, self.name, components)?;
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
            if version == seen.version && facts.arrival.digest != seen.digest {
                return Err(SetProblem::Changed { version });
            }
        }
        if facts.expires <= self.now {
            return Err(SetProblem::Expired { version, expires: facts.expires });
        }
        Ok(())
    }

    /// Returns what to remember; `None` when nothing is new, and the last look was not long ago.
    fn change(&self, facts: &PolicySetFacts, arrived: &ArrivedSet, memory: &SetMemory) -> Option<NotedSet> {
        let (bytes, digest) = (arrived.bytes(), arrived.digest());
        // A copy that is damaged is replaced.
        let archive = memory.copy(digest).is_err().then(|| bytes.clone());
        let proof = arrived.proof().needed(bytes, digest, self.rule, self.now).text();
        let proof = proof.filter(|proof| memory.proof(digest).text().as_ref() != Some(proof));
        let noted_every = match self.reference.source {
            SetSource::File(_) => self.reference.refresh.min(self.reference.max_age / 2).as_secs(),
            // It was asked for, which the next start has to know.
            SetSource::Remote(_) => 0,
        };
        let is_recent = |seen: &SeenSet| seen.digest == digest && self.now.saturating_sub(seen.looked_at) < noted_every;
        if archive.is_none() && proof.is_none() && self.seen.is_some_and(is_recent) {
            return None;
        }
        let seen = SeenSet {
            layer: self.name,
            source: self.reference.source.to_string(),
            version: facts.version,
            digest,
            looked_at: self.now,
        };
        Some(NotedSet { seen, archive, proof })
    }

    /// Returns the last good set in place of one that has a problem. Whoever asks ahead wants to know of the problem.
    fn last_good(&self, problem: SetProblem, memory: &SetMemory) -> Result<SettledSet, Box<SetError>> {
        let Some(seen) = self.seen else {
            return Err(self.error(problem, memory.lost().map(|notice| notice.message.to_string()), true));
        };
        let ends = self.ends();
        let why_not = |why: String| format!("version {} was the last good one, but {why}", seen.version);
        if ends <= self.now {
            let limit = humantime::format_duration(self.reference.max_age);
            let why = match self.ahead(seen) {
                0 => format!("more than {limit} ago"),
                _ => "which is later than the clock says, so how old it is can't be known".to_owned(),
            };
            let why = format!("the last look that succeeded was at {}, {why}", time::said(seen.looked_at));
            return Err(self.error(problem, Some(why_not(why)), true));
        }
        let copy = memory
            .copy(seen.digest)
            .and_then(|copy| self.open(&copy, seen.looked_at).map_err(|problem| format!("it {problem}")));
        let layer = match copy.map_err(why_not) {
            Ok(layer) => layer,
            Err(why) => return Err(self.error(problem, Some(why), true)),
        };
        let expires = layer.set().map_or(ends, |facts| facts.expires);
        let stays = format!("version {} stays in force, until {}", seen.version, time::said(ends.min(expires)));
        if self.eagerness == Eagerness::Always {
            return Err(self.error(problem, Some(stays), false));
        }
        // A notice is one line.
        let problem = problem.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
        let message = format!(
            "the policy set of the {} layer, {}, {problem}; {stays}",
            self.parent.name().as_str(),
            self.reference.source,
        );
        let notice = Notice { code: "set-last-good", message: SafeText::new(&message) };
        Ok(SettledSet { layer, notice: Some(notice), change: None, unkept: None })
    }

    fn error(&self, problem: SetProblem, last: Option<String>, is_final: bool) -> Box<SetError> {
        let source = self.reference.source.clone();
        // What the clock has to do with it is in no notice then.
        let last = last.into_iter().chain(clock::behind(self.clock, self.now)).collect::<Vec<_>>().join("\n  ");
        let last = Some(last).filter(|last| !last.is_empty());
        Box::new(SetError { layer: self.parent.name(), source, problem, last, is_final })
    }
}
