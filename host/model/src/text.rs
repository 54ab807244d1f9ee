//! Text from outside, made harmless before it is shown.

pub use crate::unseen::is_unseen;

use std::borrow::Cow;
use std::fmt;

use crate::limits;

/// Text from a guest, a manifest or a registry that can't steer a terminal or forge a line.
///
/// A character that is invisible by the tables of Unicode (controls, line separators, changes of direction, formats,
/// fillers, private use, unassigned) is shown as `\u{…}`; a tab or a line break becomes a space. The invisible parts of
/// joined emoji are shown so, too: a family is shown as its members.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SafeText(String); // INVARIANT: printable ASCII, or only `push` writes to it.

/// Marks the part of a text that is not shown.
const CUT: char = '…';

impl SafeText {
    /// Makes `text` harmless.
    pub fn new(text: &str) -> Self {
        // Most text is printable ASCII, and as it should be.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Self(text.to_owned());
        }
        let mut safe = String::with_capacity(text.len());
        text.chars().for_each(|character| push(&mut safe, character));
        Self(safe)
    }

    /// Makes `text` harmless and at most `most` bytes long. A text that is cut ends in `…`, which `most` includes.
    pub fn within(text: &str, most: usize) -> Self {
        let mut safe = String::new();
        let mut before_the_mark = 0;
        for character in text.chars() {
            push(&mut safe, character);
            if safe.len() > most {
                safe.truncate(before_the_mark);
                safe.push(CUT);
                break;
            }
            if safe.len().saturating_add(CUT.len_utf8()) <= most {
                before_the_mark = safe.len();
            }
        }
        Self(safe)
    }

    /// Joins the lines of a message for people into one sentence.
    pub fn one_line(message: &str) -> Self {
        let mut sentence = String::new();
        for line in message.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let separator = match sentence.chars().next_back() {
                None => "",
                Some(':') => " ",
                Some(_) => "; ",
            };
            sentence.extend([separator, line]);
        }
        Self::new(&sentence)
    }

    /// A text from outside as a message quotes it, at most [`limits::QUOTED`] bytes.
    pub fn quoted(text: &str) -> Self {
        Self::within(text, limits::QUOTED)
    }

    /// One key or value among many as a message quotes it, at most [`limits::QUOTED_VALUE`] bytes.
    pub fn quoted_value(text: &str) -> Self {
        Self::within(text, limits::QUOTED_VALUE)
    }

    /// The harmless text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Adds one character in its harmless form.
fn push(safe: &mut String, character: char) {
    match character {
        '\t' | '\n' | '\r' => safe.push(' '),
        hidden if is_unseen(hidden) => safe.extend(hidden.escape_unicode()),
        visible => safe.push(visible),
    }
}

/// Whether a text has a visible character; a space is not one.
pub fn has_something_to_see(text: &str) -> bool {
    text.chars().any(|character| !character.is_whitespace() && !is_unseen(character))
}

impl From<&str> for SafeText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A text that smcp has written is harmless and stays the same; a text from another source is made harmless.
impl<'de> serde::Deserialize<'de> for SafeText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::new(&text))
    }
}

impl serde::Serialize for SafeText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_can_not_be_seen_survives() {
        let hidden = "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180f}\u{2060}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\
                      \u{ffa0}\u{fff0}\u{e0001}\u{e007f}\u{e0100}\u{e01ef}\u{e0fff}";
        for character in hidden.chars() {
            let safe = SafeText::new(&format!("a{character}b"));
            assert_eq!(safe.as_str(), format!("a{}b", character.escape_unicode()));
        }
        for seen in ["\u{2801}", "\u{3163}", "\u{fe10}", "\u{fffc}", "\u{fffd}", "e\u{301}"] {
            assert_eq!(SafeText::new(seen).as_str(), seen);
        }
    }

    #[test]
    fn joined_emoji_are_shown_in_their_parts() {
        let family = "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} 🏴\u{e0067}\u{e007f}";
        let shown = "👨\\u{200d}👩\\u{200d}👧 ❤\\u{fe0f} 🏴\\u{e0067}\\u{e007f}";
        assert_eq!(SafeText::new(family).as_str(), shown);
    }

    #[test]
    fn a_text_of_nothing_has_nothing_to_see() {
        for nothing in
            ["", "  \t\n", "\u{a0}\u{3000}", "\u{200b}\u{2060}", "\u{1d159}\u{16fe4} \u{2800}", "\u{1b}", "\u{e0041}"]
        {
            assert!(!has_something_to_see(nothing), "{nothing:?}");
        }
        for something in ["a", " \u{200b}.", "漢", "🙂"] {
            assert!(has_something_to_see(something), "{something}");
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_survives() {
        let cases = [
            ("plain, ünïcode, 漢字 🙂", "plain, ünïcode, 漢字 🙂"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{1b}]8;;http://x\u{7}link", "\\u{1b}]8;;http://x\\u{7}link"),
            ("two\nlines\tand\rmore", "two lines and more"),
            ("nul\0", "nul\\u{0}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
        ];
        for (raw, safe) in cases {
            assert_eq!(SafeText::new(raw).as_str(), safe);
            assert_eq!(SafeText::within(raw, 1_000).as_str(), safe);
        }
    }

    #[test]
    fn a_bound_is_kept_to_the_byte_and_cuts_no_character() {
        let cases = [
            ("", 10, ""),
            ("ten bytes.", 10, "ten bytes."),
            ("eleven byte", 10, "eleven …"),
            ("漢字漢字", 11, "漢字…"),
            ("漢字漢字", 12, "漢字漢字"),
            // An escape is shown whole or not at all.
            ("ab\u{1b}cd", 9, "ab…"),
            ("ab\u{1b}cde", 11, "ab\\u{1b}cde"),
            ("\u{1b}\u{1b}", 10, "\\u{1b}…"),
        ];
        for (raw, most, shown) in cases {
            assert_eq!(SafeText::within(raw, most).as_str(), shown, "{raw:?} within {most}");
            assert!(shown.len() <= most, "{shown}");
        }
    }
}
