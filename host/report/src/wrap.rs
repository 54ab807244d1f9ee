//! Wraps text between words, with a hanging indent.
//!
//! A word longer than a line is broken here and not by the terminal. Otherwise a guest could put its text at the start
//! of a line, where smcp's own words are.

use std::io;
use std::io::Write;

use unicode_width::UnicodeWidthChar as _;
use unicode_width::UnicodeWidthStr as _;

use crate::style::Span;

/// The least columns for text, even where the terminal is narrow or the indent deep.
const MIN_COLUMNS: usize = 20;

/// Writes `spans`, joined by spaces. The cursor is in `column`; further lines start in column `indent`. Ends the last
/// line.
///
/// # Errors
/// When the writer fails.
pub fn flow(out: &mut dyn Write, spans: &[Span], column: usize, indent: usize, width: Option<usize>) -> io::Result<()> {
    let limit = width.unwrap_or(usize::MAX).max(indent.saturating_add(MIN_COLUMNS));
    let mut flow = Flow { out, limit, indent, column, at_start: true, style: anstyle::Style::new() };
    for span in spans {
        for word in span.text.as_str().split(' ') {
            flow.word(word, span.style)?;
        }
    }
    flow.restyle(anstyle::Style::new())?;
    writeln!(flow.out)
}

/// Writes `first` spaces, then `spans` as [`flow`] does.
///
/// # Errors
/// When the writer fails.
pub fn paragraph(
    out: &mut dyn Write,
    spans: &[Span],
    first: usize,
    indent: usize,
    width: Option<usize>,
) -> io::Result<()> {
    write!(out, "{:first$}", "")?;
    flow(out, spans, first, indent, width)
}

/// A paragraph that is being written.
struct Flow<'a> {
    out: &'a mut dyn Write,
    limit: usize,
    indent: usize,
    column: usize,
    at_start: bool,
    style: anstyle::Style,
}

impl Flow<'_> {
    /// Writes one word, on a new line if it doesn't fit on this one.
    fn word(&mut self, word: &str, style: anstyle::Style) -> io::Result<()> {
        if !self.at_start {
            if self.column.saturating_add(1).saturating_add(word.width()) > self.limit {
                self.break_line()?;
            } else {
                // The space has the style of its neighbours only if both have the same.
                if style != self.style {
                    self.restyle(anstyle::Style::new())?;
                }
                write!(self.out, " ")?;
                self.column += 1;
            }
        }
        if word.is_empty() && self.at_start {
            return Ok(());
        }
        self.restyle(style)?;
        self.at_start = false;
        self.pieces(word)
    }

    /// Writes a word that may be longer than the line.
    fn pieces(&mut self, word: &str) -> io::Result<()> {
        let columns = self.column.saturating_add(word.width());
        if columns <= self.limit {
            self.column = columns;
            return write!(self.out, "{word}");
        }
        let style = self.style;
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if self.column.saturating_add(columns) > self.limit {
                self.break_line()?;
                self.restyle(style)?;
            }
            write!(self.out, "{character}")?;
            self.column = self.column.saturating_add(columns);
        }
        Ok(())
    }

    fn break_line(&mut self) -> io::Result<()> {
        let indent = self.indent;
        self.restyle(anstyle::Style::new())?;
        write!(self.out, "\n{:indent$}", "")?;
        self.column = indent;
        self.at_start = true;
        Ok(())
    }

    fn restyle(&mut self, style: anstyle::Style) -> io::Result<()> {
        if style != self.style {
            write!(self.out, "{:#}{style}", self.style)?;
            self.style = style;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, first: usize, indent: usize, width: Option<usize>) -> String {
        let mut out = Vec::new();
        paragraph(&mut out, &[Span::plain(text)], first, indent, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_break_between_words_and_hang() {
        let cases = [
            ("one two three four", 0, 2, None, "one two three four\n"),
            ("one two three four five six", 0, 2, Some(22), "one two three four\n  five six\n"),
            ("exactly twenty chars", 2, 0, Some(22), "  exactly twenty chars\n"),
            ("exactly twenty-1 chars", 2, 0, Some(22), "  exactly twenty-1\nchars\n"),
            ("keeps  two spaces", 0, 0, Some(40), "keeps  two spaces\n"),
            ("", 2, 2, Some(40), "  \n"),
            ("漢字漢字漢字漢字 漢字漢字", 0, 0, Some(20), "漢字漢字漢字漢字\n漢字漢字\n"),
        ];
        for (text, first, indent, width, expected) in cases {
            assert_eq!(wrapped(text, first, indent, width), expected, "{text}");
        }
    }

    #[test]
    fn no_text_reaches_the_start_of_a_line() {
        let long = "x".repeat(4096);
        for text in [long.as_str(), &format!("short {long}"), &"漢".repeat(999), &" ".repeat(500)] {
            for line in wrapped(text, 6, 8, Some(60)).lines().skip(1) {
                assert!(line.starts_with("        ") && line.width() <= 60, "{line:?}");
            }
        }
    }

    #[test]
    fn a_narrow_terminal_still_gets_words() {
        assert_eq!(wrapped("a few words that wrap", 6, 6, Some(3)), "      a few words that\n      wrap\n");
    }

    #[test]
    fn a_style_never_spans_lines() {
        let mut out = Vec::new();
        let red = anstyle::AnsiColor::Red.on_default();
        flow(&mut out, &[Span::new("red words here and more", red), Span::plain("plain")], 0, 2, Some(22)).unwrap();
        let expected = "\u{1b}[31mred words here and\u{1b}[0m\n  \u{1b}[31mmore\u{1b}[0m plain\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
