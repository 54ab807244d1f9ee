//! The smallest change of a package's facts to which policies would not object.
//!
//! It is found by asking them again, so it holds for every policy, and is bounded by a number of questions. Before it there
//! is a ruling; after it `report` shows what was found. Nothing here knows what a policy does.

mod fact;
mod longest;

pub use fact::Fact;
pub use fact::Hints;

use std::collections::BTreeMap;

use serde_json::Value;

use smcp_model::request::Subject;

/// How many facts are changed at most, one after the other.
const STEPS: usize = 8;
/// So many packages are made and asked about at once.
const AT_ONCE: usize = 16;
/// So many items of lists are made at once, unless one list has more: they are in memory, and take time.
const ITEMS_AT_ONCE: usize = 200_000;

/// One fact that would have to be another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherFact {
    /// The fact.
    pub fact: Fact,
    /// What it is; `None` is unknown.
    pub from: Option<Value>,
    /// What it would have to be.
    pub to: Value,
}

/// What the search for a change has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassingFacts {
    /// The change with which nothing is objected; `None` when none was found.
    pub change: Option<Vec<OtherFact>>,
    /// How many packages were asked about.
    pub asked: usize,
    /// Whether the search ended at its bound, before everything was tried.
    pub is_cut: bool,
}

/// Asks what is said of packages: how much is objected to each, none being a pass. Fewer answers than packages mean that no
/// further question is answered.
pub(crate) type Ask<'a> = dyn FnMut(&[Subject]) -> Vec<usize> + 'a;

/// Looks for the smallest change of a subject's facts with which nothing is objected, with at most `most` questions.
///
/// Every value of every single fact is tried: where one fact is enough, the result is one fact, with the value nearest to
/// the one that it has. Otherwise facts are changed one after the other as long as less is objected, or all at once; of what
/// passes then, no part can be left out, and none has a value that is nearer. Facts that are `named` are tried first.
pub fn passing(subject: &Subject, named: &[String], hints: &Hints, most: usize, ask: &mut Ask<'_>) -> PassingFacts {
    let mut search = FactSearch { subject, without_list: None, hints, named, left: most, asked: 0, is_cut: false, ask };
    let change = search.run();
    let change = change.map(|change| search.described(&change));
    PassingFacts { change, asked: search.asked, is_cut: search.is_cut }
}

/// Returns the subject with changed facts.
#[must_use]
pub fn changed(subject: &Subject, change: &[OtherFact]) -> Subject {
    let mut subject = subject.clone();
    change.iter().for_each(|change| change.fact.set(&mut subject, &change.to));
    subject
}

/// Returns `onto` with the facts in which `other` differs from `subject`.
#[must_use]
pub fn carried(subject: &Subject, other: &Subject, onto: &Subject) -> Subject {
    let mut onto = onto.clone();
    for fact in Fact::ALL {
        let value = fact.of(other);
        if let Some(value) = value.filter(|value| fact.of(subject).as_ref() != Some(value)) {
            fact.set(&mut onto, &value);
        }
    }
    onto
}

/// Puts several changes together: of two values for one fact, the one that is further from what it is.
pub fn united<'c>(subject: &Subject, hints: &Hints, changes: impl Iterator<Item = &'c OtherFact>) -> Vec<OtherFact> {
    let mut united: BTreeMap<Fact, OtherFact> = BTreeMap::new();
    for change in changes {
        let candidates = change.fact.candidates(subject, hints);
        let distance = |it: &OtherFact| candidates.iter().position(|value| *value == it.to);
        let is_further = united.get(&change.fact).is_none_or(|known| distance(known) < distance(change));
        if is_further {
            united.insert(change.fact, change.clone());
        }
    }
    united.into_values().collect()
}

/// Facts with other values.
type ChangedFacts = BTreeMap<Fact, Value>;

struct FactSearch<'s, 'a> {
    subject: &'s Subject,
    /// It without the list of which the items are tried, so that this one is not copied for each question.
    without_list: Option<Subject>,
    hints: &'s Hints,
    named: &'s [String],
    left: usize,
    asked: usize,
    is_cut: bool,
    ask: &'s mut Ask<'a>,
}

impl FactSearch<'_, '_> {
    fn run(&mut self) -> Option<ChangedFacts> {
        let mut change = ChangedFacts::new();
        let mut objections = usize::MAX;
        for _ in 0..STEPS {
            let (fact, value, left) = self.step(&change)?;
            if left >= objections && !change.is_empty() {
                break;
            }
            objections = left;
            change.insert(fact, value);
            if left == 0 {
                return Some(self.smallest(change));
            }
        }
        self.all_at_once()
    }

    /// Returns the one further fact, with its value, with which least is objected; at the first that passes, it ends.
    fn step(&mut self, change: &ChangedFacts) -> Option<(Fact, Value, usize)> {
        let mut best: Option<(Fact, Value, usize)> = None;
        for fact in self.in_order() {
            if change.contains_key(&fact) {
                continue;
            }
            if self.left == 0 {
                self.is_cut = true;
                break;
            }
            let values = fact.candidates(self.subject, self.hints);
            let with = |value: &Value| {
                let mut with = change.clone();
                with.insert(fact, value.clone());
                with
            };
            let objections = self.objections(&values.iter().map(with).collect::<Vec<_>>());
            for (value, left) in values.into_iter().zip(objections) {
                if left == 0 {
                    return Some((fact, value, 0));
                }
                if best.as_ref().is_none_or(|(_, _, least)| left < *least) {
                    best = Some((fact, value, left));
                }
            }
        }
        best
    }

