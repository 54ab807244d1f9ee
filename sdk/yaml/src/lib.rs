//! Reads YAML that people write, within bounds, and finds the position of every node.
//!
//! [`parse`] makes a tree that keeps everything, also duplicate keys and tags. [`locate`] finds the line and column of
//! a node, [`key_positions`] those of many. [`to_json`] makes JSON of a tree, or reports the nodes that JSON can't
//! express.

mod json;
mod pointer;
mod text;
mod tree;

pub use crate::json::NotJson;
pub use crate::json::NotJsonKind;
pub use crate::json::to_json;
pub use crate::pointer::below;
pub use crate::pointer::follow;
pub use crate::text::position_of;
pub use crate::tree::Half;
pub use crate::tree::YamlNode;
pub use crate::tree::key_positions;
pub use crate::tree::locate;
pub use crate::tree::parse;

/// The bounds of a text: they limit the time and memory that it can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The kind of document, in words, such as "a configuration".
    pub document: &'static str,
    /// The size with every alias replaced by its value: bytes of text, and two for every value.
    pub expanded: usize,
    /// Opening brackets, `[` and `{` together. The parser's time grows with the square of their depth, and before it
    /// runs only their number is known.
    pub brackets: usize,
}

/// A position in a file; line and column are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// The error for a text that is not one YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub message: String,
    /// Where it is wrong; `None` when that is unknown.
    pub position: Option<Position>,
    /// The limit; `None` when no limit was exceeded.
    pub allowed: Option<String>,
}
