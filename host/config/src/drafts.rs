//! The problems of files while they are read; their lines are looked up last.
//!
//! `reader` and `fold` note them. Finding a line walks through the whole text, so that is done once, for those problems
//! alone that are shown.

use std::sync::Arc;

use crate::place::FilePlace;
use crate::place::SourceText;
use crate::place::Trail;
use crate::problem::Code;
use crate::problem::ConfigError;
use crate::problem::Problem;
use crate::raw;
use crate::raw::Half;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// A problem that has no line and column yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) code: Code,
    pub(super) trail: Trail,
    /// Which half of the entry at `trail` it is about.
    pub(super) half: Half,
    pub(super) message: String,
    pub(super) allowed: Option<String>,
    pub(super) suggestion: Option<String>,
    /// What a duplicate repeats, which may be in another file.
    pub(super) first: Option<(FilePlace, Half)>,
}

impl Draft {
    /// A problem with the value at `trail`.
    pub(super) fn of_value(code: Code, trail: &Trail, message: String, allowed: String) -> Self {
        let (trail, allowed) = (trail.clone(), Some(allowed));
        Self { code, trail, half: Half::Value, message, allowed, suggestion: None, first: None }
    }
}

/// Every problem of one file.
#[derive(Debug)]
pub(super) struct Drafts {
    pub(super) source: Arc<SourceText>,
    /// Why the text could not be read at all.
    pub(super) unread: Option<Problem>,
    pub(super) drafts: Vec<Draft>,
}

impl Drafts {
    /// The file, without a problem so far.
    pub(super) const fn new(source: Arc<SourceText>) -> Self {
        Self { source, unread: None, drafts: Vec::new() }
    }

    /// Whether nothing is wrong with the file.
    const fn is_empty(&self) -> bool {
        self.unread.is_none() && self.drafts.is_empty()
    }

    /// The problems in the order of the file, with their places, and how many more there are.
    fn finish(mut self) -> (Vec<Problem>, usize) {
        let others = self.drafts.iter().filter_map(|draft| draft.first.as_ref()).map(|(place, _)| &place.source);
        let longest = others.chain([&self.source]).map(|source| source.text.len()).max().unwrap_or(0);
        let affordable = limits::CONFIG_REREAD.checked_div(longest).unwrap_or(usize::MAX);
        let most = affordable.clamp(1, limits::CONFIG_PROBLEMS);
        let more = self.drafts.len().saturating_sub(most);
        self.drafts.truncate(most);
        let mut problems: Vec<_> = self.drafts.iter().map(|draft| self.locate(draft)).collect();
        problems.extend(self.unread.take());
        problems.sort_by_key(|problem| problem.position);
        (problems, more)
    }

    fn locate(&self, draft: &Draft) -> Problem {
        let text = &self.source.text;
        let before = draft.first.as_ref().map(|(place, half)| self.before(place, *half)).unwrap_or_default();
        let message = format!("{}{before}", draft.message);
        Problem {
            code: draft.code,
            file: SafeText::new(&self.source.name),
            position: raw::locate(text, &draft.trail.steps, draft.half),
            path: SafeText::new(&draft.trail.path),
            message: SafeText::new(&message),
            allowed: draft.allowed.as_deref().map(SafeText::new),
            suggestion: draft.suggestion.as_deref().map(SafeText::new),
        }
    }

    /// Where a duplicate stood first, as the end of a sentence.
    fn before(&self, place: &FilePlace, half: Half) -> String {
        if !Arc::ptr_eq(&place.source, &self.source) {
            return format!(", first in {place}");
        }
        let first = raw::locate(&self.source.text, &place.trail.steps, half);
        first.map_or_else(String::new, |first| format!(", first in line {}", first.line))
    }
}

/// Every problem of every file.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Drafts>);

impl Problems {
    /// Takes in what was noted while one file was read.
    pub(super) fn add(&mut self, drafts: Drafts) {
        self.0.push(drafts);
    }

    /// Whether nothing is wrong with any of these files.
    pub(super) fn has_none_in(&self, files: &[Arc<SourceText>]) -> bool {
        let of_these = |file: &&Drafts| files.iter().any(|source| Arc::ptr_eq(source, &file.source));
        self.0.iter().filter(of_these).all(Drafts::is_empty)
    }

    /// Notes a problem with the value at `place`.
    pub(super) fn note(&mut self, place: &FilePlace, code: Code, message: String, allowed: &str) {
        self.push(&place.source, Draft::of_value(code, &place.trail, message, allowed.to_owned()));
    }

    /// Notes that the value at `place` repeats the one at `first`, which may be in another file.
    pub(super) fn note_repeated(&mut self, place: &FilePlace, first: &FilePlace, message: String, allowed: &str) {
        let draft = Draft::of_value(Code::Conflict, &place.trail, message, allowed.to_owned());
        self.push(&place.source, Draft { first: Some((first.clone(), Half::Value)), ..draft });
    }

    fn push(&mut self, source: &Arc<SourceText>, draft: Draft) {
        if let Some(file) = self.0.iter_mut().find(|file| Arc::ptr_eq(&file.source, source)) {
            file.drafts.push(draft);
        } else {
            self.0.push(Drafts { drafts: vec![draft], ..Drafts::new(Arc::clone(source)) });
        }
    }

    /// All of them with their places, those of each file together; nothing where nothing is wrong.
    pub(super) fn finish(self) -> Option<ConfigError> {
        let (mut problems, mut more) = (Vec::new(), 0_usize);
        for file in self.0 {
            let (found, hidden) = file.finish();
            problems.extend(found);
            more = more.saturating_add(hidden);
        }
        more = more.saturating_add(problems.len().saturating_sub(limits::CONFIG_PROBLEMS));
        problems.truncate(limits::CONFIG_PROBLEMS);
        ConfigError::of(problems, more)
    }
}
