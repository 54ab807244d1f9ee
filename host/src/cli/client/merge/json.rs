//! Adds a server to a client's JSON file; every other byte stays.
//!
//! The file belongs to the client and its user, who chose how numbers, keys and indentation are written. So nothing is
//! parsed and printed again: the places are found in the text, and the additions are put there in the file's layout.

mod rewrite;

use std::ops::Range;

use serde_json::Value;
use serde_json::json;

use crate::cli::client::merge::Addition;
use crate::cli::client::merge::ClientCommand;
use crate::cli::client::merge::MergeError;

/// Returns the text with all additions in it; the same text when they are there already. A different server of the same
/// name is replaced only with `force`.
///
/// # Errors
/// See [`MergeError`].
pub(super) fn merge(text: &str, additions: &[Addition], force: bool) -> Result<String, MergeError> {
    let start = if text.trim_ascii().is_empty() { "{}\n" } else { text };
    additions.iter().try_fold(start.to_owned(), |text, addition| add(&text, addition, force))
}

/// Returns the text with another command in the entry that the keys lead to.
///
/// # Errors
/// When the entry has another shape, or a comment stands where the command does.
pub(super) fn rewrite(text: &str, keys: &[String], new: &ClientCommand) -> Result<String, MergeError> {
    rewrite::rewrite(text, keys, new)
}

/// Returns the line in which each of these entries begins, counted from 1; 0 for one that is not there.
pub(super) fn lines(text: &str, entries: &[&[String]]) -> Vec<usize> {
    rewrite::lines(text, entries)
}

fn add(text: &str, addition: &Addition, force: bool) -> Result<String, MergeError> {
    // In valid JSON, brackets and quotation marks are enough to find the places. The parser also bounds the depth.
    let document: Value = serde_json::from_str(text).map_err(MergeError::Json)?;
    if !document.is_object() {
        return Err(MergeError::NotAnObject);
    }
    let layout = Layout::of(text);
    let root = layout.container(text.len() - text.trim_ascii_start().len());
    let (section, expected, empty, open) = match addition {
        Addition::Member { section, .. } => (*section, "an object", json!({}), '{'),
        Addition::Element { section, .. } => (*section, "a list", json!([]), '['),
    };
    let Some(place) = root.find(section)? else {
        let with_section = layout.insert(&root, Some(section), &empty);
        return add(&with_section, addition, force);
    };
    if !layout.slice(&place).starts_with(open) {
        return Err(MergeError::Section { section, expected });
    }
    let inside = layout.container(place.start);
    match addition {
        Addition::Member { name, value, .. } => layout.put(&inside, name, value, force),
        Addition::Element { value, .. } => Ok(layout.append(&inside, value)),
    }
}

/// An object or a list in the text.
struct Container {
    /// From its opening bracket up to and with its closing bracket.
    span: Range<usize>,
    parts: Vec<JsonMember>,
}

/// A member or an element.
struct JsonMember {
    /// Where it begins: at its key, or at the value of an element.
    start: usize,
    /// The key of a member; empty for an element.
    key: String,
    value: Range<usize>,
}

impl Container {
    /// Returns where the value of a member is; `None` when there is no such member.
    fn find(&self, key: &str) -> Result<Option<Range<usize>>, MergeError> {
        let mut found = self.parts.iter().filter(|part| part.key == key).map(|part| part.value.clone());
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(MergeError::Twice(key.to_owned())),
            (first, None) => Ok(first),
        }
    }
}

/// Valid JSON text, and how it is laid out.
struct Layout<'t> {
    text: &'t str,
    newline: &'static str,
    /// One step of indentation.
    step: String,
}

impl<'t> Layout<'t> {
    fn of(text: &'t str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut layout = Self { text, newline, step: "  ".to_owned() };
        let root = layout.container(text.len() - text.trim_ascii_start().len());
        let written = root.parts.first().and_then(|first| layout.own_line(first.start));
        layout.step = written.filter(|step| !step.is_empty()).unwrap_or("  ").to_owned();
        layout
    }

