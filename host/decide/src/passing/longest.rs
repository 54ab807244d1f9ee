//! The longest list that passes, of the items that a fact has.
//!
//! A list can have as many items as a manifest has room for, so they are tried in blocks: as large as the last ones that
//! passed, and by halves where something in one is objected to. Each question is about as many items as it has to be.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ChangedFacts;
use super::Fact;
use super::FactSearch;

/// So many items are looked at, at least, before those that pass are tried with the ones that are kept.
const PART: usize = 64;
/// After so many items one after the other that are objected to, those alike are looked at last: each takes a question.
const PATIENCE: usize = 16;

/// The items of a list by their places: in their own order.
type Places = BTreeSet<usize>;

/// A list of which items are left out.
struct WholeList<'a> {
    fact: Fact,
    items: &'a [Value],
    /// The rest of the change.
    change: ChangedFacts,
}

impl FactSearch<'_, '_> {
    /// Returns the list that has most of the items that the fact has, and passes with the rest of a change.
    pub(super) fn longest(&mut self, change: &ChangedFacts, fact: Fact) -> Option<Value> {
        let (now, mut change) = (fact.of(self.subject)?, change.clone());
        let passing = change.remove(&fact)?;
        let list = WholeList { fact, items: now.as_array()?, change };
        let passing = list.places(passing.as_array()?);
        let mut rest: Vec<usize> = (0..list.items.len()).filter(|place| !passing.contains(place)).collect();
        // Of items that are alike mostly all pass, or none.
        rest.sort_by_cached_key(|place| list.likeness(*place));
        let mut without_list = self.subject.clone();
        fact.set(&mut without_list, &Value::Null);
        self.without_list = Some(without_list);
        let mut kept = passing.clone();
        for patience in [PATIENCE, usize::MAX] {
            let mut later = Vec::new();
            let mut parts = rest.as_slice();
            while !parts.is_empty() {
                let (part, next) = parts.split_at(parts.len().min(kept.len().max(PART)));
                parts = next;
                let (found, seen) = self.added(&list, &passing, part, false, patience);
                later.extend_from_slice(part.get(seen..).unwrap_or_default());
                if found.is_empty() {
                    continue;
                }
                // What passes by itself mostly does with the others.
                let all: Places = kept.union(&found).copied().collect();
                match self.passes(&list, &all) {
                    Some(true) => kept = all,
                    Some(false) => {
                        let found: Vec<usize> = found.into_iter().collect();
                        let (found, _) = self.added(&list, &kept, &found, true, usize::MAX);
                        kept.extend(found);
                    }
                    None => break,
                }
            }
            rest = later;
        }
        self.without_list = None;
        Some(list.with(&kept))
    }

    /// Returns those of `rest` that pass beside others, as far as there is room: with those found before, where they are
    /// `joined`, or else without. It ends when so many as its `patience` are objected to one after the other, and returns how
    /// many it has looked at, too.
    fn added(
        &mut self,
        list: &WholeList<'_>,
        beside: &Places,
        rest: &[usize],
        joined: bool,
        patience: usize,
    ) -> (Places, usize) {
        let mut found = Places::new();
        // How many have passed without one in between that does not.
        let (mut at, mut run, mut objected) = (0, 0_usize, 0_usize);
        let mut objected_up_to = None;
        while at < rest.len() && objected < patience {
            let end = match objected_up_to {
                // It is this one.
                Some(end) if end == at + 1 => {
                    (at, run, objected, objected_up_to) = (end, 0, objected + 1, None);
                    continue;
                }
                Some(end) => usize::midpoint(at, end),
                None => rest.len().min(at + run.max(1)),
            };
            let block = rest.get(at..end).unwrap_or_default();
            let before = found.iter().filter(|_| joined);
            match self.passes(list, &beside.iter().chain(before).chain(block).copied().collect()) {
                Some(true) => {
                    found.extend(block);
                    run += end - at;
                    (at, objected) = (end, 0);
                }
                Some(false) => objected_up_to = Some(end),
                None => break,
            }
        }
        (found, at)
    }

    /// Whether nothing is objected to some of the items; `None` when no more is answered.
    fn passes(&mut self, list: &WholeList<'_>, places: &Places) -> Option<bool> {
        let mut with = list.change.clone();
        with.insert(list.fact, list.with(places));
        self.objections(std::slice::from_ref(&with)).first().map(|left| *left == 0)
    }
}

impl WholeList<'_> {
    /// Returns the list of these items.
    fn with(&self, places: &Places) -> Value {
        places.iter().filter_map(|place| self.items.get(*place).cloned()).collect()
    }

    /// Returns the places of a list's items, which are some of these, in the same order.
    fn places(&self, items: &[Value]) -> Places {
        let mut wanted = items.iter().peekable();
        let places = self.items.iter().enumerate();
        places.filter(|(_, item)| wanted.next_if_eq(item).is_some()).map(|(place, _)| place).collect()
    }

    /// Returns what an item is sorted by: of a host, its end says most; of all else, its beginning.
    fn likeness(&self, place: usize) -> String {
        let text = self.items.get(place).and_then(Value::as_str).unwrap_or_default();
        if self.fact == Fact::Network { text.chars().rev().collect() } else { text.to_owned() }
    }
}
