//! What is added to a client's file, in the format of the file.
//!
//! What the client and its user wrote stays as it is.

mod json;
mod toml;
mod yaml;

use serde_json::Value;

/// The format of a client's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// JSON: changed byte by byte.
    Json,
    /// TOML: changed by a parser that keeps comments and layout.
    Toml,
    /// YAML: printed, and never changed.
    Yaml,
}

/// One thing that has to stand in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Addition {
    /// A server, under its name in a mapping of servers.
    Member {
        /// The key of the mapping.
        section: &'static str,
        /// The server's name.
        name: String,
        /// What it is.
        value: Value,
    },
    /// An element of a list, unless one with the same `id` is there already.
    Element {
        /// The key of the list.
        section: &'static str,
        /// What it is.
        value: Value,
    },
}

/// Why a file stays as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    /// It can't be read as JSON; comments and trailing commas are none.
    #[error("it is not plain JSON, and smcp edits no file with comments or trailing commas, which it could lose: {0}")]
    Json(serde_json::Error),
    /// It can't be read as TOML.
    #[error("it is not TOML: {0}")]
    Toml(String),
    /// It is laid out in a way that has no place for one more.
    #[error("its layout has no place for another server")]
    Layout,
    /// No parser keeps what a user wrote in YAML.
    #[error("smcp changes no YAML, because it could not keep comments and layout")]
    Yaml,
    /// It is JSON, and no object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// The section is something else than it is for the client.
    #[error("`{section}` in it is not {expected}")]
    Section {
        /// Its key.
        section: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// Which of two is meant nobody can know.
    #[error("`{0}` stands in it more than once")]
    Twice(String),
    /// There is another server of this name.
    #[error("it has another server `{0}`")]
    Taken(String),
}

impl FileFormat {
    /// A document with nothing but the additions.
    ///
    /// # Errors
    /// See [`MergeError`].
    pub(super) fn document(self, additions: &[Addition]) -> Result<String, MergeError> {
        match self {
            Self::Json => json::merge("", additions, false),
            Self::Toml => toml::merge("", additions, false),
            Self::Yaml => Ok(yaml::document(additions)),
        }
    }

    /// The text with all additions in it; the text itself when they are there. A server of the same name that is
    /// another one is replaced only by `force`.
    ///
    /// # Errors
    /// See [`MergeError`].
    pub(super) fn merge(self, text: &str, additions: &[Addition], force: bool) -> Result<String, MergeError> {
        match self {
            Self::Json => json::merge(text, additions, force),
            Self::Toml => toml::merge(text, additions, force),
            Self::Yaml => Err(MergeError::Yaml),
        }
    }
}