    fn slice(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    /// Returns the position of the first character from `at` on that is not white space.
    fn next_token(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + (rest.len() - rest.trim_ascii_start().len())
    }

    /// Returns where the value that begins at `at` ends.
    fn value_end(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        for (index, byte) in rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                // A number or a word ends before the next of these.
                b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at + index,
                b'}' | b']' => depth -= 1,
                _ => continue,
            }
            if depth == 0 && !in_string && !escaped && matches!(byte, b'"' | b'}' | b']') {
                return at + index + 1;
            }
        }
        self.text.len()
    }

    /// Returns the object or list that opens at `at`.
    fn container(&self, at: usize) -> Container {
        let has_keys = self.byte(at) == b'{';
        let mut parts = Vec::new();
        let mut next = self.next_token(at + 1);
        while next < self.text.len() && !matches!(self.byte(next), b'}' | b']') {
            let start = next;
            let (key, value) = if has_keys { self.member(start) } else { (String::new(), start) };
            let value = value..self.value_end(value);
            next = self.next_token(value.end);
            parts.push(JsonMember { start, key, value });
            if self.byte(next) == b',' {
                next = self.next_token(next + 1);
            }
        }
        Container { span: at..next + 1, parts }
    }

    /// Returns the object in this place.
    fn object_at(&self, place: &Range<usize>) -> Result<Container, MergeError> {
        if self.slice(place).starts_with('{') { Ok(self.container(place.start)) } else { Err(MergeError::Moved) }
    }

    /// Returns the key at `at`, and where its value begins.
    fn member(&self, at: usize) -> (String, usize) {
        let end = self.value_end(at);
        let key = serde_json::from_str(self.slice(&(at..end))).unwrap_or_default();
        (key, self.next_token(self.next_token(end) + 1))
    }

    /// Returns the white space before `at`, when nothing else is before it on its line.
    fn own_line(&self, at: usize) -> Option<&'t str> {
        let before = self.text.get(..at)?;
        let line = before.get(before.rfind('\n')? + 1..)?;
        line.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(line)
    }

    /// Returns the indentation of the line of `at`.
    fn indentation(&self, at: usize) -> &'t str {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.get(before.rfind('\n').map_or(0, |end| end + 1)..).unwrap_or_default();
        line.get(..line.len() - line.trim_ascii_start().len()).unwrap_or_default()
    }

    /// Returns a value in the layout of the text, for a line with this indentation.
    fn pretty(&self, value: &Value, indent: &str) -> String {
        let text = format!("{value:#}");
        let mut lines = text.lines().map(|line| {
            let content = line.trim_ascii_start();
            // The printer indents by two spaces; a string never has a line break of its own.
            format!("{}{content}", self.step.repeat((line.len() - content.len()) / 2))
        });
        let first = lines.next().unwrap_or_default();
        lines.fold(first, |text, line| text + self.newline + indent + &line)
    }

    /// Returns the text with `replacement` in this place.
    fn splice(&self, place: Range<usize>, replacement: &str) -> String {
        let (before, after) = (self.slice(&(0..place.start)), self.slice(&(place.end..self.text.len())));
        [before, replacement, after].concat()
    }

    /// Returns the text with one more part at the end of a container.
    fn insert(&self, container: &Container, key: Option<&str>, value: &Value) -> String {
        let key = key.map(|key| format!("{}: ", Value::from(key))).unwrap_or_default();
        let (Some(first), Some(last)) = (container.parts.first(), container.parts.last()) else {
            let around = self.indentation(container.span.start);
            let indent = format!("{around}{}", self.step);
            let part = format!("{}{indent}{key}{}{}{around}", self.newline, self.pretty(value, &indent), self.newline);
            return self.splice(container.span.start + 1..container.span.end - 1, &part);
        };
        let part = match self.own_line(first.start) {
            Some(indent) => format!(",{}{indent}{key}{}", self.newline, self.pretty(value, indent)),
            None => format!(", {key}{value}"),
        };
        self.splice(last.value.end..last.value.end, &part)
    }

    /// Returns the text with this member in a container.
    fn put(&self, servers: &Container, name: &str, value: &Value, force: bool) -> Result<String, MergeError> {
        let Some(place) = servers.find(name)? else {
            return Ok(self.insert(servers, Some(name), value));
        };
        let there: Option<Value> = serde_json::from_str(self.slice(&place)).ok();
        if there.as_ref() == Some(value) {
            return Ok(self.text.to_owned());
        }
        if !force {
            return Err(MergeError::Taken(name.to_owned()));
        }
        let indent = self.indentation(place.start);
        Ok(self.splice(place, &self.pretty(value, indent)))
    }

    /// Returns the text with this element in a list; the same text when one with its id is there.
    fn append(&self, list: &Container, value: &Value) -> String {
        let id = value.get("id");
        let there = list.parts.iter().filter_map(|part| serde_json::from_str::<Value>(self.slice(&part.value)).ok());
        if id.is_some() && there.into_iter().any(|element| element.get("id") == id) {
            return self.text.to_owned();
        }
        self.insert(list, None, value)
    }
}

#[cfg(test)]
mod tests;
