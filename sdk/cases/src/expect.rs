//! The expectation of a case, and how it is written.

use crate::draft::DraftedProblem;
use crate::draft::DraftedProblems;
use crate::draft::described;
use crate::draft::then;
use crate::near::nearest;
use crate::problem::quoted;
use smcp_yaml::YamlNode;

/// The kinds of faults, in the words of all documents of smcp.
pub const FAULTS: [&str; 10] =
    ["load", "interface", "settings", "deadline", "memory", "stack", "limit", "output", "trap", "panic"];

/// What a policy is expected to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// These findings and no others, in order; without violations it allows.
    Verdict {
        /// The reasons to refuse.
        violations: Vec<ExpectedFinding>,
        /// The remarks.
        notices: Vec<ExpectedFinding>,
    },
    /// It refuses the settings for these reasons and no others, in order.
    Problems(Vec<ExpectedProblem>),
    /// It fails in this way, one of [`FAULTS`].
    Fault(&'static str),
}

/// A finding that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedFinding {
    /// Its stable name.
    pub code: String,
    /// The whole sentence; `None` for any.
    pub message: Option<String>,
    /// The field of the subject that it is about; `None` for any.
    pub fact: Option<String>,
}

/// A problem of the settings that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedProblem {
    /// Where in the settings, as a JSON pointer (RFC 6901); empty for the whole.
    pub path: String,
    /// The whole message; `None` for any.
    pub message: Option<String>,
}

const KEYS: [&str; 4] = ["violations", "notices", "fault", "problems"];
const ALLOWED: &str = "allow, or a mapping of violations and notices, or of fault, or of problems";
const FINDINGS: &str = "a list of codes, or of {code, message, fact}";
const PROBLEMS: &str = "a list of JSON pointers, or of {path, message}; `\"\"` is the whole";

/// Reads the value of `expect`.
pub(crate) fn read(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<Expectation> {
    if let YamlNode::Text(word) = node {
        if word == "allow" {
            return Some(Expectation::Verdict { violations: Vec::new(), notices: Vec::new() });
        }
        let draft = DraftedProblem::of_value(steps, format!("`expect` is the text `{}`", quoted(word)), ALLOWED);
        drafts.push(draft.meaning(nearest(word, ["allow"])));
        return None;
    }
    if !matches!(node, YamlNode::Map(_)) {
        drafts.push(DraftedProblem::of_value(steps, format!("`expect` {}", described(node)), ALLOWED));
        return None;
    }
    let entries = drafts.entries(node, steps, "`expect`", &KEYS)?;
    let (violations, notices) = (entries.get("violations"), entries.get("notices"));
    match (violations.is_some() || notices.is_some(), entries.get("fault"), entries.get("problems")) {
        (true, None, None) => {
            let mut list = |what, entry: Option<(Vec<usize>, &YamlNode)>| match entry {
                Some((steps, node)) => findings(drafts, node, &steps, what),
                None => Some(Vec::new()),
            };
            let (violations, notices) = (list("`violations`", violations), list("`notices`", notices));
            Some(Expectation::Verdict { violations: violations?, notices: notices? })
        }
        (false, Some((steps, node)), None) => fault(drafts, node, &steps),
        (false, None, Some((steps, node))) => problems(drafts, node, &steps),
        (false, None, None) => {
            drafts.push(DraftedProblem::of_value(steps, "`expect` says nothing", ALLOWED));
            None
        }
        (true, _, _) | (false, Some(_), Some(_)) => {
            drafts.push(DraftedProblem::of_value(steps, "`expect` says things that can't all be", ALLOWED));
            None
        }
    }
}

fn findings(
    drafts: &mut DraftedProblems,
    node: &YamlNode,
    steps: &[usize],
    what: &str,
) -> Option<Vec<ExpectedFinding>> {
    let items = drafts.items(node, steps, what, FINDINGS)?;
    let read: Vec<_> =
        items.iter().enumerate().map(|(index, item)| finding(drafts, item, &then(steps, index))).collect();
    read.into_iter().collect()
}

fn finding(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<ExpectedFinding> {
    if let YamlNode::Text(text) = node {
        return Some(ExpectedFinding { code: code(drafts, text, steps)?, message: None, fact: None });
    }
    if !matches!(node, YamlNode::Map(_)) {
        drafts.push(DraftedProblem::of_value(
            steps,
            format!("a finding {}", described(node)),
            "a code, or {code, message, fact}",
        ));
        return None;
    }
    let entries = drafts.entries(node, steps, "a finding", &["code", "message", "fact"])?;
    let Some((at, node)) = entries.get("code") else {
        drafts.push(DraftedProblem::of_value(steps, "a finding is missing `code`", "code, message, fact"));
        return None;
    };
    let word = drafts.text(node, &at, "`code`", CODE);
    let code = word.and_then(|word| code(drafts, word, &at));
    let message = optional(drafts, entries.get("message"), "`message`");
    let fact = optional(drafts, entries.get("fact"), "`fact`");
    Some(ExpectedFinding { code: code?, message: message?, fact: fact? })
}

const CODE: &str = "a code: 1 to 64 of a-z, 0-9 and `-`";

fn code(drafts: &mut DraftedProblems, text: &str, steps: &[usize]) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        return Some(text.to_owned());
    }
    drafts.push(DraftedProblem::of_value(steps, format!("`{}` is no code", quoted(text)), CODE));
    None
}

