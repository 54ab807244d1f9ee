//! Scans JSON byte by byte, for the messages in a stream and what they answer.
//!
//! The stream may be cut anywhere; the proxy asks what is known of the message so far. Grammar is checked at the level
//! of messages, batches and the keys of results. Below that only strings and brackets are counted, and any spelling of
//! a scalar is accepted. Only the token being read is stored.

pub(crate) use crate::proxy::scan::facts::MessageFacts;
pub(crate) use crate::proxy::scan::facts::ScanEvent;

use std::hash::RandomState;

use crate::proxy::keys::KeySet;
use crate::proxy::keys::ProtocolKey;
use crate::proxy::token::Id;

mod facts;
mod lex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanLevel {
    Top,
    Batch,
    Message,
    Result,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ProtocolKey,
    Colon,
    Comma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanToken {
    None,
    Text,
    Escape,
    Scalar,
    /// Inside brackets whose content does not matter.
    Skip,
    SkipText,
    SkipEscape,
}

/// A scanner of a stream of JSON values.
#[derive(Debug)]
pub(crate) struct Scanner {
    hasher: RandomState,
    /// Whether keys are compared with each other.
    unique: bool,
    level: ScanLevel,
    expect: Expect,
    token: ScanToken,
    /// The key of the value being read, at the present level.
    key: ProtocolKey,
    /// How many brackets of a skipped value are open.
    depth: u64,
    /// The token being read, if it matters.
    raw: Vec<u8>,
    /// The token is longer than any that matters.
    long: bool,
    /// How many bytes have been read.
    at: usize,
    /// How many values are complete.
    values: usize,
    /// The bytes can't be JSON.
    garbage: bool,
    /// The line has only white space so far.
    clean: bool,
    /// The value being read began its line, and is still on it.
    leading: bool,
    facts: MessageFacts,
    keys: KeySet,
    result_keys: KeySet,
}

impl Scanner {
    /// A scanner at the start of a line. With `unique` it looks for duplicate keys.
    pub(crate) fn new(hasher: RandomState, unique: bool) -> Self {
        Self {
            hasher,
            unique,
            level: ScanLevel::Top,
            expect: Expect::Value,
            token: ScanToken::None,
            key: ProtocolKey::Other,
            depth: 0,
            raw: Vec::new(),
            long: false,
            at: 0,
            values: 0,
            garbage: false,
            clean: true,
            leading: false,
            facts: MessageFacts::default(),
            keys: KeySet::default(),
            result_keys: KeySet::default(),
        }
    }

    /// Starts over, at the start of a line.
    pub(crate) fn restart(&mut self, unique: bool) {
        self.unique = unique;
        (self.level, self.expect, self.token) = (ScanLevel::Top, Expect::Value, ScanToken::None);
        (self.key, self.depth, self.at, self.values) = (ProtocolKey::Other, 0, 0, 0);
        (self.garbage, self.clean, self.leading) = (false, true, false);
    }

    /// What is known of the present message.
    pub(crate) fn facts(&self) -> &MessageFacts {
        &self.facts
    }

    /// Whether the bytes so far can't be JSON. Then nothing more is read.
    pub(crate) fn is_garbage(&self) -> bool {
        self.garbage
    }

    /// Whether a value has begun and is not complete.
    pub(crate) fn is_inside(&self) -> bool {
        !self.garbage && (self.level != ScanLevel::Top || self.token != ScanToken::None)
    }

    /// Whether a batch is being read.
    pub(crate) fn is_in_batch(&self) -> bool {
        self.level == ScanLevel::Batch || (self.level != ScanLevel::Top && self.facts.batched)
    }

    /// How many values are complete.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    /// Reads up to the next event. Returns the number of bytes read. A byte that may end a line has to be passed alone.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> (usize, Option<ScanEvent>) {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..)
            && let Some(first) = rest.first()
        {
            if self.garbage {
                return (bytes.len(), None);
            }
            let (length, event) = match self.token {
                ScanToken::None => self.structure(*first),
                ScanToken::Text | ScanToken::Escape => self.text(rest, *first),
                ScanToken::Scalar => self.scalar(rest),
                ScanToken::Skip | ScanToken::SkipText | ScanToken::SkipEscape => (self.skip(rest, *first), None),
            };
            // The end of a skipped value is the end of its member.
            let event = if self.token == ScanToken::Skip && self.depth == 0 { self.value() } else { event };
            taken += length;
            self.at += length;
            if event.is_some() {
                return (taken, event);
            }
        }
        (taken, None)
    }

