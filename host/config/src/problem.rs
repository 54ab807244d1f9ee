//! The problems of a configuration, as data.
//!
//! `drafts`, `discover` and their neighbours make problems; `cli` shows them and exits with 1.

use std::error::Error;
use std::fmt;
use std::path::Path;

use smcp_model::source::address_in;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_yaml::Position;

/// The kind of a problem; the word is stable, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// The file is missing, unreadable, too large or not UTF-8.
    Unreadable,
    /// Another user could have written it.
    Untrusted,
    /// The text is not one YAML document.
    Syntax,
    /// A key that is unknown in its section.
    UnknownKey,
    /// A key that is given twice.
    DuplicateKey,
    /// A key that must be there.
    MissingKey,
    /// A value of a wrong type, out of range, or other than the allowed words.
    BadValue,
    /// Two values that contradict each other.
    Conflict,
    /// Something that exceeds a limit.
    Limit,
    /// Something that this version does not support, and must not ignore.
    Unsupported,
}

/// A problem of a configuration file: where it is, what is wrong, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConfigProblem {
    /// The kind of problem.
    pub code: ProblemCode,
    /// The file, as messages show it.
    pub file: SafeText,
    /// Where in the file it is; `None` when it is about the whole file.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// The key it is about, such as `policy.custom[0].name`; empty for the whole file.
    pub path: SafeText,
    /// What is wrong.
    pub message: SafeText,
    /// What is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<SafeText>,
    /// The most likely correction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<SafeText>,
}

impl ConfigProblem {
    /// Returns a problem of a whole file.
    pub(super) fn of_file(code: ProblemCode, file: &str, message: &str, allowed: Option<&str>) -> Self {
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

impl fmt::Display for ConfigProblem {
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

/// The error for a configuration with problems, which may be in several files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>, // INVARIANT: at least one; the files in the order of their layers, each from its top.
    more: usize,
}

impl ConfigError {
    /// Returns the error with one problem.
    pub(super) fn one(problem: ConfigProblem) -> Self {
        Self { problems: vec![problem], more: 0 }
    }

    /// Returns the error with `problems`, and `more` that are not shown; `None` without a problem.
    pub(super) fn of(problems: Vec<ConfigProblem>, more: usize) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { problems, more })
    }

    /// Returns the error for a file that can't be read because of `cause`.
    pub(super) fn unreadable(file: &Path, home: Option<&Path>, cause: &dyn fmt::Display) -> Self {
        let message = format!("the configuration can't be read: {cause}");
        Self::one(ConfigProblem::of_file(ProblemCode::Unreadable, &shown(file, home), &message, None))
    }

    /// Returns the error for files and folders that another user could write to; `None` without any.
    pub fn untrusted(suspects: &[Suspect], home: Option<&Path>) -> Option<Self> {
        let problem = |suspect: &Suspect| {
            let (file, advice) = (shown(&suspect.path, home), suspect.advice());
            ConfigProblem::of_file(ProblemCode::Untrusted, &file, &advice, None)
        };
        Self::of(suspects.iter().map(problem).collect(), 0)
    }

    /// Returns the problems: the files in the order of their layers, each from its top.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    /// Returns the number of problems that are not shown.
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

/// Returns a path as messages show it: `~/…` when it is below the user's home, an address in a set that is elsewhere.
pub(super) fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => Path::new("~").join(rest).display().to_string(),
        None => address_in(path).unwrap_or_else(|| path.display().to_string()),
    }
}
