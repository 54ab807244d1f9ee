//! Makes cases of YAML, or reports all problems.

use std::collections::BTreeMap;
use std::io;

use serde_json::Map;
use serde_json::Value;

use crate::case::Case;
use crate::case::CaseContext;
use crate::case::CaseFile;
use crate::case::Limits;
use crate::draft::DraftedProblem;
use crate::draft::DraftedProblems;
use crate::draft::KnownEntries;
use crate::draft::Steps;
use crate::draft::described;
use crate::draft::then;
use crate::expect;
use crate::expect::Expectation;
use crate::facts;
use crate::merge::merge_members;
use crate::moment::FORM;
use crate::moment::moment;
use crate::near::nearest;
use crate::problem::CaseProblem;
use crate::problem::CaseProblems;
use crate::problem::is_visible;
use crate::problem::quoted;
use smcp_yaml::Bounds;
use smcp_yaml::Position;
use smcp_yaml::YamlNode;
use smcp_yaml::key_positions;

/// Reads the cases of one file.
///
/// # Errors
/// With every problem of the file: it is too large, not UTF-8, not one YAML document, or parts of it have no meaning.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<CaseFile, CaseProblems> {
    let text = text_of(bytes, limits)?;
    let root = tree_of(text, limits)?;
    let mut drafts = DraftedProblems::default();
    let drafted = file(&mut drafts, &root, limits);
    let Some(drafted) = drafted.filter(|_| drafts.is_empty()) else { return Err(drafts.finish(text, limits)) };
    let Drafted { cases, steps, facts_size } = drafted;
    let positions = key_positions(text, &steps);
    let placed = cases.into_iter().enumerate().map(|(index, case)| {
        let keys = positions.get(index).map(Vec::as_slice).unwrap_or_default();
        let at = |key: usize| keys.get(key).copied().unwrap_or(Position { line: 1, column: 1 });
        let DraftedCase { name, facts, settings, context, expect, expect_key } = case;
        Case { name, facts, settings, context, expect, position: at(0), expected_at: at(expect_key) }
    });
    Ok(CaseFile { cases: placed.collect(), facts_size })
}

/// The cases of a file without their places, and the way to their list.
struct Drafted {
    cases: Vec<DraftedCase>,
    steps: Steps,
    facts_size: usize,
}

struct DraftedCase {
    name: String,
    facts: Map<String, Value>,
    settings: Value,
    context: CaseContext,
    expect: Expectation,
    /// The index of the key `expect`.
    expect_key: usize,
}

/// The byte order mark that some editors put before a text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the bytes as text without a byte order mark.
pub(crate) fn text_of<'b>(bytes: &'b [u8], limits: &Limits) -> Result<&'b str, CaseProblems> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.len() > limits.file {
        let (found, allowed) =
            (format!("the file has {} bytes", bytes.len()), format!("at most {} bytes", limits.file));
        return Err(CaseProblem::of_file(&found, &allowed).into());
    }
    str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| str::from_utf8(valid).ok()).unwrap_or_default();
        let position = Some(smcp_yaml::position_of(valid, valid.len()));
        CaseProblem { position, ..CaseProblem::of_file("this is not UTF-8", "UTF-8 text") }.into()
    })
}

/// Returns the text as a tree, if it is at most one YAML document within the bounds.
pub(crate) fn tree_of(text: &str, limits: &Limits) -> Result<YamlNode, CaseProblems> {
    let bounds = Bounds { document: "a case file", expanded: limits.expanded, brackets: limits.brackets };
    smcp_yaml::parse(text, &bounds).map_err(|wrong| {
        let smcp_yaml::Malformed { message, position, allowed } = wrong;
        CaseProblem { position, message, allowed, suggestion: None }.into()
    })
}

const FILE: [&str; 2] = ["defaults", "cases"];
const CASE: [&str; 6] = ["name", "from", "facts", "settings", "context", "expect"];

