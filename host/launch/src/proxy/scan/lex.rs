//! The scanner inside a token: strings, scalars, and skipped values.
//!
//! `scan` has the structure around the tokens; this file reads the tokens. A token may be cut anywhere.

use crate::proxy::keys::Name;
use crate::proxy::keys::ProtocolKey;
use crate::proxy::scan::Expect;
use crate::proxy::scan::ScanEvent;
use crate::proxy::scan::ScanLevel;
use crate::proxy::scan::ScanToken;
use crate::proxy::scan::Scanner;
use crate::proxy::token::Id;
use crate::proxy::token::Method;
use smcp_model::limits;

impl Scanner {
    /// Reads inside a string that matters.
    pub(crate) fn text(&mut self, rest: &[u8], first: u8) -> (usize, Option<ScanEvent>) {
        if matches!(first, b'\n' | b'\r') {
            return (1, self.fail());
        }
        if self.token == ScanToken::Escape {
            self.record(rest.get(..1).unwrap_or_default());
            self.token = ScanToken::Text;
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
            self.token = ScanToken::Escape;
            return (end + 1, None);
        }
        (end + 1, self.text_end())
    }

    fn text_end(&mut self) -> Option<ScanEvent> {
        self.token = ScanToken::None;
        if self.expect == Expect::ProtocolKey {
            self.name();
            return self.expecting(Expect::Colon);
        }
        if self.level == ScanLevel::Message && self.key == ProtocolKey::Id {
            let id = if self.long { Id::Useless } else { Id::text(&self.raw, &self.hasher) };
            self.identify(id);
        }
        let undecided = self.facts.method.is_none_or(|known| known == Method::Other);
        if self.level == ScanLevel::Message && self.key == ProtocolKey::Method && undecided {
            self.facts.method = Some(if self.long { Method::Other } else { Method::read(&self.raw) });
        }
        self.value()
    }

    /// Reads inside a scalar.
    pub(crate) fn scalar(&mut self, rest: &[u8]) -> (usize, Option<ScanEvent>) {
        let ends =
            |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.record(rest.get(..length).unwrap_or_default());
        if length == rest.len() {
            return (length, None);
        }
        if matches!(self.level, ScanLevel::Top | ScanLevel::Batch) && !self.is_scalar() {
            return (length, self.fail());
        }
        if self.level == ScanLevel::Message && self.key == ProtocolKey::Id {
            let id = if self.long { Id::Useless } else { Id::scalar(&self.raw, &self.hasher) };
            self.identify(id);
        }
        (length, self.value())
    }

    /// Whether the token is a scalar of JSON. Needed only at the level of messages, to tell JSON from lines of a log.
    fn is_scalar(&self) -> bool {
        let numeric = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        matches!(self.raw.as_slice(), b"true" | b"false" | b"null" | b"NaN" | b"Infinity" | b"-Infinity")
            || self.raw.iter().all(numeric)
    }

    /// Reads inside brackets whose content does not matter.
    pub(crate) fn skip(&mut self, rest: &[u8], first: u8) -> usize {
        match self.token {
            ScanToken::SkipEscape => {
                self.token = ScanToken::SkipText;
                1
            }
            ScanToken::SkipText if matches!(first, b'\n' | b'\r') => {
                self.fail();
                1
            }
            ScanToken::SkipText => {
                let Some(end) = memchr::memchr2(b'"', b'\\', rest) else { return rest.len() };
                self.token = if rest.get(end) == Some(&b'"') { ScanToken::Skip } else { ScanToken::SkipEscape };
                end + 1
            }
            ScanToken::Skip | ScanToken::None | ScanToken::Text | ScanToken::Escape | ScanToken::Scalar => {
                self.brackets(rest)
            }
        }
    }

    /// Reads up to the next string, or to the end of the skipped value.
    fn brackets(&mut self, rest: &[u8]) -> usize {
        for (index, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.token = ScanToken::SkipText;
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
        let wanted = self.expect == Expect::ProtocolKey
            || (self.level == ScanLevel::Message && matches!(self.key, ProtocolKey::Id | ProtocolKey::Method))
            || matches!(self.level, ScanLevel::Top | ScanLevel::Batch);
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
        // A key that is longer than any that matters is not compared.
        if self.long {
            self.key = ProtocolKey::Other;
            return;
        }
        let name = Name::read(&self.raw, &self.hasher);
        self.key = name.key;
        let in_result = self.level == ScanLevel::Result;
        if in_result {
            let shapes = [
                ProtocolKey::Instructions,
                ProtocolKey::Handshake,
                ProtocolKey::Tools,
                ProtocolKey::Content,
                ProtocolKey::Structured,
            ];
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
