//! The scanner inside of a token: strings, scalars, and what is skipped.
//!
//! `scan` has the structure around the tokens; from here come their meanings. A token may be cut anywhere.

use crate::proxy::keys::Key;
use crate::proxy::keys::Name;
use crate::proxy::scan::Event;
use crate::proxy::scan::Expect;
use crate::proxy::scan::Level;
use crate::proxy::scan::Scanner;
use crate::proxy::scan::Token;
use crate::proxy::token::Id;
use crate::proxy::token::Method;
use smcp_model::limits;

impl Scanner {
    /// In a string that matters.
    pub(crate) fn text(&mut self, rest: &[u8], first: u8) -> (usize, Option<Event>) {
        if matches!(first, b'\n' | b'\r') {
            return (1, self.fail());
        }
        if self.token == Token::Escape {
            self.record(rest.get(..1).unwrap_or_default());
            self.token = Token::Text;
            return (1, None);
        }
        let Some(end) = memchr::memchr2(b'"', b'\\', rest) else {
            self.record(rest);
            return (rest.len(), None);
        };
        let (inside, mark) = rest.split_at(end);
        self.record(inside);
        if mark.first() == Some(&b'\\') {
            self.record(b"\\");
            self.token = Token::Escape;
            return (end + 1, None);
        }
        (end + 1, self.text_end())
    }

    fn text_end(&mut self) -> Option<Event> {
        self.token = Token::None;
        if self.expect == Expect::Key {
            self.name();
            return self.expecting(Expect::Colon);
        }
        if self.level == Level::Message && self.key == Key::Id {
            let id = if self.long { Id::Useless } else { Id::text(&self.raw, &self.hasher) };
            self.identify(id);
        }
        let undecided = self.facts.method.is_none_or(|known| known == Method::Other);
        if self.level == Level::Message && self.key == Key::Method && undecided {
            self.facts.method = Some(if self.long { Method::Other } else { Method::read(&self.raw) });
        }
        self.value()
    }

    /// In a scalar.
    pub(crate) fn scalar(&mut self, rest: &[u8]) -> (usize, Option<Event>) {
        let ends =
            |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.record(rest.get(..length).unwrap_or_default());
        if length == rest.len() {
            return (length, None);
        }
        if matches!(self.level, Level::Top | Level::Batch) && !self.is_scalar() {
            return (length, self.fail());
        }
        if self.level == Level::Message && self.key == Key::Id {
            let id = if self.long { Id::Useless } else { Id::scalar(&self.raw, &self.hasher) };
            self.identify(id);
        }
        (length, self.value())
    }

    /// Whether the token is a scalar of JSON. Only asked where messages stand, to tell them from a log's words.
    fn is_scalar(&self) -> bool {
        let numeric = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        matches!(self.raw.as_slice(), b"true" | b"false" | b"null" | b"NaN" | b"Infinity" | b"-Infinity")
            || self.raw.iter().all(numeric)
    }

    /// Between brackets that hold nothing of interest.
    pub(crate) fn skip(&mut self, rest: &[u8], first: u8) -> usize {
        match self.token {
            Token::SkipEscape => {
                self.token = Token::SkipText;
                1
            }
            Token::SkipText if matches!(first, b'\n' | b'\r') => {
                self.fail();
                1
            }
            Token::SkipText => {
                let Some(end) = memchr::memchr2(b'"', b'\\', rest) else { return rest.len() };
                self.token = if rest.get(end) == Some(&b'"') { Token::Skip } else { Token::SkipEscape };
                end + 1
            }
            Token::Skip | Token::None | Token::Text | Token::Escape | Token::Scalar => self.brackets(rest),
        }
    }

    /// Up to the next string, or to the end of the skipped value.
    fn brackets(&mut self, rest: &[u8]) -> usize {
        for (index, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.token = Token::SkipText;
                    return index + 1;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return index + 1;
                    }
                }
                b'\n' | b'\r' => self.space(*byte),
                _ => {}
            }
        }
        rest.len()
    }

    fn record(&mut self, bytes: &[u8]) {
        let wanted = self.expect == Expect::Key
            || (self.level == Level::Message && matches!(self.key, Key::Id | Key::Method))
            || matches!(self.level, Level::Top | Level::Batch);
        if !wanted || self.long {
            return;
        }
        self.long = self.raw.len() + bytes.len() > limits::PROTOCOL_TOKEN;
        if !self.long {
            self.raw.extend_from_slice(bytes);
        }
    }

    fn identify(&mut self, id: Id) {
        if self.facts.first_id.is_none() {
            self.facts.first_id = self.facts.id;
        }
        self.facts.id = Some(id);
    }

    fn name(&mut self) {
        // A key longer than any that matters is nobody's, and not compared.
        if self.long {
            self.key = Key::Other;
            return;
        }
        let name = Name::read(&self.raw, &self.hasher);
        self.key = name.key;
        let in_result = self.level == Level::Result;
        if in_result {
            let shapes = [Key::Instructions, Key::Handshake, Key::Tools, Key::Content, Key::Structured];
            self.facts.shaped |= shapes.contains(&name.key);
        }
        if !self.unique {
            return;
        }
        let keys = if in_result { &mut self.result_keys } else { &mut self.keys };
        let repeated = !keys.insert(name);
        self.facts.crowded |= keys.others() > limits::COMPARED_KEYS;
        if in_result {
            self.facts.duplicate_in_result |= repeated;
        } else {
            self.facts.duplicate |= repeated;
        }
    }
}
