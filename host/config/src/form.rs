//! Forms of values: each reads a value, describes it, and has its schema.
//!
//! `keys` gives each key a form; `reader` applies it to the tree of `raw`.

mod place;

pub(super) use crate::form::place::WrittenSource;
pub(super) use crate::form::place::path;
pub(super) use crate::form::place::registry;
pub(super) use crate::form::place::set_source;
pub(super) use crate::form::place::source;
pub(super) use smcp_model::near::nearest;

use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::problem::ProblemCode;
use smcp_model::registry::without_secrets;
use smcp_model::text::SafeText;
use smcp_model::text::has_something_to_see;
use smcp_yaml::Half;
use smcp_yaml::YamlNode;

/// The directories that paths in a file are relative to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base<'a> {
    /// The directory of the file, absolute.
    pub(super) directory: &'a Path,
    /// The directory that `~/` means.
    pub(super) home: Option<&'a Path>,
}

/// A value, or a part of it, that its form does not allow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// The path from the value to the part: indices of items and entries, and their labels in a dotted path.
    pub(super) below: Vec<(usize, String)>,
    /// The half of the last entry that is wrong.
    pub(super) half: Half,
    /// The kind of problem.
    pub(super) code: ProblemCode,
    /// A description of the value, as a predicate: "is the number 4".
    pub(super) description: String,
    /// What is allowed.
    pub(super) allowed: String,
    /// The most likely correction.
    pub(super) suggestion: Option<String>,
}

impl Mismatch {
    pub(super) fn new(description: String, allowed: impl Into<String>) -> Self {
        let (half, code) = (Half::Value, ProblemCode::BadValue);
        Self { below: Vec::new(), half, code, description, allowed: allowed.into(), suggestion: None }
    }

    /// Returns the same mismatch, as a part of the list or map that contains the value.
    pub(super) fn inside(mut self, index: usize, label: String) -> Self {
        self.below.insert(0, (index, label));
        self
    }
}

/// A form with a schema, by which an editor knows the valid values.
pub(super) trait ValueSchema {
    /// Returns the JSON Schema of the valid values.
    fn schema(&self) -> Value;
}

/// A form that reads values.
pub(super) trait ValueForm: ValueSchema {
    /// The type of the values that it reads.
    type Value;

    /// Reads a value, or returns everything that is wrong with it.
    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<Self::Value, Vec<Mismatch>>;
}

/// Returns the description of a value for a message, as a predicate.
pub(super) fn describe(node: &YamlNode) -> String {
    match node {
        YamlNode::Null => "has no value".to_owned(),
        YamlNode::Bool(value) => format!("is the boolean `{value}`"),
        YamlNode::Integer(value) => format!("is the number {value}"),
        YamlNode::Float(value) => format!("is the fractional number {value}"),
        // An address may hold a password.
        YamlNode::Text(text) if text.contains("://") => {
            format!("is the text `{}`", SafeText::quoted_value(&without_secrets(text)))
        }
        YamlNode::Text(text) => format!("is the text `{}`", SafeText::quoted_value(text)),
        YamlNode::List(_) => "is a list".to_owned(),
        YamlNode::Map(_) => "is a mapping".to_owned(),
        YamlNode::Tagged(tag) => format!("has the tag `!{}`", SafeText::quoted_value(tag)),
    }
}

/// Returns a word without differences in case, spaces and hyphens.
fn normalized(text: &str) -> String {
    text.trim().to_lowercase().replace(['-', ' '], "_")
}

/// Words of other tools, and smcp's words for them. A word is suggested only where it is allowed.
const SYNONYMS: [(&str, &str); 29] = [
    ("off", "disabled"),
    ("no", "disabled"),
    ("none", "disabled"),
    ("false", "disabled"),
    ("ignore", "disabled"),
    ("skip", "disabled"),
    ("allow", "disabled"),
    ("on", "strict"),
    ("yes", "strict"),
    ("true", "strict"),
    ("block", "strict"),
    ("deny", "strict"),
    ("enabled", "strict"),
    ("enforce", "strict"),
    ("enforcing", "strict"),
    ("error", "strict"),
    ("audit", "warn"),
    ("monitor", "warn"),
    ("permissive", "warn"),
    ("log", "warn"),
    ("warning", "warn"),
    ("notify", "warn"),
    ("ask", "confirm"),
    ("prompt", "confirm"),
    ("warn", "notify"),
    ("strict", "enforce"),
    ("block", "enforce"),
    ("warn", "notice"),
    ("on", "required"),
];

