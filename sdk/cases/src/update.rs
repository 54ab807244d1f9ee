//! Writes what a policy did into a case file as its expectations, and changes nothing else.
//!
//! The parser gives the place of the key `expect` of a case. Only its value is replaced in the text, so the comments,
//! the order and the form of the rest stay; comments inside the value are kept, too. The new text is read again, and
//! used only when those expectations fit what the policy did, and everything else means the same as before.

mod region;
mod scan;

use std::ops::Range;

use crate::case::Case;
use crate::case::CaseFile;
use crate::case::Limits;
use crate::compare::compare;
use crate::expect::Expectation;
use crate::expect::ExpectedFinding;
use crate::expect::ExpectedProblem;
use crate::expect::FAULTS;
use crate::found::Found;
use crate::found::FoundFinding;
use crate::read::BYTE_ORDER_MARK;
use crate::read::read;
use crate::read::text_of;
use crate::read::tree_of;
use crate::update::region::Region;
use smcp_yaml::Position;
use smcp_yaml::YamlNode;

/// The error for a file that can't be updated safely; it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUpdated {
    /// The case that can't be updated.
    pub name: String,
    /// The place of the case.
    pub position: Position,
    /// The reason.
    pub reason: String,
}

/// Faults that are never written as expectations: the policy was not tried, or the machine was busy.
const NEVER_EXPECTED: [&str; 4] = ["load", "interface", "deadline", "panic"];

/// Returns the text of a case file with new expectations for some of its cases: `found` has them by the index of the
/// case in `file`, which was read from `bytes`.
///
/// # Errors
/// With the first case that can't be updated without harm to the rest.
pub fn update(
    bytes: &[u8],
    file: &CaseFile,
    found: &[(usize, &Found)],
    limits: &Limits,
) -> Result<Vec<u8>, NotUpdated> {
    let updated = attempt(bytes, file, found, limits).map_err(|all| {
        // When they fail together, one of them most likely fails alone.
        let alone = found.iter().find_map(|one| attempt(bytes, file, std::slice::from_ref(one), limits).err());
        alone.unwrap_or(all)
    })?;
    // The byte order mark is not part of the text.
    let mark = bytes.get(..mark_of(bytes)).unwrap_or_default();
    Ok([mark, updated.as_bytes()].concat())
}

fn attempt(bytes: &[u8], file: &CaseFile, found: &[(usize, &Found)], limits: &Limits) -> Result<String, NotUpdated> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let Ok(text) = text_of(bytes, limits) else { return Err(not_updated(file, found, UNREAD)) };
    for (index, found) in found {
        let Some(case) = file.cases.get(*index) else { continue };
        let edit = edit(text, case, found).map_err(|reason| refused(case, reason))?;
        if edits.iter().any(|(range, _)| range.start == edit.0.start) {
            return Err(refused(case, "another case stands at the same place, by an alias".to_owned()));
        }
        edits.push(edit);
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut updated = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        updated.replace_range(range, &new);
    }
    if is_as_meant(text, &updated, file, found, limits) { Ok(updated) } else { Err(not_updated(file, found, UNREAD)) }
}

/// The reason when an updated text is not what it should be.
const UNREAD: &str = "what it expects is written in a way that can't be replaced";

fn refused(case: &Case, reason: String) -> NotUpdated {
    NotUpdated { name: case.name.clone(), position: case.position, reason }
}

/// Returns the refusal of an update of several cases, with the first of them.
fn not_updated(file: &CaseFile, found: &[(usize, &Found)], reason: &str) -> NotUpdated {
    let first = found.first().and_then(|(index, _)| file.cases.get(*index)).or(file.cases.first());
    let (name, position) =
        first.map_or((String::new(), Position { line: 1, column: 1 }), |case| (case.name.clone(), case.position));
    NotUpdated { name, position, reason: reason.to_owned() }
}

