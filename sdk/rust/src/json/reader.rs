//! From text to values, byte by byte.

use std::borrow::Cow;

use crate::json::Json;
use crate::json::JsonError;
use crate::json::JsonErrorKind;
use crate::json::MAX_DEPTH;
use crate::json::repeats_a_key;

/// Reads a whole document.
pub(super) fn document(text: &str) -> Result<Json<'_>, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0);
    let value =
        value.and_then(|value| if reader.next_token().is_none() { Ok(value) } else { Err(JsonErrorKind::Syntax) });
    value.map_err(|kind| JsonError { byte: reader.at, kind })
}

struct Reader<'a> {
    text: &'a str,
    /// The place of the next byte: the beginning of a character, or the end.
    at: usize,
}

impl<'a> Reader<'a> {
    /// Skips the next byte.
    fn advance(&mut self) {
        // Can't overflow: no text is longer than the address space. A check would take code.
        self.at = self.at.wrapping_add(1);
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space, and returns the next byte.
    fn next_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.advance();
        }
        self.peek()
    }

    /// Skips this byte, if it is the next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonErrorKind> {
        match self.next_token() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => Err(JsonErrorKind::TooDeep),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            _ => Err(JsonErrorKind::Syntax),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, JsonErrorKind> {
        if word.bytes().all(|byte| self.takes(byte)) { Ok(value) } else { Err(JsonErrorKind::Syntax) }
    }

    /// Skips what stands between two items, or the end of the list; returns whether an item follows.
    fn continues(&mut self, end: u8, is_first: bool) -> Result<bool, JsonErrorKind> {
        self.next_token();
        if self.takes(end) {
            return Ok(false);
        }
        if is_first || self.takes(b',') { Ok(true) } else { Err(JsonErrorKind::Syntax) }
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, JsonErrorKind> {
        self.advance();
        let mut items = Vec::new();
        while self.continues(b']', items.is_empty())? {
            items.push(self.value(depth)?);
        }
        Ok(Json::List(items))
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, JsonErrorKind> {
        self.advance();
        let mut entries = Vec::new();
        while self.continues(b'}', entries.is_empty())? {
            if self.next_token() != Some(b'"') {
                return Err(JsonErrorKind::Syntax);
            }
            let key = self.string()?;
            if self.next_token() != Some(b':') {
                return Err(JsonErrorKind::Syntax);
            }
            self.advance();
            entries.push((key, self.value(depth)?));
        }
        if repeats_a_key(&entries) { Err(JsonErrorKind::RepeatedKey) } else { Ok(Json::Object(entries)) }
    }

    fn number(&mut self) -> Result<Json<'a>, JsonErrorKind> {
        let from = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _is_signed = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Ok(Json::Number(self.since(from)))
    }

    /// Skips digits, at least one.
    fn digits(&mut self) -> Result<(), JsonErrorKind> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.advance();
        }
        if self.at > from { Ok(()) } else { Err(JsonErrorKind::Syntax) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonErrorKind> {
        self.advance();
        let mut decoded = String::new();
        let mut from = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = self.since(from);
                    self.advance();
                    if decoded.is_empty() {
                        return Ok(Cow::Borrowed(rest));
                    }
                    decoded.push_str(rest);
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    decoded.push_str(self.since(from));
                    self.advance();
                    decoded.push(self.escape()?);
                    from = self.at;
                }
                Some(0x20..) => self.advance(),
                Some(_) | None => return Err(JsonErrorKind::Syntax),
            }
        }
    }

    /// Reads the rest of an escape, after its backslash.
    fn escape(&mut self) -> Result<char, JsonErrorKind> {
        let escaped = self.peek().ok_or(JsonErrorKind::Syntax)?;
        let character = match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(JsonErrorKind::Syntax),
        };
        self.advance();
        Ok(character)
    }

    /// Reads `uXXXX`, or the surrogate pair `uXXXX\uXXXX`, as a character.
    fn unicode(&mut self) -> Result<char, JsonErrorKind> {
        let unit = self.hex()?;
        let code = match unit {
            0xd800..=0xdbff if self.takes(b'\\') && self.peek() == Some(b'u') => match self.hex()? {
                low @ 0xdc00..=0xdfff => 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00),
                _ => return Err(JsonErrorKind::Syntax),
            },
            _ => unit,
        };
        char::from_u32(code).ok_or(JsonErrorKind::Syntax)
    }

    /// Reads the four digits after a `u`.
    fn hex(&mut self) -> Result<u32, JsonErrorKind> {
        self.advance();
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(JsonErrorKind::Syntax)?;
            value = value * 16 + digit;
            self.advance();
        }
        Ok(value)
    }
}
