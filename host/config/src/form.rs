//! What a value may look like: a form reads it, names it, has its schema.
//!
//! `keys` joins forms to names; `reader` applies them to the tree that `raw` has read.

pub(super) use smcp_model::near::nearest;

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::problem::Code;
use crate::raw::Half;
use crate::raw::Node;
use smcp_model::path::PathError;
use smcp_model::path::absolute;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryError;
use smcp_model::registry::without_secrets;
use smcp_model::text::SafeText;

/// Where paths in a file start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base<'a> {
    /// The directory of the file, absolute.
    pub(super) directory: &'a Path,
    /// What `~/` stands for.
    pub(super) home: Option<&'a Path>,
}

/// A value, or a part of it, isn't what its form allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// The way from the value to the part: indices of items and entries, with what a dotted path says of them.
    pub(super) below: Vec<(usize, String)>,
    /// Which half of the last entry it is about.
    pub(super) half: Half,
    /// What kind of problem it is.
    pub(super) code: Code,
    /// What was found, as a predicate: "is the number 4".
    pub(super) found: String,
    /// What is allowed.
    pub(super) allowed: String,
    /// The nearest allowed word.
    pub(super) suggestion: Option<String>,
}

impl Mismatch {
    pub(super) fn new(found: String, allowed: impl Into<String>) -> Self {
        let (half, code) = (Half::Value, Code::BadValue);
        Self { below: Vec::new(), half, code, found, allowed: allowed.into(), suggestion: None }
    }

    /// The same, seen from one list or map further up.
    pub(super) fn inside(mut self, index: usize, label: String) -> Self {
        self.below.insert(0, (index, label));
        self
    }
}

/// Something of which an editor can be told what is valid.
pub(super) trait Shape {
    /// Whether messages offer it to the reader.
    const OFFERED: bool = true;

    /// JSON Schema of the valid values.
    fn schema(&self) -> Value;
}

/// A form that values can have.
pub(super) trait Form: Shape {
    /// What it reads.
    type Value;

    /// Reads a value, or says everything that is wrong with it.
    fn read(&self, node: &Node, base: Base<'_>) -> Result<Self::Value, Vec<Mismatch>>;
}

/// What a message says of a value, as a predicate.
pub(super) fn describe(node: &Node) -> String {
    match node {
        Node::Null => "has no value".to_owned(),
        Node::Bool(value) => format!("is the boolean `{value}`"),
        Node::Integer(value) => format!("is the number {value}"),
        Node::Float(value) => format!("is the fractional number {value}"),
        Node::Text(text) => format!("is the text `{}`", SafeText::quoted_value(&without_secrets(text))),
        Node::List(_) => "is a list".to_owned(),
        Node::Map(_) => "is a mapping".to_owned(),
        Node::Tagged(tag) => format!("has the tag `!{}`", SafeText::quoted_value(tag)),
    }
}

/// A word without what people confuse in it.
fn plain(text: &str) -> String {
    text.trim().to_lowercase().replace(['-', ' '], "_")
}

/// What other tools call our words; one is suggested only where it is allowed.
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

impl<T> Form for Number<T> {
    type Value = T;

    fn read(&self, node: &Node, _: Base<'_>) -> Result<T, Vec<Mismatch>> {
        let number = if let Node::Integer(number) = node { u64::try_from(*number).ok() } else { None };
        let allowed = || format!("a whole number from 0 to {}", self.max);
        number.and_then(self.new).ok_or_else(|| vec![Mismatch::new(describe(node), allowed())])
    }
}

impl<T> Shape for Number<T> {
    fn schema(&self) -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": self.max })
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

impl<T: Copy> Form for Word<T> {
    type Value = T;

    fn read(&self, node: &Node, _: Base<'_>) -> Result<T, Vec<Mismatch>> {
        let text = match node {
            Node::Text(text) => text.as_str(),
            Node::Bool(true) => "true",
            Node::Bool(false) => "false",
            Node::Null | Node::Integer(_) | Node::Float(_) | Node::List(_) | Node::Map(_) | Node::Tagged(_) => "",
        };
        let known = self.all.iter().copied().find(|word| (self.name)(*word) == text);
        known.ok_or_else(|| {
            let allowed = self.names().collect::<Vec<_>>().join(", ");
            let meant =
                || SYNONYMS.iter().find(|(word, name)| plain(text) == *word && self.names().any(|own| own == *name));
            let suggestion = nearest(text, self.names()).or_else(|| meant().map(|(_, name)| *name)).map(str::to_owned);
            vec![Mismatch { suggestion, ..Mismatch::new(describe(node), allowed) }]
        })
    }
}

impl<T: Copy> Shape for Word<T> {
    fn schema(&self) -> Value {
        json!({ "enum": self.names().collect::<Vec<_>>() })
    }
}

/// Why a text is not what it should be, behind what a message says of it; `None` when what is allowed says it.
pub(super) type Why = Option<&'static str>;

/// Text that a function turns into something.
#[derive(Debug)]
pub(super) struct Parsed<T: 'static> {
    pub(super) allowed: &'static str,
    /// Words that a typo may have been meant for.
    pub(super) words: &'static [&'static str],
    pub(super) parse: fn(&str, Base<'_>) -> Result<T, Why>,
    /// A regular expression for editors; it may be wider than what `parse` takes, never narrower.
    pub(super) pattern: &'static str,
}

impl<T> Form for Parsed<T> {
    type Value = T;

