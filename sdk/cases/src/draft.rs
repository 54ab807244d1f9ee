//! Reads the nodes of a case file, and collects problems whose lines and columns are looked up later.

use serde_json::Value;

use crate::case::Limits;
use crate::near::nearest;
use crate::problem::CaseProblem;
use crate::problem::CaseProblems;
use crate::problem::quoted;
use smcp_yaml::Half;
use smcp_yaml::NotJson;
use smcp_yaml::NotJsonKind;
use smcp_yaml::Position;
use smcp_yaml::YamlNode;
use smcp_yaml::locate;

/// The way to a node: for each list and mapping the index of the item or entry.
pub(crate) type Steps = Vec<usize>;

/// Returns a way one step further.
pub(crate) fn then(steps: &[usize], index: usize) -> Steps {
    steps.iter().copied().chain([index]).collect()
}

/// A problem without its place.
#[derive(Debug)]
pub(crate) struct DraftedProblem {
    pub(crate) steps: Steps,
    pub(crate) half: Half,
    pub(crate) message: String,
    pub(crate) allowed: Option<String>,
    pub(crate) suggestion: Option<String>,
    /// The way to the first of two equal keys or names.
    pub(crate) first: Option<Steps>,
}

impl DraftedProblem {
    /// A problem with the value that `steps` lead to.
    pub(crate) fn of_value(steps: &[usize], message: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self {
            steps: steps.to_vec(),
            half: Half::Value,
            message: message.into(),
            allowed: Some(allowed.into()),
            suggestion: None,
            first: None,
        }
    }

    /// A problem with the key of the entry that `steps` lead to.
    pub(crate) fn of_key(steps: &[usize], message: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { half: Half::Key, ..Self::of_value(steps, message, allowed) }
    }

    /// The same problem with the word that was most likely meant.
    #[must_use]
    pub(crate) fn meaning(self, word: Option<&str>) -> Self {
        Self { suggestion: word.map(str::to_owned), ..self }
    }
}

/// The problems of one file.
#[derive(Debug, Default)]
pub(crate) struct DraftedProblems(Vec<DraftedProblem>);

/// The values of a mapping by their known keys.
#[derive(Debug)]
pub(crate) struct KnownEntries<'n> {
    steps: Steps,
    found: Vec<(&'static str, usize, &'n YamlNode)>,
}

impl<'n> KnownEntries<'n> {
    /// Returns the value of a key, and the way to it.
    pub(crate) fn get(&self, key: &str) -> Option<(Steps, &'n YamlNode)> {
        let (_, index, node) = self.found.iter().find(|(name, ..)| *name == key)?;
        Some((then(&self.steps, *index), node))
    }
}

