//! What comes of deciding recorded decisions again, grouped by package.
//!
//! `pipeline` decides, and `report` shows this. However long a log is, there is one entry for each package and change.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::audit::Break;
use crate::diff::ChangedPackage;
use crate::diff::Judgement;
use crate::diff::Totals;
use crate::mode::Effect;
use crate::text::SafeText;

/// So many reasons why records can't be decided again are told apart.
const REASONS: usize = 100;

/// What came of deciding records again.
#[derive(Debug, Clone, Default)]
pub struct ReplayTally {
    /// Decisions that were made again.
    pub decided: u64,
    /// Those of them that come out otherwise.
    pub changed: u64,
    /// What was passed over.
    pub passed_over: PassedOver,
    /// Records that can't be decided again, by reason.
    pub undecided: BTreeMap<SafeText, u64>,
    /// What is wrong with the log.
    pub breaks: Vec<Break>,
    /// The number of further breaks.
    pub more_breaks: u64,
    /// What is unusual in the log, and no break.
    pub notes: Vec<Break>,
    /// Each change of a package, by its place in `rows`.
    changes: BTreeMap<(SafeText, String), usize>,
    /// The changes, each with the number of starts that followed.
    rows: Vec<(ChangedPackage, u64)>,
    unchanged: BTreeSet<(SafeText, Effect)>,
    /// Commands that may have gone on to a start, by the number of their first record, with the place of their change.
    open: BTreeMap<u64, usize>,
}

/// The numbers of records that there was nothing to decide about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Starts, ends and failures.
    pub events: u64,
    /// Refusals before any policy, which have no facts that policies could be asked about.
    pub before_policies: u64,
    /// Documents of other schemas.
    pub other_schemas: u64,
}

impl ReplayTally {
    /// Counts a decision that was made at the time `last`, and again now. `run` is the number of its command, where that may
    /// have gone on to a start.
    pub fn decided(&mut self, package: &SafeText, from: &Judgement, to: &Judgement, last: &SafeText, run: Option<u64>) {
        self.decided = self.decided.saturating_add(1);
        let Some(change) = ChangedPackage::between(package.clone(), from, to) else {
            // Looked up before anything is copied: most records are about the same few packages.
            let key = (package.clone(), from.effect);
            self.unchanged.insert(key);
            return;
        };
        self.changed = self.changed.saturating_add(1);
        let key = (package.clone(), change.document().to_string());
        let place = *self.changes.entry(key).or_insert(self.rows.len());
        if place == self.rows.len() {
            self.rows.push((change, 0));
        }
        let Some((known, _)) = self.rows.get_mut(place) else { return };
        known.times = Some(known.times.unwrap_or_default().saturating_add(1));
        known.last = known.last.take().max(Some(last.clone()));
        self.open.extend(run.map(|run| (run, place)));
    }

    /// Learns that a command went on after its decision: to a start, which counts for the change of that decision, or to a
    /// failure.
    pub fn went_on(&mut self, run: u64, is_start: bool) {
        let row = self.open.remove(&run).and_then(|place| self.rows.get_mut(place));
        if let Some((_, starts)) = row.filter(|_| is_start) {
            *starts = starts.saturating_add(1);
        }
    }

    /// Counts a record that can't be decided again.
    pub fn undecided(&mut self, why: SafeText) {
        let is_known = self.undecided.contains_key(&why) || self.undecided.len() < REASONS;
        let why = if is_known { why } else { SafeText::new("other reasons") };
        let count = self.undecided.entry(why).or_default();
        *count = count.saturating_add(1);
    }

    /// The number of records that can't be decided again.
    pub fn undecided_records(&self) -> u64 {
        self.undecided.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The packages whose decision changes, in their order, each with the number of starts that followed these decisions.
    pub fn changes(&self) -> impl Iterator<Item = (&ChangedPackage, u64)> {
        self.changes.values().filter_map(|place| self.rows.get(*place).map(|(change, starts)| (change, *starts)))
    }

    /// The number of packages.
    pub fn packages(&self) -> usize {
        let changed = self.changes.keys().map(|(package, _)| package);
        changed.chain(self.unchanged.iter().map(|(package, _)| package)).collect::<BTreeSet<_>>().len()
    }

    /// The counts of packages: one that was decided about in several ways counts once for each.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.unchanged.iter().for_each(|(_, effect)| totals.unchanged(*effect));
        self.rows.iter().for_each(|(change, _)| totals.changed(change));
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(effect: Effect) -> Judgement {
        Judgement { effect, refusal: None, policies: Vec::new() }
    }

    #[test]
    fn decisions_are_grouped_by_package_and_change() {
        let (pass, block) = (judgement(Effect::Pass), judgement(Effect::Block));
        let mut tally = ReplayTally::default();
        let mut decide = |package: &str, from, to, last: &str, run| {
            tally.decided(&SafeText::new(package), from, to, &SafeText::new(last), run);
        };
        decide("a/b@1", &pass, &block, "2026-01-02T00:00:00.000Z", Some(1));
        decide("a/b@1", &pass, &block, "2026-01-01T00:00:00.000Z", Some(2));
        decide("a/b@1", &pass, &pass, "2026-01-03T00:00:00.000Z", Some(3));
        decide("a/b@1", &block, &pass, "2026-01-03T00:00:00.000Z", Some(7));
        decide("a/c@1", &pass, &pass, "2026-01-03T00:00:00.000Z", None);
        decide("a/c@1", &pass, &pass, "2026-01-03T00:00:00.000Z", None);
        decide("a/c@1", &block, &pass, "2026-01-03T00:00:00.000Z", None);
        // One fails, one did not change, one is not known; none counts twice.
        for (run, is_start) in [(1, true), (2, false), (3, true), (7, true), (7, true), (99, true)] {
            tally.went_on(run, is_start);
        }
        assert!(tally.open.is_empty(), "nothing is kept of what went on");
        let changes: Vec<_> = tally
            .changes()
            .map(|(it, starts)| (it.package.as_str(), it.times, it.last.as_ref().unwrap().as_str(), starts))
            .collect();
        assert_eq!(
            changes,
            [
                ("a/b@1", Some(1), "2026-01-03T00:00:00.000Z", 1),
                ("a/b@1", Some(2), "2026-01-02T00:00:00.000Z", 1),
                ("a/c@1", Some(1), "2026-01-03T00:00:00.000Z", 0),
            ]
        );
        assert_eq!((tally.decided, tally.changed, tally.packages(), tally.totals().packages()), (7, 4, 2, 5));
    }

    #[test]
    fn reasons_are_bounded() {
        let mut tally = ReplayTally::default();
        (0..1000).for_each(|number| tally.undecided(SafeText::new(&number.to_string())));
        assert_eq!((tally.undecided.len(), tally.undecided_records()), (REASONS + 1, 1000));
    }
}