fn file(drafts: &mut DraftedProblems, root: &YamlNode, limits: &Limits) -> Option<Drafted> {
    let entries = drafts.entries(root, &[], "a case file", &FILE)?;
    let defaults = defaults(drafts, &entries);
    let Some((steps, node)) = entries.get("cases") else {
        drafts.push(DraftedProblem::of_value(&[], "a case file is missing `cases`", FILE.join(", ")));
        return None;
    };
    let items = drafts.items(node, &steps, "`cases`", "a list of cases")?;
    if items.is_empty() || items.len() > limits.cases {
        let (found, allowed) = (format!("`cases` has {} cases", items.len()), format!("1 to {}", limits.cases));
        drafts.push(DraftedProblem::of_value(&steps, found, allowed));
        return None;
    }
    let mut reader = CaseReader { defaults, names: BTreeMap::new(), facts_left: limits.facts, limits };
    let mut cases = Vec::new();
    for (index, item) in items.iter().enumerate() {
        cases.extend(reader.case(drafts, item, &then(&steps, index)));
    }
    let facts_size = limits.facts.saturating_sub(reader.facts_left);
    (cases.len() == items.len()).then_some(Drafted { cases, steps, facts_size })
}

/// Named sets of facts; `None` for a set with problems.
type Defaults = BTreeMap<String, Option<Map<String, Value>>>;

fn defaults(drafts: &mut DraftedProblems, entries: &KnownEntries<'_>) -> Defaults {
    let mut defaults = Defaults::new();
    let Some((steps, node)) = entries.get("defaults") else { return defaults };
    let YamlNode::Map(sets) = node else {
        let allowed = "a mapping of names to facts";
        drafts.push(DraftedProblem::of_value(&steps, format!("`defaults` {}", described(node)), allowed));
        return defaults;
    };
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (key, node)) in sets.iter().enumerate() {
        let at = then(&steps, index);
        let YamlNode::Text(name) = key else {
            drafts.push(DraftedProblem::of_key(&at, format!("a name in `defaults` {}", described(key)), "a text"));
            continue;
        };
        if let Some(first) = first.get(name.as_str()) {
            let draft = DraftedProblem::of_key(
                &at,
                format!("duplicate name `{}` in `defaults`", quoted(name)),
                "each name once",
            );
            drafts.push(DraftedProblem { first: Some(then(&steps, *first)), ..draft });
            continue;
        }
        first.insert(name, index);
        defaults.insert(name.clone(), facts::read(drafts, node, &at, &format!("`defaults.{}`", quoted(name))));
    }
    defaults
}

struct CaseReader<'l> {
    defaults: Defaults,
    /// The names of the cases so far, and the ways to them.
    names: BTreeMap<String, Steps>,
    /// The bytes of facts that are left for the following cases.
    facts_left: usize,
    limits: &'l Limits,
}

