//! Reads values from the tree by the description of keys; collects problems.
//!
//! Before it `raw` has made the tree; after it `layer_file` holds the values. Reading goes on after a problem: a value
//! that can't be read is noted and then counts as absent. Callers of this crate never see that, because `fold` makes no
//! configuration of files that have problems.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::drafts::Drafts;
use crate::drafts::ProblemDraft;
use crate::form::Base;
use crate::form::ValueForm;
use crate::form::describe;
use crate::form::nearest;
use crate::keys;
use crate::keys::AnyKey;
use crate::keys::ConfigKey;
use crate::keys::Entries;
use crate::keys::Nested;
use crate::keys::Section;
use crate::place::FilePlace;
use crate::place::SourceText;
use crate::place::Trail;
use crate::place::WrittenValue;
use crate::problem::ProblemCode;
use smcp_model::text::SafeText;
use smcp_yaml::Half;
use smcp_yaml::YamlNode;

/// The entries of one mapping whose keys are known.
#[derive(Debug, Default)]
pub(super) struct Fields<'n> {
    trail: Trail,
    entries: BTreeMap<&'static str, (Trail, &'n YamlNode)>,
    foreign: Vec<&'static str>,
}

impl Fields<'_> {
    /// Returns the path to the mapping.
    pub(super) const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Whether the mapping has a key.
    pub(super) fn has<F>(&self, key: &ConfigKey<F>) -> bool {
        self.entries.contains_key(key.name)
    }

    /// Returns the path to the value of a key, or else to the mapping.
    pub(super) fn trail_of<F>(&self, key: &ConfigKey<F>) -> &Trail {
        self.entries.get(key.name).map_or(&self.trail, |(trail, _)| trail)
    }

    /// Returns the keys of other tools that were skipped.
    pub(super) fn foreign(&self) -> &[&'static str] {
        &self.foreign
    }
}

/// Reads values from one file, and collects their problems.
#[derive(Debug)]
pub(super) struct ConfigReader<'b> {
    base: Base<'b>,
    drafts: Drafts,
}

impl<'b> ConfigReader<'b> {
    /// Returns a reader of one file.
    pub(super) const fn new(source: Arc<SourceText>, base: Base<'b>) -> Self {
        Self { base, drafts: Drafts::new(source) }
    }

    /// Returns the place that `trail` leads to.
    pub(super) fn place(&self, trail: &Trail) -> FilePlace {
        FilePlace { source: Arc::clone(&self.drafts.source), trail: trail.clone() }
    }

    /// Notes a problem with the value at `trail`.
    pub(super) fn note(&mut self, code: ProblemCode, trail: &Trail, message: String, allowed: String) {
        self.push(ProblemDraft::of_value(code, trail, message, allowed));
    }

    fn push(&mut self, draft: ProblemDraft) {
        self.drafts.drafts.push(draft);
    }

    /// Returns the value of a key, if it is there and valid.
    pub(super) fn read<F: ValueForm>(
        &mut self,
        fields: &Fields<'_>,
        key: &ConfigKey<F>,
    ) -> Option<WrittenValue<F::Value>> {
        let (trail, node) = fields.entries.get(key.name)?;
        let mismatches = match key.form.read(node, self.base) {
            Ok(value) => return Some(WrittenValue { value, place: self.place(trail) }),
            Err(mismatches) => mismatches,
        };
        for mismatch in mismatches {
            let at = mismatch.below.iter().fold(trail.clone(), |trail, (index, label)| trail.then(*index, label));
            let message = format!("`{}` {}", at.path, mismatch.description);
            let (code, half, allowed, suggestion) =
                (mismatch.code, mismatch.half, Some(mismatch.allowed), mismatch.suggestion);
            self.push(ProblemDraft { code, trail: at, half, message, allowed, suggestion, first: None });
        }
        None
    }

