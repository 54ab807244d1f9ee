//! The place of a value: its file, and the path to it there.
//!
//! `reader` makes a place for each value that it reads. The YAML parser gives lines and columns only with errors, so a
//! place holds the path to its value, and the line is looked up when it is needed.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::BOUNDS;
use crate::problem::shown;
use smcp_model::text::SafeText;
use smcp_yaml::Half;
use smcp_yaml::Position;
use smcp_yaml::YamlNode;

/// The text of one configuration file, kept so that a value's line can be looked up.
#[derive(PartialEq, Eq)]
pub(super) struct SourceText {
    /// The file's absolute path.
    pub(super) file: PathBuf,
    /// The file as messages show it.
    pub(super) name: String,
    /// The file's content, at most [`smcp_model::limits::CONFIG_FILE`] bytes.
    pub(super) text: String,
}

/// Leaves out the text, which may contain secrets.
impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceText").field("file", &self.file).finish_non_exhaustive()
    }
}

impl SourceText {
    /// Keeps the text of a file: `file` as the user named it, `path` as an absolute path.
    pub(super) fn new(file: &Path, path: PathBuf, home: Option<&Path>, text: &str) -> Arc<Self> {
        Arc::new(Self { file: path, name: shown(file, home), text: text.to_owned() })
    }
}

/// The path to a node: indices for the parser, and a dotted path for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trail {
    pub(super) steps: Vec<usize>,
    pub(super) path: String,
}

impl Trail {
    /// Returns the path one step further: `.key` or `[index]`.
    pub(super) fn then(&self, index: usize, label: &str) -> Self {
        let steps = self.steps.iter().copied().chain([index]).collect();
        let path = format!("{}{label}", self.path);
        Self { steps, path: path.strip_prefix('.').map(str::to_owned).unwrap_or(path) }
    }
}

/// The place of a value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    pub(super) source: Arc<SourceText>,
    pub(super) trail: Trail,
}

impl FilePlace {
    /// Returns the file's absolute path.
    pub fn file(&self) -> &Path {
        &self.source.file
    }

    /// Returns the key with those above it, such as `policy.custom[0].name`; empty for the whole file.
    pub fn key(&self) -> &str {
        &self.trail.path
    }

    /// Returns the place of an item of the list at this place.
    pub(super) fn item(&self, index: usize) -> Self {
        Self { source: Arc::clone(&self.source), trail: self.trail.then(index, &format!("[{index}]")) }
    }

    /// Returns `FILE:LINE`, with the file's absolute path. This parses the file's text again, up to the value.
    pub fn line(&self) -> SafeText {
        let file = self.file().display();
        SafeText::new(&self.position().map_or_else(|| file.to_string(), |at| format!("{file}:{}", at.line)))
    }

    /// Returns the line and column of the value; `None` in a file without text, such as a component. This parses the
    /// file's text again, up to the value.
    pub fn position(&self) -> Option<Position> {
        let text = &self.source.text;
        if text.is_empty() { None } else { smcp_yaml::locate(text, &self.trail.steps, Half::Value) }
    }
}

impl FilePlace {
    /// Returns the place of a value inside the one here: of `key`, and there of what a JSON pointer (RFC 6901) leads to.
    /// It goes as far as the file does: what is absent is in the mapping or list that lacks it.
    pub(super) fn inside(&self, key: &str, pointer: &str) -> Self {
        let mut place = self.clone();
        let Ok(root) = smcp_yaml::parse(&self.source.text, &BOUNDS) else { return place };
        let escaped = key.replace('~', "~0").replace('/', "~1");
        let mut node = smcp_yaml::below(&root, &self.trail.steps);
        for (index, segment) in
            node.map_or_else(Vec::new, |node| smcp_yaml::follow(node, &format!("/{escaped}{pointer}")))
        {
            let label =
                if matches!(node, Some(YamlNode::List(_))) { format!("[{segment}]") } else { format!(".{segment}") };
            place.trail = place.trail.then(index, &label);
            node = node.and_then(|node| smcp_yaml::below(node, &[index]));
        }
        place
    }
}

/// Writes the file as messages show it, with line and column where they can be found.
impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source.name)?;
        self.position().map_or(Ok(()), |Position { line, column }| write!(f, ":{line}:{column}"))
    }
}

/// A value from a file, and its place there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenValue<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: FilePlace,
}

impl<T> WrittenValue<T> {
    /// Returns another value in the same place.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> WrittenValue<U> {
        WrittenValue { value: change(self.value), place: self.place }
    }
}