/// A whole number from 0 to `max`, as the type that holds it.
#[derive(Debug)]
pub(super) struct Number<T: 'static> {
    pub(super) max: u8,
    pub(super) new: fn(u64) -> Option<T>,
}

impl<T> ValueForm for Number<T> {
    type Value = T;

    fn read(&self, node: &YamlNode, _: Base<'_>) -> Result<T, Vec<Mismatch>> {
        let number = if let YamlNode::Integer(number) = node { u64::try_from(*number).ok() } else { None };
        let allowed = || format!("a whole number from 0 to {}", self.max);
        number.and_then(self.new).ok_or_else(|| vec![Mismatch::new(describe(node), allowed())])
    }
}

impl<T> ValueSchema for Number<T> {
    fn schema(&self) -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": self.max })
    }
}

/// A whole number of things.
#[derive(Debug)]
pub(super) struct CountForm {
    pub(super) least: usize,
    pub(super) most: usize,
}

impl ValueForm for CountForm {
    type Value = usize;

    fn read(&self, node: &YamlNode, _: Base<'_>) -> Result<usize, Vec<Mismatch>> {
        let number = if let YamlNode::Integer(number) = node { usize::try_from(*number).ok() } else { None };
        let allowed = || format!("a whole number from {} to {}", self.least, self.most);
        let within = number.filter(|number| (self.least..=self.most).contains(number));
        within.ok_or_else(|| vec![Mismatch::new(describe(node), allowed())])
    }
}

impl ValueSchema for CountForm {
    fn schema(&self) -> Value {
        json!({ "type": "integer", "minimum": self.least, "maximum": self.most })
    }
}

/// One of a few words, exactly as they are written.
#[derive(Debug)]
pub(super) struct Word<T: 'static> {
    pub(super) all: &'static [T],
    pub(super) name: fn(T) -> &'static str,
}

impl<T: Copy> Word<T> {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|word| (self.name)(*word))
    }
}

impl<T: Copy> ValueForm for Word<T> {
    type Value = T;

    fn read(&self, node: &YamlNode, _: Base<'_>) -> Result<T, Vec<Mismatch>> {
        let text = match node {
            YamlNode::Text(text) => text.as_str(),
            YamlNode::Bool(true) => "true",
            YamlNode::Bool(false) => "false",
            YamlNode::Null
            | YamlNode::Integer(_)
            | YamlNode::Float(_)
            | YamlNode::List(_)
            | YamlNode::Map(_)
            | YamlNode::Tagged(_) => "",
        };
        let known = self.all.iter().copied().find(|word| (self.name)(*word) == text);
        known.ok_or_else(|| {
            let allowed = self.names().collect::<Vec<_>>().join(", ");
            let meant = || {
                SYNONYMS.iter().find(|(word, name)| normalized(text) == *word && self.names().any(|own| own == *name))
            };
            let suggestion = nearest(text, self.names()).or_else(|| meant().map(|(_, name)| *name)).map(str::to_owned);
            vec![Mismatch { suggestion, ..Mismatch::new(describe(node), allowed) }]
        })
    }
}

impl<T: Copy> ValueSchema for Word<T> {
    fn schema(&self) -> Value {
        json!({ "enum": self.names().collect::<Vec<_>>() })
    }
}

/// The reason why a text is refused; `None` when the list of what is allowed explains it.
pub(super) type RefusalReason = Option<&'static str>;

/// Text that a function parses.
#[derive(Debug)]
pub(super) struct Parsed<T: 'static> {
    pub(super) allowed: &'static str,
    /// Words to suggest for a typo.
    pub(super) words: &'static [&'static str],
    pub(super) parse: fn(&str, Base<'_>) -> Result<T, RefusalReason>,
    /// A regular expression for editors; it may be wider than what `parse` takes, never narrower.
    pub(super) pattern: &'static str,
}