/// Reads a text that may be absent. The outer `None` is a problem.
fn optional(
    drafts: &mut DraftedProblems,
    entry: Option<(Vec<usize>, &YamlNode)>,
    what: &str,
) -> Option<Option<String>> {
    let Some((steps, node)) = entry else { return Some(None) };
    drafts.text(node, &steps, what, "a text; without the key, any will do").map(|text| Some(text.to_owned()))
}

fn fault(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<Expectation> {
    let allowed = FAULTS.join(", ");
    let word = drafts.text(node, steps, "`fault`", &allowed)?;
    let known = FAULTS.into_iter().find(|kind| *kind == word);
    if known.is_none() {
        let draft = DraftedProblem::of_value(steps, format!("`{}` is no kind of fault", quoted(word)), allowed);
        drafts.push(draft.meaning(nearest(word, FAULTS)));
    }
    known.map(Expectation::Fault)
}

fn problems(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<Expectation> {
    let items = drafts.items(node, steps, "`problems`", PROBLEMS)?;
    if items.is_empty() {
        drafts.push(DraftedProblem::of_value(
            steps,
            "`problems` is empty: settings are refused for a reason",
            PROBLEMS,
        ));
        return None;
    }
    let read: Vec<_> =
        items.iter().enumerate().map(|(index, item)| problem(drafts, item, &then(steps, index))).collect();
    read.into_iter().collect::<Option<Vec<_>>>().map(Expectation::Problems)
}

fn problem(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<ExpectedProblem> {
    if let YamlNode::Text(text) = node {
        return Some(ExpectedProblem { path: pointer(drafts, text, steps)?, message: None });
    }
    if !matches!(node, YamlNode::Map(_)) {
        drafts.push(DraftedProblem::of_value(
            steps,
            format!("a problem {}", described(node)),
            "a JSON pointer, or {path, message}",
        ));
        return None;
    }
    let entries = drafts.entries(node, steps, "a problem", &["path", "message"])?;
    let Some((at, node)) = entries.get("path") else {
        drafts.push(DraftedProblem::of_value(steps, "a problem is missing `path`", "path, message"));
        return None;
    };
    let text = drafts.text(node, &at, "`path`", POINTER);
    let path = text.and_then(|text| pointer(drafts, text, &at));
    let message = optional(drafts, entries.get("message"), "`message`");
    Some(ExpectedProblem { path: path?, message: message? })
}

const POINTER: &str = "a JSON pointer such as /allow/0; `\"\"` is the whole of the settings";

fn pointer(drafts: &mut DraftedProblems, text: &str, steps: &[usize]) -> Option<String> {
    if text.is_empty() || text.starts_with('/') {
        return Some(text.to_owned());
    }
    let draft = DraftedProblem::of_value(steps, format!("`{}` is no JSON pointer", quoted(text)), POINTER);
    drafts.push(DraftedProblem { suggestion: Some(quoted(&format!("/{}", text.replace('.', "/")))), ..draft });
    None
}