impl DraftedProblems {
    pub(crate) fn push(&mut self, draft: DraftedProblem) {
        self.0.push(draft);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the entries of a mapping, which `what` names. Another value, an unknown key and a repeated key are
    /// problems.
    pub(crate) fn entries<'n>(
        &mut self,
        node: &'n YamlNode,
        steps: &[usize],
        what: &str,
        keys: &[&'static str],
    ) -> Option<KnownEntries<'n>> {
        let YamlNode::Map(entries) = node else {
            let allowed = format!("a mapping of {}", keys.join(", "));
            self.push(DraftedProblem::of_value(steps, format!("{what} {}", described(node)), allowed));
            return None;
        };
        let mut found: Vec<(&'static str, usize, &YamlNode)> = Vec::new();
        for (index, (key, value)) in entries.iter().enumerate() {
            let at = then(steps, index);
            let name = if let YamlNode::Text(name) = key { name.as_str() } else { "" };
            let Some(known) = keys.iter().find(|known| **known == name) else {
                let shown = if let YamlNode::Text(name) = key { format!("`{}`", quoted(name)) } else { described(key) };
                let draft = DraftedProblem::of_key(&at, format!("unknown key {shown} in {what}"), keys.join(", "));
                self.push(draft.meaning(nearest(name, keys.iter().copied())));
                continue;
            };
            if let Some((_, first, _)) = found.iter().find(|(name, ..)| name == known) {
                let draft = DraftedProblem::of_key(&at, format!("duplicate key `{known}` in {what}"), "each key once");
                self.push(DraftedProblem { first: Some(then(steps, *first)), ..draft });
                continue;
            }
            found.push((known, index, value));
        }
        Some(KnownEntries { steps: steps.to_vec(), found })
    }

    /// Returns the items of a list; another value is a problem.
    pub(crate) fn items<'n>(
        &mut self,
        node: &'n YamlNode,
        steps: &[usize],
        what: &str,
        allowed: &str,
    ) -> Option<&'n [YamlNode]> {
        if let YamlNode::List(items) = node {
            return Some(items);
        }
        self.push(DraftedProblem::of_value(steps, format!("{what} {}", described(node)), allowed));
        None
    }

    /// Returns a text; another value is a problem.
    pub(crate) fn text<'n>(
        &mut self,
        node: &'n YamlNode,
        steps: &[usize],
        what: &str,
        allowed: &str,
    ) -> Option<&'n str> {
        if let YamlNode::Text(text) = node {
            return Some(text);
        }
        self.push(DraftedProblem::of_value(steps, format!("{what} {}", described(node)), allowed));
        None
    }

    /// Returns a value as JSON; one that JSON can't express is a problem.
    pub(crate) fn json(&mut self, node: &YamlNode, steps: &[usize]) -> Option<Value> {
        match smcp_yaml::to_json(node) {
            Ok(value) => Some(value),
            Err(wrong) => {
                wrong.iter().for_each(|wrong| self.push(not_json(steps, wrong)));
                None
            }
        }
    }

    /// Returns the problems with their places, in the order of the file.
    pub(crate) fn finish(mut self, text: &str, limits: &Limits) -> CaseProblems {
        let affordable = limits.reread.checked_div(text.len()).unwrap_or(usize::MAX);
        let most = affordable.clamp(1, limits.problems.max(1));
        let more = self.0.len().saturating_sub(most);
        self.0.truncate(most);
        let mut list: Vec<_> = self.0.into_iter().map(|draft| placed(draft, text)).collect();
        list.sort_by_key(|problem| problem.position);
        CaseProblems { list, more }
    }
}

fn placed(draft: DraftedProblem, text: &str) -> CaseProblem {
    let DraftedProblem { steps, half, message, allowed, suggestion, first } = draft;
    let first = first.and_then(|first| locate(text, &first, half));
    let before = first.map_or_else(String::new, |Position { line, .. }| format!(", first in line {line}"));
    CaseProblem { position: locate(text, &steps, half), message: format!("{message}{before}"), allowed, suggestion }
}

fn not_json(steps: &[usize], wrong: &NotJson<'_>) -> DraftedProblem {
    let at: Steps = steps.iter().chain(&wrong.steps).copied().collect();
    let (message, allowed) = match wrong.kind {
        NotJsonKind::Value => (format!("this {}", described(wrong.node)), "a value that JSON can express"),
        NotJsonKind::Key => (format!("this key {}", described(wrong.node)), "keys that are text"),
        NotJsonKind::MergeKey => {
            ("this is a merge key".to_owned(), "keys written out; `defaults` and `from` lay facts over each other")
        }
        NotJsonKind::Duplicate => ("this key is given a second time".to_owned(), "each key once"),
    };
    DraftedProblem { half: wrong.half, ..DraftedProblem::of_value(&at, message, allowed) }
}

/// Describes a value in words, to follow its name.
pub(crate) fn described(node: &YamlNode) -> String {
    match node {
        YamlNode::Null => "has no value".to_owned(),
        YamlNode::Bool(value) => format!("is the boolean `{value}`"),
        YamlNode::Integer(value) => format!("is the number {value}"),
        YamlNode::Float(value) => format!("is the fractional number {value}"),
        YamlNode::Text(text) => format!("is the text `{}`", quoted(text)),
        YamlNode::List(_) => "is a list".to_owned(),
        YamlNode::Map(_) => "is a mapping".to_owned(),
        YamlNode::Tagged(tag) => format!("has the tag `!{}`", quoted(tag)),
    }
}
