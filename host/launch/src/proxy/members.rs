//! Finds the members of an object and the elements of an array in a line.
//!
//! It reads what the scanner has let through, and is as lenient: inside a value only strings and brackets count. The
//! rewriter edits the places that are found here, and leaves everything between them unchanged.

use std::hash::RandomState;
use std::ops::Range;

use crate::proxy::keys::Name;

/// The error for a line that is not JSON at the place that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokenJson;

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its key.
    pub(crate) name: Name,
    /// The place of its value in the line.
    pub(crate) value: Range<usize>,
}

/// The members of an object.
#[derive(Debug)]
pub(crate) struct Members<'l> {
    line: &'l [u8],
    hasher: &'l RandomState,
    at: usize,
    ended: bool,
}

impl<'l> Members<'l> {
    /// The members of the object that opens at `object`.
    pub(crate) fn new(line: &'l [u8], object: usize, hasher: &'l RandomState) -> Self {
        Self { line, hasher, at: object + 1, ended: false }
    }

    fn member(&mut self) -> Result<Option<Member>, BrokenJson> {
        self.at = skip_space(self.line, self.at);
        match self.line.get(self.at) {
            Some(b'}') => return Ok(None),
            Some(b'"') => {}
            Some(_) | None => return Err(BrokenJson),
        }
        let key_end = value_end(self.line, self.at).ok_or(BrokenJson)?;
        let key = self.line.get(self.at + 1..key_end - 1).ok_or(BrokenJson)?;
        let colon = skip_space(self.line, key_end);
        if self.line.get(colon) != Some(&b':') {
            return Err(BrokenJson);
        }
        let start = skip_space(self.line, colon + 1);
        let end = value_end(self.line, start).ok_or(BrokenJson)?;
        self.at = after_comma(self.line, end, b'}')?;
        Ok(Some(Member { name: Name::read(key, self.hasher), value: start..end }))
    }
}

impl Iterator for Members<'_> {
    type Item = Result<Member, BrokenJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.member().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// The elements of an array.
#[derive(Debug)]
pub(crate) struct Elements<'l> {
    line: &'l [u8],
    at: usize,
    ended: bool,
}

impl<'l> Elements<'l> {
    /// The elements of the array that opens at `array`.
    pub(crate) fn new(line: &'l [u8], array: usize) -> Self {
        Self { line, at: array + 1, ended: false }
    }

    fn element(&mut self) -> Result<Option<Range<usize>>, BrokenJson> {
        let start = skip_space(self.line, self.at);
        if self.line.get(start) == Some(&b']') {
            return Ok(None);
        }
        let end = value_end(self.line, start).ok_or(BrokenJson)?;
        self.at = after_comma(self.line, end, b']')?;
        Ok(Some(start..end))
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<Range<usize>, BrokenJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.element().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// The first place at or after `at` that is not white space.
pub(crate) fn skip_space(line: &[u8], at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// The place after a comma, or the place of the closing bracket.
fn after_comma(line: &[u8], at: usize, close: u8) -> Result<usize, BrokenJson> {
    let next = skip_space(line, at);
    match line.get(next) {
        Some(b',') => Ok(next + 1),
        Some(byte) if *byte == close => Ok(next),
        Some(_) | None => Err(BrokenJson),
    }
}

/// The place after the value that begins at `at`; `None` when no value begins there, or it does not end.
fn value_end(line: &[u8], at: usize) -> Option<usize> {
    match line.get(at)? {
        b'"' => text_end(line, at),
        b'{' | b'[' => brackets_end(line, at),
        b'}' | b']' | b',' | b':' => None,
        _ => {
            let ends = |byte: &u8| {
                matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']')
            };
            let rest = line.get(at..)?;
            Some(at + rest.iter().position(ends).unwrap_or(rest.len()))
        }
    }
}

fn text_end(line: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

fn brackets_end(line: &[u8], open: usize) -> Option<usize> {
    let (mut at, mut depth) = (open, 0_usize);
    loop {
        match line.get(at)? {
            b'"' => at = text_end(line, at)?,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => (at, depth) = (at + 1, depth - 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_where_they_stand() {
        let line = br#" { "a" : {"x":[1,"}"]} , "\u0069d":1.0e5, "c":"\"" ,}"#;
        let hasher = RandomState::new();
        let values: Vec<_> =
            Members::new(line, 1, &hasher).map(|one| String::from_utf8_lossy(&line[one.unwrap().value])).collect();
        assert_eq!(values, [r#"{"x":[1,"}"]}"#, "1.0e5", r#""\"""#]);
    }

    #[test]
    fn what_is_no_json_is_no_member_and_ends_the_walk() {
        let hasher = RandomState::new();
        for line in ["{", "{a:1}", "{\"a\" 1}", "{\"a\":}", "{\"a\":1", "{\"a\":[}", "{\"a\":\"", "{\"a\":1 2}"] {
            let walk: Vec<_> = Members::new(line.as_bytes(), 0, &hasher).collect();
            assert_eq!(walk.iter().map(Result::is_err).collect::<Vec<_>>(), [true], "{line}");
        }
        for line in ["[", "[1", "[1 2]", "[,]", "[:]"] {
            assert!(Elements::new(line.as_bytes(), 0).any(|element| element.is_err()), "{line}");
        }
        let elements: Vec<_> = Elements::new(b"[1, {\"a\":2},]", 0).map(Result::unwrap).collect();
        assert_eq!(elements, [1..2, 4..11]);
    }
}
