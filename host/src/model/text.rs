//! Text from somebody else, made harmless before anybody sees it.

use std::fmt;

/// Text from a guest, a manifest or a registry in which nothing can steer a terminal or forge a line.
///
/// Control characters (C0, C1, DEL, line and paragraph separators), bidirectional controls and invisible format
/// characters are shown as `\u{…}`; a tab or a line break becomes a space.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SafeText(String); // INVARIANT: written by `push` alone.

/// What stands for the part of a text that is not shown.
const CUT: char = '…';

impl SafeText {
    /// Makes `text` harmless.
    pub fn new(text: &str) -> Self {
        let mut safe = String::with_capacity(text.len());
        text.chars().for_each(|character| push(&mut safe, character));
        Self(safe)
    }

    /// Makes `text` harmless and at most `most` bytes long; what is cut ends in `…`, which `most` has room for.
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

    /// The harmless text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Adds one character in its harmless form.
fn push(safe: &mut String, character: char) {
    match character {
        '\t' | '\n' | '\r' => safe.push(' '),
        hidden if is_hidden(hidden) => safe.extend(hidden.escape_unicode()),
        plain => safe.push(plain),
    }
}

/// Whether a character moves the cursor, changes the direction of text, or can't be seen.
const fn is_hidden(character: char) -> bool {
    matches!(character,
        // Controls, and what changes the direction or the joining of text.
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        // What is drawn as nothing: fillers, the empty Braille cell, selectors of variants.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        | '\u{fe00}'..='\u{fe0f}')
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
        for seen in ["\u{2801}", "\u{3163}", "\u{fe10}", "\u{fffc}", "\u{fffd}"] {
            assert_eq!(SafeText::new(seen).as_str(), seen);
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