impl CaseReader<'_> {
    fn case(&mut self, drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<DraftedCase> {
        let entries = drafts.entries(node, steps, "a case", &CASE)?;
        let name = self.name(drafts, &entries, steps);
        let facts = self.facts(drafts, &entries, steps);
        let settings = match entries.get("settings") {
            Some((steps, node)) => drafts.json(node, &steps),
            None => Some(Value::Object(Map::new())),
        };
        let context =
            entries.get("context").map_or(Some(CaseContext::default()), |(at, node)| context(drafts, node, &at));
        let Some((at, node)) = entries.get("expect") else {
            let allowed = "`expect: allow`, or what the policy should find";
            drafts.push(DraftedProblem::of_value(steps, "a case is missing `expect`", allowed));
            return None;
        };
        let expect = expect::read(drafts, node, &at);
        let expect_key = at.last().copied().unwrap_or_default();
        Some(DraftedCase {
            name: name?,
            facts: facts?,
            settings: settings?,
            context: context?,
            expect: expect?,
            expect_key,
        })
    }

    fn name(&mut self, drafts: &mut DraftedProblems, entries: &KnownEntries<'_>, steps: &[usize]) -> Option<String> {
        let Some((at, node)) = entries.get("name") else {
            drafts.push(DraftedProblem::of_value(steps, "a case is missing `name`", CASE.join(", ")));
            return None;
        };
        let allowed = format!("one line of text that can be seen, at most {} bytes", self.limits.name);
        let name = drafts.text(node, &at, "`name`", &allowed)?;
        if name.trim().is_empty() || name.len() > self.limits.name || !is_visible(name) {
            drafts.push(DraftedProblem::of_value(&at, format!("`name` is the text `{}`", quoted(name)), allowed));
            return None;
        }
        if let Some(first) = self.names.get(name) {
            let draft = DraftedProblem::of_value(
                &at,
                format!("another case has the name `{}`", quoted(name)),
                "each name once",
            );
            drafts.push(DraftedProblem { first: Some(first.clone()), ..draft });
            return None;
        }
        self.names.insert(name.to_owned(), at);
        Some(name.to_owned())
    }

    /// Returns the facts of a case, laid over the set that it begins with.
    fn facts(
        &mut self,
        drafts: &mut DraftedProblems,
        entries: &KnownEntries<'_>,
        steps: &[usize],
    ) -> Option<Map<String, Value>> {
        let from = entries.get("from");
        let below = match &from {
            Some((at, node)) => self.from(drafts, node, at),
            None => Some(&None),
        };
        let own = match entries.get("facts") {
            Some((at, node)) => facts::read(drafts, node, &at, "`facts`"),
            None => Some(Map::new()),
        };
        // The problems of the set are reported already.
        let mut facts = match (from, below?) {
            (Some(_), below) => below.clone()?,
            (None, _) => Map::new(),
        };
        // A fact that is null in `defaults` is unknown.
        facts.retain(|_, value| !value.is_null());
        merge_members(&mut facts, &own?);
        let at = entries.get("facts").map_or_else(|| steps.to_vec(), |(at, _)| at);
        if let Err(message) = facts::complete(&mut facts) {
            drafts.push(DraftedProblem::of_value(&at, message, "an entrypoint with a command"));
            return None;
        }
        let Some(left) = self.facts_left.checked_sub(size_of(&facts)) else {
            let allowed = format!("at most {} bytes", self.limits.facts);
            drafts.push(DraftedProblem::of_value(&at, "the facts of all cases together are too large", allowed));
            return None;
        };
        self.facts_left = left;
        Some(facts)
    }

    fn from(&self, drafts: &mut DraftedProblems, node: &YamlNode, at: &[usize]) -> Option<&Option<Map<String, Value>>> {
        let names: Vec<_> = self.defaults.keys().map(String::as_str).collect();
        let allowed = match names.as_slice() {
            [] => "a name of `defaults`, which this file doesn't have".to_owned(),
            names => names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "),
        };
        let name = drafts.text(node, at, "`from`", &allowed)?;
        let found = self.defaults.get(name);
        if found.is_none() {
            let draft = DraftedProblem::of_value(at, format!("`{}` is not in `defaults`", quoted(name)), allowed);
            drafts.push(draft.meaning(nearest(name, names)));
        }
        found
    }
}

/// Returns the size of facts as JSON, bytes.
fn size_of(facts: &Map<String, Value>) -> usize {
    let mut count = ByteCounter(0);
    // The counter accepts everything.
    let _ = serde_json::to_writer(&mut count, facts);
    count.0
}

/// Counts bytes and forgets them.
struct ByteCounter(usize);

impl io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn context(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize]) -> Option<CaseContext> {
    let entries = drafts.entries(node, steps, "`context`", &["at", "trust", "interactive"])?;
    let at = match entries.get("at") {
        Some((steps, node)) => {
            let read = if let YamlNode::Text(text) = node { moment(text) } else { None };
            if read.is_none() {
                drafts.push(DraftedProblem::of_value(&steps, format!("`at` {}", described(node)), FORM));
            }
            read
        }
        None => Some(0),
    };
    let mut truth = |key: &str| match entries.get(key) {
        Some((_, YamlNode::Bool(truth))) => Some(*truth),
        Some((steps, node)) => {
            drafts.push(DraftedProblem::of_value(&steps, format!("`{key}` {}", described(node)), "true, false"));
            None
        }
        None => Some(false),
    };
    let (trust, interactive) = (truth("trust"), truth("interactive"));
    Some(CaseContext { at: at?, trust: trust?, interactive: interactive? })
}