    /// Returns the mapping under a key.
    pub(super) fn section<'n>(&mut self, fields: &Fields<'n>, key: &ConfigKey<Nested>) -> Option<Fields<'n>> {
        let (trail, node) = fields.entries.get(key.name)?;
        self.fields(key.form.0, node, trail.clone())
    }

    /// Returns the mappings of the list under a key.
    pub(super) fn entries<'n>(&mut self, fields: &Fields<'n>, key: &ConfigKey<Entries>) -> Vec<Fields<'n>> {
        let Some((trail, node)) = fields.entries.get(key.name) else { return Vec::new() };
        let YamlNode::List(items) = node else {
            let message = format!("`{}` {}", trail.path, describe(node));
            self.note(ProblemCode::BadValue, trail, message, "a list of mappings".to_owned());
            return Vec::new();
        };
        let numbered = items.iter().enumerate();
        numbered
            .filter_map(|(index, item)| self.fields(key.form.0, item, trail.then(index, &format!("[{index}]"))))
            .collect()
    }

    /// Returns the entries of a mapping; unknown, repeated and missing keys are noted.
    pub(super) fn fields<'n>(&mut self, section: &Section, node: &'n YamlNode, trail: Trail) -> Option<Fields<'n>> {
        let YamlNode::Map(entries) = node else {
            let name = if trail.path.is_empty() { section.title.to_owned() } else { format!("`{}`", trail.path) };
            let keys = names(section.keys);
            self.note(
                ProblemCode::BadValue,
                &trail,
                format!("{name} {}", describe(node)),
                format!("a mapping of {keys}"),
            );
            return None;
        };
        let mut fields = Fields { trail, entries: BTreeMap::new(), foreign: Vec::new() };
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, (key, value)) in entries.iter().enumerate() {
            let YamlNode::Text(name) = key else {
                self.note_key(&fields.trail.then(index, ".?"), section, &format!("that {}", describe(key)), None);
                continue;
            };
            let trail = fields.trail.then(index, &format!(".{}", SafeText::quoted_value(name)));
            if let Some(first) = first.get(name.as_str()) {
                self.note_duplicate(&trail, section, name, *first);
                continue;
            }
            first.insert(name, index);
            if let Some(known) = section.keys.iter().find(|known| known.name() == name) {
                fields.entries.insert(known.name(), (trail, value));
            } else if let Some(foreign) = section.foreign.iter().find(|foreign| *foreign == name) {
                fields.foreign.push(foreign);
            } else {
                self.note_key(
                    &trail,
                    section,
                    &format!("`{}`", SafeText::quoted_value(name)),
                    suggestion(section, name),
                );
            }
        }
        for key in section.keys.iter().filter(|key| key.required() && !fields.entries.contains_key(key.name())) {
            let message = format!("{} is missing `{}`", section.title, key.name());
            self.note(ProblemCode::MissingKey, &fields.trail, message, names(section.keys));
        }
        Some(fields)
    }

    fn note_key(&mut self, trail: &Trail, section: &Section, key: &str, suggestion: Option<String>) {
        let message = format!("unknown key {key} in {}", section.title);
        let (trail, allowed) = (trail.clone(), Some(names(section.keys)));
        let (code, half) = (ProblemCode::UnknownKey, Half::Key);
        self.push(ProblemDraft { code, trail, half, message, allowed, suggestion, first: None });
    }

    fn note_duplicate(&mut self, trail: &Trail, section: &Section, name: &str, first: usize) {
        let message = format!("duplicate key `{}` in {}", SafeText::quoted_value(name), section.title);
        let before = trail.steps.split_last().map(|(_, above)| {
            let steps = above.iter().copied().chain([first]).collect();
            (self.place(&Trail { steps, path: trail.path.clone() }), Half::Key)
        });
        let (code, half, allowed) = (ProblemCode::DuplicateKey, Half::Key, Some("each key once".to_owned()));
        self.push(ProblemDraft { code, trail: trail.clone(), half, message, allowed, suggestion: None, first: before });
    }

    /// Returns every problem that was noted.
    pub(super) fn finish(self) -> Drafts {
        self.drafts
    }
}

fn names(keys: &[&dyn AnyKey]) -> String {
    keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(", ")
}

/// Returns the most likely correction of an unknown key: a key of its section, one under `policy`, or, in an entry, a
/// setting of the policy.
fn suggestion(section: &Section, name: &str) -> Option<String> {
    let near = nearest(name, section.keys.iter().map(|key| key.name())).map(str::to_owned);
    let other = || section.meant.iter().find(|(word, _)| *word == name).map(|(_, key)| (*key).to_owned());
    let inside = || section.free.map(|free| format!("{free}.{}", SafeText::quoted_value(name)));
    let moved = || keys::policy::SECTION.keys.iter().any(|key| key.name() == name).then(|| format!("policy.{name}"));
    near.or_else(other).or_else(inside).or_else(moved)
}
