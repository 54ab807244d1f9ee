//! The problems of a case file, as data.

use std::fmt;

use smcp_yaml::Position;

/// One problem of a case file: where it is, what is wrong, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseProblem {
    /// Where it is; `None` when it is about the whole file.
    pub position: Option<Position>,
    /// What is wrong. Text of the file in it has no invisible characters.
    pub message: String,
    /// What is allowed.
    pub allowed: Option<String>,
    /// The word that was most likely meant.
    pub suggestion: Option<String>,
}

impl CaseProblem {
    /// A problem of the whole file.
    pub(crate) fn of_file(message: &str, allowed: &str) -> Self {
        Self { position: None, message: message.to_owned(), allowed: Some(allowed.to_owned()), suggestion: None }
    }

    /// The message with the word most likely meant and the values allowed, without the place.
    pub fn text(&self) -> String {
        let meant = self.suggestion.as_ref().map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
        let allowed = self.allowed.as_ref().map_or_else(String::new, |allowed| format!(" (allowed: {allowed})"));
        format!("{}{meant}{allowed}", self.message)
    }
}

impl fmt::Display for CaseProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        f.write_str(&self.text())
    }
}

/// All problems of a case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseProblems {
    /// The problems, from the top of the file; at least one.
    pub list: Vec<CaseProblem>,
    /// The number of further problems, which are not in the list.
    pub more: usize,
}

impl From<CaseProblem> for CaseProblems {
    fn from(problem: CaseProblem) -> Self {
        Self { list: vec![problem], more: 0 }
    }
}

impl fmt::Display for CaseProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for CaseProblems {}

/// The most characters of the file's text that a message quotes.
const QUOTED: usize = 80;

/// Returns text of a file for a message: cut, with invisible characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED).flat_map(visible).collect();
    if text.chars().nth(QUOTED).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a text has no invisible characters.
pub(crate) fn is_visible(text: &str) -> bool {
    text.chars().all(|character| visible(character).eq([character]))
}

/// Returns a character, escaped when it is invisible; quotes and backslashes stay.
fn visible(character: char) -> impl Iterator<Item = char> {
    let plain = matches!(character, '"' | '\'' | '\\').then_some(character);
    let escaped = plain.is_none().then(|| character.escape_debug());
    plain.into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_can_be_seen() {
        let cases = [
            ("plain \"ü\" 漢字\\", "plain \"ü\" 漢字\\"),
            ("\u{1b}[2J\r\n\t", "\\u{1b}[2J\\r\\n\\t"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
        ];
        for (text, shown) in cases {
            assert_eq!(quoted(text), shown);
            assert_eq!(is_visible(text), text == shown);
        }
        assert_eq!(quoted(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    }
}
