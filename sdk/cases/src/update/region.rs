//! The part of a text that holds the expectation of a case.

use std::ops::Range;

use crate::expect::Expectation;
use crate::update::scan::Scan;
use crate::update::scan::marks;
use crate::write;
use smcp_yaml::Position;

/// The value of the key `expect` of one case, in the text.
#[derive(Debug)]
pub(super) struct Region<'t> {
    /// From the colon to the end of the value, without the line ends and spaces after it.
    range: Range<usize>,
    form: WrittenForm<'t>,
    /// The number of places in the value where a comment could begin, and, as far as the scan understands, does not.
    marks: usize,
}

/// The form in which the case is written.
#[derive(Debug)]
enum WrittenForm<'t> {
    /// A block mapping: each key on a line of its own.
    Block {
        /// The indent of its keys, in spaces.
        indent: usize,
        line_end: &'static str,
        /// The comment on the line of the key, with the spaces before it.
        beside: Option<&'t str>,
        /// The comments on the lines below.
        below: Vec<&'t str>,
    },
    /// A mapping in braces.
    Braces,
}

impl<'t> Region<'t> {
    /// Finds the value of the key at `key`, in the case at `case`.
    ///
    /// # Errors
    /// With the reason why it can't be replaced, as a sentence about the case.
    pub(super) fn find(text: &'t str, case: Position, key: Position) -> Result<Self, String> {
        let is_break = |character| matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}');
        if text.contains(is_break) || text.replace("\r\n", "").contains('\r') {
            return Err("its file has line ends other than those of Unix and Windows".to_owned());
        }
        let at = offset_of(text, key);
        let behind = ["expect", "\"expect\"", "'expect'"].into_iter().find_map(|key| text.get(at..)?.strip_prefix(key));
        let behind = behind.and_then(|behind| behind.trim_start_matches(' ').strip_prefix(':'));
        let behind = behind.ok_or("its key `expect` is written in an unusual way")?;
        let start = text.len().saturating_sub(behind.len());
        let before_case = text.get(..offset_of(text, case)).unwrap_or_default().trim_end();
        if before_case.ends_with('{') {
            return Self::braces(text, start);
        }
        let before_key = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        if before_key.chars().all(|character| matches!(character, ' ' | '-')) {
            Self::block(text, start, before_key.len())
        } else {
            Err("its key `expect` is written in an unusual way".to_owned())
        }
    }

    fn block(text: &'t str, start: usize, indent: usize) -> Result<Self, String> {
        let (mut scan, mut offset) = (Scan::default(), start);
        // For each line: its part of the value, its comment, and the end of its visible text.
        let mut lines: Vec<(&str, Option<&str>, usize)> = Vec::new();
        for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let own_indent = content.len().saturating_sub(content.trim_start_matches(' ').len());
            let is_empty = content.trim().is_empty() || content.trim_start().starts_with('#');
            if !lines.is_empty() && !is_empty && own_indent <= indent {
                break;
            }
            let (value, comment) = scan.line(content)?;
            lines.push((value, comment, offset.saturating_add(content.trim_end().len())));
            offset = offset.saturating_add(line.len());
        }
        // Comments after the last part of the value belong to the next key.
        let last = lines.iter().rposition(|(value, ..)| !value.trim().is_empty()).unwrap_or(0);
        lines.truncate(last.saturating_add(1));
        let end = lines.last().map_or(start, |(.., end)| *end);
        let mut comments = lines.iter().map(|(_, comment, _)| *comment);
        let beside = comments.next().flatten();
        let below = comments.flatten().map(str::trim).collect();
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let marks = lines.iter().map(|(value, ..)| marks(value)).sum();
        Ok(Self { range: start..end, form: WrittenForm::Block { indent, line_end, beside, below }, marks })
    }

    fn braces(text: &'t str, start: usize) -> Result<Self, String> {
        let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let value = Scan::default().value_in_braces(line)?.trim_end();
        Ok(Self { range: start..start.saturating_add(value.len()), form: WrittenForm::Braces, marks: marks(value) })
    }

    /// The part of the text.
    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The number of places in the value where a comment could begin, and, as far as the scan understands, does not.
    pub(super) const fn marks(&self) -> usize {
        self.marks
    }

    /// Returns the replacement of the region, with the comments in it.
    pub(super) fn written(&self, expect: &Expectation) -> String {
        let WrittenForm::Block { indent, line_end, beside, below } = &self.form else {
            return format!(" {}", write::inline(expect));
        };
        let (inline, lines) = write::block(expect);
        let mut written = if inline.is_empty() { String::new() } else { format!(" {inline}") };
        written.push_str(beside.unwrap_or_default());
        let spaces = " ".repeat(indent.saturating_add(2));
        for line in below.iter().copied().chain(lines.iter().map(String::as_str)) {
            written.extend([line_end, spaces.as_str(), line]);
        }
        written
    }
}

/// Returns the offset of a place in a text whose lines end with a line feed.
fn offset_of(text: &str, place: Position) -> usize {
    let before = text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let line = text.get(before..).unwrap_or_default();
    let column = place.column.saturating_sub(1);
    before.saturating_add(line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset))
}
