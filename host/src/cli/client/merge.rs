//! Adds a server to a client's file, in the format of the file.
//!
//! What the client and its user wrote stays as it is.

mod json;
mod toml;
mod yaml;

use serde_json::Value;

use smcp_model::limits;

/// The format of a client's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum FileFormat {
    /// JSON: changed byte by byte.
    Json,
    /// TOML: changed by a parser that keeps comments and layout.
    Toml,
    /// YAML: printed, never changed.
    Yaml,
    /// YAML at the head of a Markdown text: read, never changed.
    Markdown,
}

/// One thing that has to be in the file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum Addition {
    /// A server, under its name in a mapping of servers.
    Member {
        /// The key of the mapping.
        section: &'static str,
        /// The server's name.
        name: String,
        /// The server.
        value: Value,
    },
    /// An element of a list, unless one with the same `id` is there already.
    Element {
        /// The key of the list.
        section: &'static str,
        /// The element.
        value: Value,
    },
}

/// What a client starts from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct ClientCommand {
    /// The program.
    pub(in crate::cli) program: String,
    /// Its arguments.
    pub(in crate::cli) args: Vec<String>,
}

impl ClientCommand {
    /// Puts it into an entry of any client.
    pub(in crate::cli) fn put_into(&self, entry: &mut Value) {
        let Some(members) = entry.as_object_mut() else { return };
        let list = |words: &mut dyn Iterator<Item = &String>| words.map(|word| Value::from(word.as_str())).collect();
        match members.get_mut("command") {
            Some(Value::Array(words)) => *words = list(&mut std::iter::once(&self.program).chain(&self.args)),
            Some(Value::Object(command)) => {
                command.insert("path".to_owned(), self.program.as_str().into());
                command.insert("args".to_owned(), Value::Array(list(&mut self.args.iter())));
            }
            _ => {
                members.insert("command".to_owned(), self.program.as_str().into());
                members.insert("args".to_owned(), Value::Array(list(&mut self.args.iter())));
            }
        }
    }
}

/// Why a file can't be changed.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum MergeError {
    /// The file is not plain JSON; it may have comments or trailing commas.
    #[error("it is not plain JSON, and smcp edits no file with comments or trailing commas, which it could lose: {0}")]
    Json(serde_json::Error),
    /// The file is not TOML.
    #[error("it is not TOML: {0}")]
    Toml(String),
    /// The layout of the file has no place for another server.
    #[error("its layout has no place for another server")]
    Layout,
    /// The file is YAML, and no parser keeps the comments and layout that a user wrote there.
    #[error("smcp changes no YAML, because it could not keep comments and layout")]
    Yaml,
    /// The file is JSON, but not an object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// The section has another type than the client expects.
    #[error("`{section}` in it is not {expected}")]
    Section {
        /// The section's key.
        section: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
    /// A key is there twice, and it is not known which one the client reads.
    #[error("`{0}` stands in it more than once")]
    Twice(String),
    /// The entry is not where it was, or has another shape.
    #[error("the command is not where it was")]
    Moved,
    /// A comment would be lost.
    #[error("a comment stands in the command, and would be lost")]
    Comment,
    /// The file has another server of this name.
    #[error("it has another server `{0}`")]
    Taken(String),
}

/// Reads a TOML file as JSON.
///
/// # Errors
/// [`MergeError::Toml`].
pub(in crate::cli) fn read_toml(text: &str) -> Result<Value, MergeError> {
    toml::read(text)
}

impl FileFormat {
    /// Returns a document with nothing but the additions.
    ///
    /// # Errors
    /// See [`MergeError`].
    pub(in crate::cli) fn document(self, additions: &[Addition]) -> Result<String, MergeError> {
        match self {
            Self::Json => json::merge("", additions, false),
            Self::Toml => toml::merge("", additions, false),
            Self::Yaml | Self::Markdown => Ok(yaml::document(additions)),
        }
    }

    /// Returns the text with all additions in it; the same text when they are there already. A different server of the
    /// same name is replaced only with `force`.
    ///
    /// # Errors
    /// See [`MergeError`].
    pub(in crate::cli) fn merge(self, text: &str, additions: &[Addition], force: bool) -> Result<String, MergeError> {
        match self {
            Self::Json => json::merge(text, additions, force),
            Self::Toml => toml::merge(text, additions, force),
            Self::Yaml | Self::Markdown => Err(MergeError::Yaml),
        }
    }

    /// Returns the line in which each of these entries begins, counted from 1; 0 where that is not known.
    pub(in crate::cli) fn lines(self, text: &str, entries: &[&[String]]) -> Vec<usize> {
        match self {
            // Each of them takes a walk through the text.
            Self::Json if text.len().saturating_mul(entries.len()) <= limits::CLIENT_FILE => json::lines(text, entries),
            Self::Json | Self::Toml | Self::Yaml | Self::Markdown => vec![0; entries.len()],
        }
    }

    /// Returns the text with another command in the entry that the keys lead to; comments and layout stay.
    ///
    /// # Errors
    /// See [`MergeError`].
    pub(in crate::cli) fn rewrite(
        self,
        text: &str,
        keys: &[String],
        new: &ClientCommand,
    ) -> Result<String, MergeError> {
        match self {
            Self::Json => json::rewrite(text, keys, new),
            Self::Toml => toml::rewrite(text, keys, new),
            Self::Yaml | Self::Markdown => Err(MergeError::Yaml),
        }
    }
}