    /// Tries changes of all facts, each as good as it can be, with every origin.
    fn all_at_once(&mut self) -> Option<ChangedFacts> {
        let best: ChangedFacts = Fact::ALL.into_iter().filter_map(|fact| Some((fact, fact.best()?))).collect();
        let mut all = vec![best.clone()];
        for fact in [Fact::Origin, Fact::Transport, Fact::Command] {
            for value in fact.candidates(self.subject, self.hints) {
                let mut with = best.clone();
                with.insert(fact, value);
                all.push(with);
            }
        }
        let objections = self.objections(&all);
        let found = all.into_iter().zip(objections).find(|(_, left)| *left == 0)?;
        Some(self.smallest(found.0))
    }

    /// Leaves out of a change what it can do without, and takes the nearest value for the rest.
    fn smallest(&mut self, mut change: ChangedFacts) -> ChangedFacts {
        // What nobody has named goes first.
        let order: Vec<Fact> = self.in_order().into_iter().rev().filter(|fact| change.contains_key(fact)).collect();
        for fact in &order {
            let mut without = change.clone();
            let value = without.remove(fact);
            let is_same = value == fact.of(self.subject);
            if is_same || (!without.is_empty() && self.objections(std::slice::from_ref(&without)) == [0]) {
                change = without;
            }
        }
        for fact in order.into_iter().rev() {
            let Some(value) = change.get(&fact).cloned() else { continue };
            let nearest = match value.as_array() {
                Some(_) => self.longest(&change, fact),
                None => self.nearest(&change, fact, &value),
            };
            change.extend(nearest.map(|value| (fact, value)));
        }
        change
    }

    /// Returns the value of a fact that is nearest to what it is, and passes with the rest of a change.
    fn nearest(&mut self, change: &ChangedFacts, fact: Fact, value: &Value) -> Option<Value> {
        let candidates = fact.candidates(self.subject, self.hints);
        let nearer: Vec<Value> = candidates.into_iter().take_while(|candidate| candidate != value).collect();
        let with = |value: &Value| {
            let mut with = change.clone();
            with.insert(fact, value.clone());
            with
        };
        let objections = self.objections(&nearer.iter().map(with).collect::<Vec<_>>());
        nearer.into_iter().zip(objections).find(|(_, left)| *left == 0).map(|(value, _)| value)
    }

    /// Asks what is objected to each change, up to the first that passes, and as far as there is room.
    fn objections(&mut self, changes: &[ChangedFacts]) -> Vec<usize> {
        let mut answers = Vec::new();
        while answers.len() < changes.len() && answers.last() != Some(&0) {
            let rest = changes.get(answers.len()..).unwrap_or_default();
            let part = rest.get(..rest.len().min(self.at_once()).min(self.left)).unwrap_or_default();
            let subjects = self.subjects(part);
            let answered = if subjects.is_empty() { Vec::new() } else { (self.ask)(&subjects) };
            self.asked = self.asked.saturating_add(answered.len());
            let is_over = answered.is_empty() || answered.len() < part.len();
            self.left = if is_over { 0 } else { self.left.saturating_sub(part.len()) };
            // What comes after one that passes is not needed.
            let first = answered.iter().position(|left| *left == 0);
            answers.extend(answered.into_iter().take(first.map_or(usize::MAX, |first| first + 1)));
            if is_over {
                self.is_cut |= first.is_none() && answers.len() < changes.len();
                break;
            }
        }
        answers
    }

    /// Returns how many packages are asked about at once.
    fn at_once(&self) -> usize {
        let items = self.subject.permissions.as_ref().map_or(0, |asked| {
            [&asked.network, &asked.filesystem_read, &asked.filesystem_write, &asked.environment]
                .map(Vec::len)
                .iter()
                .sum()
        });
        (ITEMS_AT_ONCE / usize::max(items, 1)).clamp(1, AT_ONCE)
    }

    /// Returns the package with each change.
    fn subjects(&self, changes: &[ChangedFacts]) -> Vec<Subject> {
        let mut unchanged = self.without_list.as_ref().unwrap_or(self.subject).clone();
        // A list that all of them replace is not copied for each.
        for fact in changes.first().iter().flat_map(|first| first.keys()) {
            if changes.iter().all(|change| change.get(fact).is_some_and(Value::is_array)) {
                fact.set(&mut unchanged, &Value::Null);
            }
        }
        let subject = |change: &ChangedFacts| {
            let mut subject = unchanged.clone();
            change.iter().for_each(|(fact, value)| fact.set(&mut subject, value));
            subject
        };
        changes.iter().map(subject).collect()
    }

    /// Returns the facts, those that a finding names first.
    fn in_order(&self) -> Vec<Fact> {
        let is_named = |fact: &Fact| {
            let name = fact.as_str();
            let whole = name.split_once('.').map_or(name, |(whole, _)| whole);
            self.named.iter().any(|named| named.replace(['-', '/'], "_") == whole || named.replace('-', "_") == name)
        };
        let (named, others): (Vec<Fact>, Vec<Fact>) = Fact::ALL.into_iter().partition(is_named);
        named.into_iter().chain(others).collect()
    }

    /// All that differs then: where one of several facts that are known together becomes known, the others do, too.
    fn described(&self, change: &ChangedFacts) -> Vec<OtherFact> {
        let mut changed = self.subject.clone();
        change.iter().for_each(|(fact, value)| fact.set(&mut changed, value));
        let described = |fact: Fact| {
            let (from, to) = (fact.of(self.subject), fact.of(&changed));
            let to = to.filter(|to| from.as_ref() != Some(to)).or_else(|| change.get(&fact).cloned())?;
            Some(OtherFact { fact, from, to })
        };
        Fact::ALL.into_iter().filter_map(described).collect()
    }
}

#[cfg(test)]
mod tests;
