//! The problems of files before their lines and columns are looked up.
//!
//! `reader` and `fold` note them. Finding a line parses the text again, so this is done last, and only for the problems
//! that are shown.

use std::sync::Arc;

use crate::place::FilePlace;
use crate::place::SourceText;
use crate::place::Trail;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_yaml::Half;

/// A problem without line and column yet.
#[derive(Debug)]
pub(super) struct ProblemDraft {
    pub(super) code: ProblemCode,
    pub(super) trail: Trail,
    /// The half of the entry at `trail` that is wrong.
    pub(super) half: Half,
    pub(super) message: String,
    pub(super) allowed: Option<String>,
    pub(super) suggestion: Option<String>,
    /// The first of two duplicates, which may be in another file.
    pub(super) first: Option<(FilePlace, Half)>,
}

impl ProblemDraft {
    /// Returns a problem with the value at `trail`.
    pub(super) fn of_value(code: ProblemCode, trail: &Trail, message: String, allowed: String) -> Self {
        let (trail, allowed) = (trail.clone(), Some(allowed));
        Self { code, trail, half: Half::Value, message, allowed, suggestion: None, first: None }
    }
}

/// Every problem of one file.
#[derive(Debug)]
pub(super) struct Drafts {
    pub(super) source: Arc<SourceText>,
    /// The problem that kept the whole text from being read.
    pub(super) unread: Option<ConfigProblem>,
    pub(super) drafts: Vec<ProblemDraft>,
}

impl Drafts {
    /// Returns the file, without a problem so far.
    pub(super) const fn new(source: Arc<SourceText>) -> Self {
        Self { source, unread: None, drafts: Vec::new() }
    }

    /// Whether the file has no problems.
    const fn is_empty(&self) -> bool {
        self.unread.is_none() && self.drafts.is_empty()
    }

    /// Returns the problems in the order of the file, with their positions, and the number of the others.
    fn finish(mut self) -> (Vec<ConfigProblem>, usize) {
        let others = self.drafts.iter().filter_map(|draft| draft.first.as_ref()).map(|(place, _)| &place.source);
        let most = affordable(others.chain([&self.source]));
        let more = self.drafts.len().saturating_sub(most);
        self.drafts.truncate(most);
        let mut problems: Vec<_> = self.drafts.iter().map(|draft| self.locate(draft)).collect();
        problems.extend(self.unread.take());
        problems.sort_by_key(|problem| problem.position);
        (problems, more)
    }

    fn locate(&self, draft: &ProblemDraft) -> ConfigProblem {
        let text = &self.source.text;
        let before = draft.first.as_ref().map(|(place, half)| self.before(place, *half)).unwrap_or_default();
        let message = format!("{}{before}", draft.message);
        ConfigProblem {
            code: draft.code,
            file: SafeText::new(&self.source.name),
            position: smcp_yaml::locate(text, &draft.trail.steps, draft.half),
            path: SafeText::new(&draft.trail.path),
            message: SafeText::new(&message),
            allowed: draft.allowed.as_deref().map(SafeText::new),
            suggestion: draft.suggestion.as_deref().map(SafeText::new),
        }
    }

    /// Returns the place of the first duplicate, as the end of a sentence.
    fn before(&self, place: &FilePlace, half: Half) -> String {
        if !Arc::ptr_eq(&place.source, &self.source) {
            return format!(", first in {place}");
        }
        let first = smcp_yaml::locate(&self.source.text, &place.trail.steps, half);
        first.map_or_else(String::new, |first| format!(", first in line {}", first.line))
    }
}

/// Returns how many places in these files are looked up at most; each lookup reads a file again.
pub(super) fn affordable<'s>(sources: impl Iterator<Item = &'s Arc<SourceText>>) -> usize {
    let longest = sources.map(|source| source.text.len()).max().unwrap_or(0);
    let affordable = limits::CONFIG_REREAD.checked_div(longest).unwrap_or(usize::MAX);
    affordable.clamp(1, limits::CONFIG_PROBLEMS)
}

/// Every problem of every file.
#[derive(Debug, Default)]
pub(super) struct ConfigProblems(Vec<Drafts>);

impl ConfigProblems {
    /// Adds the problems that were noted while one file was read.
    pub(super) fn add(&mut self, drafts: Drafts) {
        self.0.push(drafts);
    }

    /// Whether these files have no problems.
    pub(super) fn has_none_in(&self, files: &[Arc<SourceText>]) -> bool {
        let of_these = |file: &&Drafts| files.iter().any(|source| Arc::ptr_eq(source, &file.source));
        self.0.iter().filter(of_these).all(Drafts::is_empty)
    }

    /// Notes a problem with the value at `place`.
    pub(super) fn note(&mut self, place: &FilePlace, code: ProblemCode, message: String, allowed: &str) {
        self.push(&place.source, ProblemDraft::of_value(code, &place.trail, message, allowed.to_owned()));
    }

    /// Notes a wrong name at `place`, and the name that it most likely means.
    pub(super) fn note_name(&mut self, place: &FilePlace, message: String, allowed: String, meant: Option<&str>) {
        let draft = ProblemDraft::of_value(ProblemCode::BadValue, &place.trail, message, allowed);
        self.push(&place.source, ProblemDraft { suggestion: meant.map(str::to_owned), ..draft });
    }

    /// Notes that the value at `place` repeats the one at `first`, which may be in another file.
    pub(super) fn note_repeated(&mut self, place: &FilePlace, first: &FilePlace, message: String, allowed: &str) {
        let draft = ProblemDraft::of_value(ProblemCode::Conflict, &place.trail, message, allowed.to_owned());
        self.push(&place.source, ProblemDraft { first: Some((first.clone(), Half::Value)), ..draft });
    }

    fn push(&mut self, source: &Arc<SourceText>, draft: ProblemDraft) {
        if let Some(file) = self.0.iter_mut().find(|file| Arc::ptr_eq(&file.source, source)) {
            file.drafts.push(draft);
        } else {
            self.0.push(Drafts { drafts: vec![draft], ..Drafts::new(Arc::clone(source)) });
        }
    }

    /// Returns all problems with their positions, those of each file together; `None` without a problem.
    pub(super) fn finish(self) -> Option<ConfigError> {
        let (mut problems, mut more) = (Vec::new(), 0_usize);
        for file in self.0 {
            let (shown, hidden) = file.finish();
            problems.extend(shown);
            more = more.saturating_add(hidden);
        }
        more = more.saturating_add(problems.len().saturating_sub(limits::CONFIG_PROBLEMS));
        problems.truncate(limits::CONFIG_PROBLEMS);
        ConfigError::of(problems, more)
    }
}
