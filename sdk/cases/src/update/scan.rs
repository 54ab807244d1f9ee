//! Scans YAML by characters, just enough to tell comments from values.
//!
//! It may be wrong about a text, because then the update is refused: the number of places where a comment could begin
//! differs, or the new text does not mean what it should.

/// Counts the places where a comment could begin in a text if nothing in it were quoted.
pub(super) fn marks(text: &str) -> usize {
    text.matches(" #").count().saturating_add(text.matches("\t#").count())
}

/// The state between two characters of a value.
#[derive(Debug)]
pub(super) struct Scan {
    /// The quote of the text that is being read.
    quote: Option<char>,
    /// The last character other than a space.
    last: char,
    /// Whether a space followed it.
    is_apart: bool,
    /// The number of open brackets and braces.
    depth: usize,
}

impl Default for Scan {
    fn default() -> Self {
        Self { quote: None, last: ':', is_apart: true, depth: 0 }
    }
}

/// The role of a character.
enum CharacterRole {
    /// Part of the value.
    Value,
    /// The beginning of a comment.
    Comment,
    /// The end of the value, in braces.
    End,
}

const ANCHOR: &str = "what it expects has an anchor, an alias or a tag";
const BLOCK: &str = "what it expects has a text of several lines, by `|` or `>`";

impl Scan {
    /// Splits a line into its part of the value, and a comment with the spaces before it.
    pub(super) fn line<'l>(&mut self, line: &'l str) -> Result<(&'l str, Option<&'l str>), String> {
        // The first word of a line can begin a text.
        (self.last, self.is_apart) = (':', true);
        let mut characters = line.char_indices();
        while let Some((at, character)) = characters.next() {
            match self.step(character, &mut characters)? {
                CharacterRole::Value | CharacterRole::End => {}
                CharacterRole::Comment => {
                    let value = line.get(..at).unwrap_or_default().trim_end();
                    return Ok((value, line.get(value.len()..)));
                }
            }
        }
        Ok((line, None))
    }

    /// Returns the value at the beginning of a line, up to a comma or a closing brace.
    pub(super) fn value_in_braces(mut self, line: &str) -> Result<&str, String> {
        let mut characters = line.char_indices();
        while let Some((at, character)) = characters.next() {
            match self.step(character, &mut characters)? {
                CharacterRole::Value => {}
                CharacterRole::Comment => break,
                CharacterRole::End => return Ok(line.get(..at).unwrap_or_default()),
            }
        }
        Err("it is written in braces over several lines".to_owned())
    }

    fn step(&mut self, character: char, rest: &mut std::str::CharIndices<'_>) -> Result<CharacterRole, String> {
        if let Some(quote) = self.quote {
            match character {
                '\\' if quote == '"' => drop(rest.next()),
                '\'' if quote == '\'' && rest.as_str().starts_with('\'') => drop(rest.next()),
                closing if closing == quote => (self.quote, self.last, self.is_apart) = (None, quote, false),
                _ => {}
            }
            return Ok(CharacterRole::Value);
        }
        if matches!(character, ' ' | '\t') {
            self.is_apart = true;
            return Ok(CharacterRole::Value);
        }
        let begins = match self.last {
            '[' | '{' | ',' => true,
            ':' | '-' | '?' => self.is_apart,
            _ => false,
        };
        match character {
            '#' if self.is_apart => return Ok(CharacterRole::Comment),
            '"' | '\'' if begins => self.quote = Some(character),
            '&' | '*' | '!' if begins => return Err(ANCHOR.to_owned()),
            '|' | '>' if begins => return Err(BLOCK.to_owned()),
            ',' | '}' | ']' if self.depth == 0 => return Ok(CharacterRole::End),
            '}' | ']' => self.depth = self.depth.saturating_sub(1),
            '{' | '[' => self.depth = self.depth.saturating_add(1),
            _ => {}
        }
        (self.last, self.is_apart) = (character, false);
        Ok(CharacterRole::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_told_from_a_value() {
        let cases = [
            (" allow", " allow", None),
            (" allow  # why", " allow", Some("  # why")),
            ("  # why", "", Some("  # why")),
            (" allow#no", " allow#no", None),
            (" [a, 'b # c', \"d \\\" # e\"] # f", " [a, 'b # c', \"d \\\" # e\"]", Some(" # f")),
            (" {a: 'it''s # x'}\t# y", " {a: 'it''s # x'}", Some("\t# y")),
            ("  message: it's # c", "  message: it's", Some(" # c")),
            ("  - a: rock 'n roll # c", "  - a: rock 'n roll", Some(" # c")),
        ];
        for (line, value, comment) in cases {
            assert_eq!(Scan::default().line(line), Ok((value, comment)), "{line}");
        }
        for line in [" &a allow", " *a", " {a: !t x}", " [*a]", "  - |", "  message: >-"] {
            assert!(Scan::default().line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_value_in_braces_ends_at_a_comma_or_a_brace() {
        let cases = [
            (" allow}", Some(" allow")),
            (" allow, name: x}", Some(" allow")),
            (" {a: [b, {c: d}]}, x", Some(" {a: [b, {c: d}]}")),
            (" {a: \"}, \"} }", Some(" {a: \"}, \"} ")),
            (" allow", None),
            (" [a, # b", None),
        ];
        for (line, value) in cases {
            assert_eq!(Scan::default().value_in_braces(line).ok(), value, "{line}");
        }
    }
}
