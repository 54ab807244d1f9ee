//! Reads YAML that people write, within bounds, and says where everything stands.
//!
//! [`parse`] makes a tree in which nothing is lost: duplicate keys and tags stay. [`locate`] finds the line and column of
//! a node, [`key_positions`] those of many. [`to_json`] makes JSON of a tree, or says what in it JSON can't express.

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

/// What a text may have, so that no text costs more than its kind is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What is read, in words, such as "a configuration".
    pub document: &'static str,
    /// The size with every alias written out: bytes of text, and two for every value.
    pub expanded: usize,
    /// Opening brackets, `[` and `{` together: the parser's time grows with the square of their depth, and only their
    /// number can be known before it runs.
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
