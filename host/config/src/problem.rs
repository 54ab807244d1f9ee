//! Everything that can be wrong with a configuration, as data.
//!
//! `drafts`, `discover` and their neighbours make problems; `cli` shows them and exits with 1.

use std::error::Error;
use std::fmt;
use std::path::Path;

use crate::raw::Position;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;

/// What kind of problem it is; the word is stable and for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file is missing, unreadable, too large or not UTF-8.
    Unreadable,
    /// Somebody else could have written it.
    Untrusted,
    /// The text is not one YAML document.
    Syntax,
    /// A key that means nothing here.
    UnknownKey,
    /// A key that was there already.
    DuplicateKey,
    /// A key that must be there.
    MissingKey,
    /// A value of a wrong type, out of range, or not one of the words.
    BadValue,
    /// Two values that contradict each other.
    Conflict,
    /// More of something than there may be.
    Limit,
    /// Something that this version can't do, and must not ignore.
    Unsupported,
}

/// One thing wrong with a configuration file: where, what was found, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// What kind of problem it is.
    pub code: Code,
    /// The file, as messages show it.
    pub file: SafeText,
    /// Where in the file; absent when it is about the file as a whole.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// The key it is about, such as `policy.custom[0].name`; empty for the whole file.
    pub path: SafeText,
    /// What was found.
    pub message: SafeText,
    /// What is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<SafeText>,
    /// The nearest valid spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<SafeText>,
}

impl Problem {
    /// A problem of a file as a whole.
    pub(super) fn of_file(code: Code, file: &str, message: &str, allowed: Option<&str>) -> Self {
        Self {
            code,
            file: SafeText::new(file),
            position: None,
            path: SafeText::default(),
            message: SafeText::new(message),
            allowed: allowed.map(SafeText::new),
            suggestion: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean `{suggestion}`?")?;
        }
        self.allowed.as_ref().map_or(Ok(()), |allowed| write!(f, " (allowed: {allowed})"))
    }
}

/// A configuration that can't be used, with every reason, which may be in several files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConfigError {
    problems: Vec<Problem>, // INVARIANT: at least one; the files in the order of their layers, each from its top.
    more: usize,
}

impl ConfigError {
    /// One problem, and nothing more.
    pub(super) fn one(problem: Problem) -> Self {
        Self { problems: vec![problem], more: 0 }
    }

    /// All of `problems`, and a number of others that are not shown; nothing when there are none.
    pub(super) fn of(problems: Vec<Problem>, more: usize) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { problems, more })
    }

    /// A file that could not be read, for the reason that `cause` gives.
    pub(super) fn unreadable(file: &Path, home: Option<&Path>, cause: &dyn fmt::Display) -> Self {
        let message = format!("the configuration can't be read: {cause}");
        Self::one(Problem::of_file(Code::Unreadable, &shown(file, home), &message, None))
    }

    /// Files and folders that somebody else could write to; nothing when there are none.
    pub fn untrusted(suspects: &[Suspect], home: Option<&Path>) -> Option<Self> {
        let problem = |suspect: &Suspect| {
            let (file, advice) = (shown(&suspect.path, home), suspect.advice());
            Problem::of_file(Code::Untrusted, &file, &advice, None)
        };
        Self::of(suspects.iter().map(problem).collect(), 0)
    }

    /// The problems: the files in the order of their layers, each from its top.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many problems there are beyond those shown.
    pub const fn more(&self) -> usize {
        self.more
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl Error for ConfigError {}

/// A path as people know it: `~/…` when it is under their home.
pub(super) fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => Path::new("~").join(rest).display().to_string(),
        None => path.display().to_string(),
    }
}