/// The length of the byte order mark.
fn mark_of(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// Returns the part of the text that is replaced, and its replacement.
fn edit(text: &str, case: &Case, found: &Found) -> Result<(Range<usize>, String), String> {
    let expect = expectation(found, &case.expect)?;
    let region = Region::find(text, case.position, case.expected_at)?;
    if region.marks() != marks_in(&case.expect) {
        return Err("a `#` in what it expects may be a comment, or not".to_owned());
    }
    Ok((region.range(), region.written(&expect)))
}

/// Counts the places in the texts of an expectation where a comment could begin.
fn marks_in(expect: &Expectation) -> usize {
    let count = |text: &str| scan::marks(text);
    let finding = |it: &ExpectedFinding| {
        let parts = [Some(&it.code), it.message.as_ref(), it.fact.as_ref()];
        parts.into_iter().flatten().map(|text| count(text)).sum::<usize>()
    };
    match expect {
        Expectation::Verdict { violations, notices } => violations.iter().chain(notices).map(finding).sum(),
        Expectation::Problems(problems) => {
            let problem = |it: &ExpectedProblem| count(&it.path).saturating_add(it.message.as_deref().map_or(0, count));
            problems.iter().map(problem).sum()
        }
        Expectation::Fault(_) => 0,
    }
}

/// Makes an expectation of what was found, as detailed as the old one.
fn expectation(found: &Found, before: &Expectation) -> Result<Expectation, String> {
    match found {
        Found::Verdict { violations, notices } => {
            let empty = [].as_slice();
            let (old_violations, old_notices) = match before {
                Expectation::Verdict { violations, notices } => (violations.as_slice(), notices.as_slice()),
                Expectation::Problems(_) | Expectation::Fault(_) => (empty, empty),
            };
            let of = |found: &[FoundFinding], old: &[ExpectedFinding]| {
                let all: Vec<_> = old_violations.iter().chain(old_notices).collect();
                found.iter().map(|it| finding(it, old, &all)).collect()
            };
            Ok(Expectation::Verdict { violations: of(violations, old_violations), notices: of(notices, old_notices) })
        }
        Found::Problems(problems) => {
            if *before == Expectation::Fault("settings") {
                return Ok(before.clone());
            }
            let old = if let Expectation::Problems(old) = before { old.as_slice() } else { &[] };
            let problem = |it: &crate::FoundProblem| {
                let same = old.iter().find(|old| old.path == it.path);
                let detailed =
                    same.map_or_else(|| old.iter().any(|old| old.message.is_some()), |old| old.message.is_some());
                ExpectedProblem { path: it.path.clone(), message: detailed.then(|| it.message.clone()) }
            };
            Ok(Expectation::Problems(problems.iter().map(problem).collect()))
        }
        Found::Fault { kind, .. } => {
            let known = FAULTS.into_iter().find(|known| known == kind && !NEVER_EXPECTED.contains(known));
            known.map(Expectation::Fault).ok_or_else(|| format!("the fault `{kind}` is never written as expected"))
        }
    }
}

/// Makes an expected finding, with the parts that the old one of the same code had; without an old one, only the code.
fn finding(found: &FoundFinding, old: &[ExpectedFinding], all: &[&ExpectedFinding]) -> ExpectedFinding {
    let same = old.iter().find(|old| old.code == found.code);
    let (message, fact) = match same {
        Some(old) => (old.message.is_some(), old.fact.is_some()),
        None => (all.iter().any(|old| old.message.is_some()), all.iter().any(|old| old.fact.is_some())),
    };
    ExpectedFinding {
        code: found.code.clone(),
        message: message.then(|| found.message.clone()),
        fact: found.fact.clone().filter(|_| fact),
    }
}

/// Whether an updated text is right: it can be read, its new expectations fit what was found, and the rest is as
/// before.
fn is_as_meant(old: &str, new: &str, file: &CaseFile, found: &[(usize, &Found)], limits: &Limits) -> bool {
    let found_at = |index: usize| found.iter().find(|(one, _)| *one == index).map(|(_, found)| *found);
    let rest = |text: &str| {
        let tree = tree_of(text, limits).ok()?;
        Some(without_expectations(tree, &|index| found_at(index).is_some()))
    };
    let Ok(read) = read(new.as_bytes(), limits) else { return false };
    let is_right = |(index, (case, before)): (usize, (&Case, &Case))| match found_at(index) {
        Some(found) => compare(&case.expect, found).is_empty(),
        None => case.expect == before.expect,
    };
    rest(old).is_some_and(|old| Some(old) == rest(new))
        && read.cases.len() == file.cases.len()
        && read.cases.iter().zip(&file.cases).enumerate().all(is_right)
}

/// Returns a tree in which some cases expect nothing.
fn without_expectations(tree: YamlNode, is_updated: &dyn Fn(usize) -> bool) -> YamlNode {
    with_value(tree, "cases", |cases| {
        let YamlNode::List(cases) = cases else { return cases };
        let numbered = cases.into_iter().enumerate();
        let emptied =
            |(index, case)| if is_updated(index) { with_value(case, "expect", |_| YamlNode::Null) } else { case };
        YamlNode::List(numbered.map(emptied).collect())
    })
}

/// Returns a mapping with another value for one key.
fn with_value(node: YamlNode, key: &str, change: impl Fn(YamlNode) -> YamlNode) -> YamlNode {
    let YamlNode::Map(entries) = node else { return node };
    let is_key = |node: &YamlNode| matches!(node, YamlNode::Text(text) if text == key);
    let entry = |(name, value)| if is_key(&name) { (name, change(value)) } else { (name, value) };
    YamlNode::Map(entries.into_iter().map(entry).collect())
}

#[cfg(test)]
mod tests;
