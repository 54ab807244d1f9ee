//! The counts of a comparison: of decisions, of policies, of codes.
//!
//! They are all that a comparison of any size keeps in memory.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use crate::diff::ChangedPackage;
use crate::diff::SCHEMA;
use crate::diff::Transition;
use crate::mode::Effect;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::text::SafeText;

/// The most codes of one policy that are counted by themselves: a policy may make up as many as it likes.
const CODES: usize = 200;
/// What stands for all others.
const OTHERS: &str = "…";

/// The counts of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    decisions: BTreeMap<(Effect, Effect), u64>,
    policies: BTreeMap<(LayerName, PolicyName), PolicyTotals>,
}

/// The counts of one policy, over the packages whose decision changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyTotals {
    effects: BTreeMap<(Effect, Effect), u64>,
    /// Each code that it objects by.
    pub codes: BTreeMap<SafeText, CodeTotals>,
}

/// The counts of one code of a policy, over the packages whose decision changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeTotals {
    /// Packages that it is found for now, and was not.
    pub gained: u64,
    /// Packages that it is found for as before, where the policy's effect is another.
    pub kept: u64,
    /// Packages that it was found for, and is not any more.
    pub lost: u64,
}

impl Totals {
    /// Counts a package whose decision is the same on both sides.
    pub fn unchanged(&mut self, effect: Effect) {
        add(self.decisions.entry((effect, effect)).or_default(), 1);
    }

    /// Counts a package whose decision changes.
    pub fn changed(&mut self, package: &ChangedPackage) {
        add(self.decisions.entry((package.from, package.to)).or_default(), 1);
        for policy in &package.policies {
            let totals = self.policies.entry((policy.layer, policy.name.clone())).or_default();
            add(totals.effects.entry(policy.effects()).or_default(), 1);
            let (before, after) = policy.codes();
            for code in after.iter().filter(|code| !before.contains(code)) {
                add(&mut totals.code(code).gained, 1);
            }
            for code in before {
                let counts = totals.code(code);
                add(if after.contains(code) { &mut counts.kept } else { &mut counts.lost }, 1);
            }
        }
    }

    /// Adds the counts of another part of the same comparison.
    pub fn merge(&mut self, other: &Self) {
        merge(&mut self.decisions, &other.decisions);
        for (key, its) in &other.policies {
            let totals = self.policies.entry(key.clone()).or_default();
            merge(&mut totals.effects, &its.effects);
            for (code, CodeTotals { gained, kept, lost }) in &its.codes {
                let counts = totals.code(code);
                add(&mut counts.gained, *gained);
                add(&mut counts.kept, *kept);
                add(&mut counts.lost, *lost);
            }
        }
    }

    /// The number of packages.
    pub fn packages(&self) -> u64 {
        self.decisions.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The number of packages whose decision goes from one effect to another.
    pub fn of(&self, from: Effect, to: Effect) -> u64 {
        self.decisions.get(&(from, to)).copied().unwrap_or_default()
    }

    /// The number of packages with this transition.
    pub fn count(&self, transition: Transition) -> u64 {
        count(&self.decisions, transition)
    }

    /// Whether no decision changes.
    pub fn is_unchanged(&self) -> bool {
        self.packages() == self.count(Transition::Unchanged)
    }

    /// The policies that make a difference, with their counts.
    pub fn policies(&self) -> impl Iterator<Item = (LayerName, &PolicyName, &PolicyTotals)> {
        self.policies.iter().map(|((layer, name), totals)| (*layer, name, totals))
    }

    /// The beginning of a document: everything but its `changes`, as members of one object.
    pub fn document(&self) -> Value {
        let counts = |transition| self.count(transition);
        let decisions = self.decisions.iter();
        let transitions: Vec<_> =
            decisions.map(|((from, to), packages)| json!({"from": from, "to": to, "packages": packages})).collect();
        let policies: Vec<_> = self.policies().map(|(layer, name, totals)| totals.document(layer, name)).collect();
        json!({
            "schema": SCHEMA,
            "summary": {
                "packages": self.packages(),
                "newly_blocked": counts(Transition::NewlyBlocked),
                "newly_asked": counts(Transition::NewlyAsked),
                "newly_warned": counts(Transition::NewlyWarned),
                "newly_allowed": counts(Transition::NewlyAllowed),
                "unchanged": counts(Transition::Unchanged),
            },
            "transitions": transitions,
            "policies": policies,
        })
    }
}

impl PolicyTotals {
    /// The number of changed packages for which this policy's own effect makes this transition.
    pub fn count(&self, transition: Transition) -> u64 {
        count(&self.effects, transition)
    }

    fn code(&mut self, code: &SafeText) -> &mut CodeTotals {
        let is_known = self.codes.contains_key(code) || self.codes.len() < CODES;
        self.codes.entry(if is_known { code.clone() } else { SafeText::new(OTHERS) }).or_default()
    }

    fn document(&self, layer: LayerName, name: &PolicyName) -> Value {
        let codes = self.codes.iter();
        let codes: Vec<_> = codes
            .map(|(code, it)| json!({"code": code, "gained": it.gained, "kept": it.kept, "lost": it.lost}))
            .collect();
        json!({
            "name": name.as_str(),
            "layer": layer,
            "newly_blocked": self.count(Transition::NewlyBlocked),
            "newly_asked": self.count(Transition::NewlyAsked),
            "newly_warned": self.count(Transition::NewlyWarned),
            "newly_allowed": self.count(Transition::NewlyAllowed),
            "codes": codes,
        })
    }
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

fn merge(sums: &mut BTreeMap<(Effect, Effect), u64>, more: &BTreeMap<(Effect, Effect), u64>) {
    more.iter().for_each(|(key, count)| add(sums.entry(*key).or_default(), *count));
}

fn count(counts: &BTreeMap<(Effect, Effect), u64>, transition: Transition) -> u64 {
    let of_it = counts.iter().filter(|((from, to), _)| Transition::between(*from, *to) == transition);
    of_it.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}