    fn structure(&mut self, byte: u8) -> (usize, Option<ScanEvent>) {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            self.space(byte);
            return (1, None);
        }
        // Many clients trim a line before they read it, and differ in what they take for white space.
        if self.level == ScanLevel::Top && self.clean && !byte.is_ascii_graphic() {
            return (1, None);
        }
        let event = match (self.expect, byte) {
            (Expect::Value, b'{' | b'[') => {
                self.open(byte);
                None
            }
            (Expect::Value, b'"') | (Expect::ProtocolKey, b'"') => {
                self.begin(ScanToken::Text);
                None
            }
            (Expect::Value, b']') | (Expect::Comma, b']') if self.level == ScanLevel::Batch => self.close(),
            (Expect::Value, b'}' | b']' | b',' | b':') => self.fail(),
            (Expect::Value, _) => {
                self.begin(ScanToken::Scalar);
                return (0, None);
            }
            (Expect::ProtocolKey | Expect::Comma, b'}') if self.level != ScanLevel::Batch => self.close(),
            (Expect::Colon, b':') => self.expecting(Expect::Value),
            (Expect::Comma, b',') if self.level == ScanLevel::Batch => self.expecting(Expect::Value),
            (Expect::Comma, b',') => self.expecting(Expect::ProtocolKey),
            (Expect::ProtocolKey | Expect::Colon | Expect::Comma, _) => self.fail(),
        };
        (1, event)
    }

    fn space(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\r') {
            self.clean = true;
            self.leading = false;
            self.facts.on_own_line = false;
        }
    }

    fn fail(&mut self) -> Option<ScanEvent> {
        self.garbage = true;
        None
    }

    fn expecting(&mut self, expect: Expect) -> Option<ScanEvent> {
        self.expect = expect;
        None
    }

    fn begin(&mut self, token: ScanToken) {
        self.token = token;
        self.raw.clear();
        self.long = false;
        self.clean = false;
    }

    fn open(&mut self, byte: u8) {
        if self.level == ScanLevel::Top {
            self.leading = self.clean && self.values == 0;
        }
        match (self.level, byte) {
            (ScanLevel::Top | ScanLevel::Batch, b'{') => self.message(),
            (ScanLevel::Top, _) => {
                self.level = ScanLevel::Batch;
                self.facts = MessageFacts { batched: true, ..MessageFacts::default() };
            }
            (ScanLevel::Message, b'{') if self.key == ProtocolKey::Result => {
                self.level = ScanLevel::Result;
                self.expect = Expect::ProtocolKey;
                self.facts.result = true;
                self.result_keys.clear();
            }
            _ => {
                if self.level == ScanLevel::Result && self.key == ProtocolKey::Content && byte == b'[' {
                    self.facts.content_at = Some(self.at + 1);
                }
                self.facts.result |= self.level == ScanLevel::Message && self.key == ProtocolKey::Result;
                self.token = ScanToken::Skip;
                self.depth = 1;
            }
        }
        self.clean = false;
    }

    fn message(&mut self) {
        let batched = self.level == ScanLevel::Batch;
        self.level = ScanLevel::Message;
        self.expect = Expect::ProtocolKey;
        self.keys.clear();
        self.facts = MessageFacts { on_own_line: self.leading || self.clean, batched, ..MessageFacts::default() };
    }

    fn close(&mut self) -> Option<ScanEvent> {
        match self.level {
            ScanLevel::Result => {
                self.level = ScanLevel::Message;
                self.key = ProtocolKey::Result;
                self.value()
            }
            ScanLevel::Message => {
                let batched = self.facts.batched;
                self.level = if batched { ScanLevel::Batch } else { ScanLevel::Top };
                self.key = ProtocolKey::Other;
                self.value();
                Some(ScanEvent::Message)
            }
            ScanLevel::Batch | ScanLevel::Top => {
                self.level = ScanLevel::Top;
                self.value()
            }
        }
    }

    /// Ends a value at the present level.
    fn value(&mut self) -> Option<ScanEvent> {
        self.token = ScanToken::None;
        self.expect = Expect::Comma;
        match self.level {
            ScanLevel::Top => {
                self.values += 1;
                self.leading = false;
                self.expect = Expect::Value;
                None
            }
            ScanLevel::Batch => None,
            ScanLevel::Message => {
                self.facts.result |= self.key == ProtocolKey::Result;
                self.facts.error |= self.key == ProtocolKey::Error;
                if self.key == ProtocolKey::Id && self.facts.id.is_none() {
                    self.facts.id = Some(Id::Useless);
                }
                Some(ScanEvent::Member)
            }
            ScanLevel::Result => None,
        }
    }
}