impl<T> ValueForm for Parsed<T> {
    type Value = T;

    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<T, Vec<Mismatch>> {
        let YamlNode::Text(text) = node else { return Err(vec![Mismatch::new(describe(node), self.allowed)]) };
        (self.parse)(text, base).map_err(|why| {
            let near = nearest(text.trim(), self.words.iter().copied()).map(str::to_owned);
            let repairs = || if why.is_some() { addresses(text) } else { spellings(text) };
            let meant = || repairs().into_iter().find(|repaired| (self.parse)(repaired, base).is_ok());
            let found = why.map_or_else(|| describe(node), |why| format!("{}: {why}", describe(node)));
            vec![Mismatch { suggestion: near.or_else(meant), ..Mismatch::new(found, self.allowed) }]
        })
    }
}

/// Returns corrected spellings of a name or digest; the first that can be read is suggested.
fn spellings(text: &str) -> Vec<String> {
    let lower = text.trim().to_lowercase();
    let digest = format!("sha256:{}", lower.strip_prefix("sha256-").unwrap_or(&lower));
    // A longer text is not a typo.
    if digest.len() > 100 { Vec::new() } else { vec![lower.replace(['_', ' ', '.'], "-"), lower, digest] }
}

/// Returns corrected spellings of a path or address. Only an address of this machine can be read as `http`.
fn addresses(text: &str) -> Vec<String> {
    let rest = ["$HOME/", "${HOME}/"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let home = rest.map(|rest| format!("~/{rest}"));
    let may_be_address = !text.contains("://") && !text.contains(['$', '%']);
    let url = |scheme| may_be_address.then(|| format!("{scheme}://{}", text.trim()));
    home.into_iter().chain(url("http")).chain(url("https")).collect()
}

impl<T> ValueSchema for Parsed<T> {
    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": self.pattern })
    }
}

/// A text for people, on one line: line breaks become spaces.
#[derive(Debug)]
pub(super) struct Sentence {
    /// Its longest form, bytes.
    pub(super) most: usize,
}

impl ValueForm for Sentence {
    type Value = SafeText;

    fn read(&self, node: &YamlNode, _: Base<'_>) -> Result<SafeText, Vec<Mismatch>> {
        let text = if let YamlNode::Text(text) = node { Some(text.trim()) } else { None };
        let fits = |text: &&str| text.len() <= self.most && has_something_to_see(text);
        let mismatch = || vec![Mismatch::new(describe(node), format!("a text of 1 to {} bytes", self.most))];
        text.filter(fits).map(SafeText::new).ok_or_else(mismatch)
    }
}

impl ValueSchema for Sentence {
    fn schema(&self) -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// A list whose items have one form.
#[derive(Debug)]
pub(super) struct ListOf<F: 'static> {
    pub(super) allowed: &'static str,
    pub(super) items: F,
}

impl<F: ValueForm> ValueForm for ListOf<F> {
    type Value = Vec<F::Value>;

    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<Self::Value, Vec<Mismatch>> {
        let YamlNode::List(items) = node else { return Err(vec![Mismatch::new(describe(node), self.allowed)]) };
        let (mut values, mut mismatches) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.items.read(item, base) {
                Ok(value) => values.push(value),
                Err(wrong) => {
                    mismatches.extend(wrong.into_iter().map(|wrong| wrong.inside(index, format!("[{index}]"))));
                }
            }
        }
        if mismatches.is_empty() { Ok(values) } else { Err(mismatches) }
    }
}

impl<F: ValueSchema> ValueSchema for ListOf<F> {
    fn schema(&self) -> Value {
        json!({ "type": "array", "items": self.items.schema() })
    }
}

/// A list with at least one item, and at most so many.
#[derive(Debug)]
pub(super) struct NonEmpty<F: 'static> {
    pub(super) list: ListOf<F>,
    pub(super) most: usize,
}

impl<F: ValueForm> ValueForm for NonEmpty<F> {
    type Value = Vec<F::Value>;

    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<Self::Value, Vec<Mismatch>> {
        let items = self.list.read(node, base)?;
        let wrong = || Mismatch::new(format!("has {} items", items.len()), self.list.allowed);
        if (1..=self.most).contains(&items.len()) { Ok(items) } else { Err(vec![wrong()]) }
    }
}

impl<F: ValueSchema> ValueSchema for NonEmpty<F> {
    fn schema(&self) -> Value {
        json!({ "type": "array", "items": self.list.items.schema(), "minItems": 1, "maxItems": self.most })
    }
}