    fn read(&self, node: &Node, base: Base<'_>) -> Result<T, Vec<Mismatch>> {
        let Node::Text(text) = node else { return Err(vec![Mismatch::new(describe(node), self.allowed)]) };
        (self.parse)(text, base).map_err(|why| {
            let near = nearest(text.trim(), self.words.iter().copied()).map(str::to_owned);
            let repairs = || if why.is_some() { addresses(text) } else { spellings(text) };
            let meant = || repairs().into_iter().find(|repaired| (self.parse)(repaired, base).is_ok());
            let found = why.map_or_else(|| describe(node), |why| format!("{}: {why}", describe(node)));
            vec![Mismatch { suggestion: near.or_else(meant), ..Mismatch::new(found, self.allowed) }]
        })
    }
}

/// Names and digests that somebody may have meant by a text: the first that can be read is suggested.
fn spellings(text: &str) -> Vec<String> {
    let lower = text.trim().to_lowercase();
    let digest = format!("sha256:{}", lower.strip_prefix("sha256-").unwrap_or(&lower));
    // A longer one is not what anybody typed wrong.
    if digest.len() > 100 { Vec::new() } else { vec![lower.replace(['_', ' ', '.'], "-"), lower, digest] }
}

/// The same of paths and addresses. Only an address of this machine may be `http`.
fn addresses(text: &str) -> Vec<String> {
    let rest = ["$HOME/", "${HOME}/"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let home = rest.map(|rest| format!("~/{rest}"));
    let is_plain = !text.contains("://") && !text.contains(['$', '%']);
    let url = |scheme| is_plain.then(|| format!("{scheme}://{}", text.trim()));
    home.into_iter().chain(url("http")).chain(url("https")).collect()
}

impl<T> Shape for Parsed<T> {
    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": self.pattern })
    }
}

/// A list whose items have one form.
#[derive(Debug)]
pub(super) struct ListOf<F: 'static> {
    pub(super) allowed: &'static str,
    pub(super) items: F,
}

impl<F: Form> Form for ListOf<F> {
    type Value = Vec<F::Value>;

    fn read(&self, node: &Node, base: Base<'_>) -> Result<Self::Value, Vec<Mismatch>> {
        let Node::List(items) = node else { return Err(vec![Mismatch::new(describe(node), self.allowed)]) };
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

impl<F: Shape> Shape for ListOf<F> {
    fn schema(&self) -> Value {
        json!({ "type": "array", "items": self.items.schema() })
    }
}

/// An absolute path from a text; relative ones start at the directory of the file.
pub(super) fn path(text: &str, base: Base<'_>) -> Result<PathBuf, Why> {
    // An address is no path, and a directory of that name is not what anybody means.
    if text.contains("://") {
        return Err(Some("nothing is fetched from an address by this version yet"));
    }
    if is_image(text) {
        return Err(Some(
            "nothing is fetched from a registry of images by this version yet; a folder of that name is `./…`",
        ));
    }
    absolute(Path::new(text), base.directory, base.home).map_err(|error| match error {
        PathError::Variable { .. } => Some(VARIABLE),
        PathError::NoHome => Some("`~` stands for HOME, which is not an absolute path"),
        PathError::OtherHome => Some("the home of another user is not looked up"),
        PathError::Empty | PathError::Nul | PathError::Relative { .. } => None,
    })
}

const VARIABLE: &str = "variables are not expanded";

/// Whether a text looks like an image in a registry: `ghcr.io/org/name:1`.
fn is_image(text: &str) -> bool {
    let Some((host, rest)) = text.split_once('/') else { return false };
    let is_host = !host.starts_with('.') && host.contains(['.', ':']);
    is_host && rest.rsplit('/').next().is_some_and(|last| last.contains([':', '@']))
}

/// A registry from a text; a relative directory starts at that of the file.
pub(super) fn registry(text: &str, base: Base<'_>) -> Result<Registry, Why> {
    Registry::from_text(text, base.directory, base.home).map_err(|error| match error {
        RegistryError::Neither { .. } => None,
        RegistryError::Oci { .. } => Some("OCI registries are not supported by this version yet"),
        RegistryError::NoScheme { .. } => {
            Some("it has no scheme: write https://… for a registry behind a URL, or ./… for a folder of that name")
        }
        RegistryError::Path(_) => Some(VARIABLE),
    })
}
