//! Puts the warning into its places inside a result.
//!
//! `rewrite` passes in the result and what it answers. Places are edited from front to back, and the bytes between them
//! are copied unchanged.

use std::hash::RandomState;
use std::ops::Range;

use crate::proxy::evasion::Evasion;
use crate::proxy::forged;
use crate::proxy::keys::KeySet;
use crate::proxy::keys::ProtocolKey;
use crate::proxy::members::BrokenJson;
use crate::proxy::members::Elements;
use crate::proxy::members::Member;
use crate::proxy::members::Members;
use crate::proxy::members::skip_space;
use crate::proxy::strict;
use crate::proxy::token::Method;
use crate::proxy::token::decode;
use crate::proxy::words::Words;
use smcp_model::limits;

/// The separator between our words and the server's own: a blank line.
const BLANK_LINE: &[u8] = br"\n\n";

/// The places of a result that get the warning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WarningPlaces {
    /// `instructions` get the block.
    pub(crate) instructions: bool,
    /// The description of every tool gets the short form.
    pub(crate) tools: bool,
    /// The content gets the short form as its first block.
    pub(crate) content: bool,
}

impl WarningPlaces {
    /// The places in the answer to a request of this method.
    pub(crate) fn of(method: Method) -> Self {
        Self {
            instructions: matches!(method, Method::Initialize | Method::Discover),
            tools: method == Method::List,
            content: method == Method::Call,
        }
    }

    /// Only those places that the answer to a handshake has.
    pub(crate) fn handshake_only(self) -> Self {
        Self { instructions: self.instructions, ..Self::default() }
    }
}

/// The places of a result that carry the warning now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// The block, in its instructions.
    pub(crate) instructions: bool,
    /// The short form, in the description of at least one tool.
    pub(crate) tools: bool,
    /// The short form, in its content.
    pub(crate) content: bool,
    /// The result declares the capability `logging`.
    pub(crate) logging: bool,
}

impl Carried {
    /// Whether the warning was put in anywhere.
    pub(crate) fn any(self) -> bool {
        self.instructions || self.tools || self.content
    }
}

/// Rewrites one line.
#[derive(Debug)]
pub(crate) struct Editor<'l> {
    line: &'l [u8],
    words: &'l Words,
    hasher: &'l RandomState,
    /// Whether each key may occur only once.
    unique: bool,
    out: Vec<u8>,
    /// How many bytes of the line are in `out`.
    copied: usize,
    /// How many bytes of `out` are ours.
    added: usize,
    keys: KeySet,
    /// Whether every client can read the line; `None` until it is needed.
    readable: Option<bool>,
}

impl<'l> Editor<'l> {
    /// An editor that has not changed anything yet.
    pub(crate) fn new(line: &'l [u8], words: &'l Words, hasher: &'l RandomState, unique: bool) -> Self {
        Self {
            line,
            words,
            hasher,
            unique,
            out: Vec::new(),
            copied: 0,
            added: 0,
            keys: KeySet::default(),
            readable: None,
        }
    }

    /// Appends the whole line, edited.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.out);
        out.extend_from_slice(self.line.get(self.copied..).unwrap_or_default());
    }

    /// Whether every client can read the line as the server sent it.
    pub(crate) fn is_read_by_all(&mut self) -> bool {
        *self.readable.get_or_insert_with(|| strict::is_read_by_all(self.line))
    }

    /// The places that a result seems to have, by its keys alone.
    pub(crate) fn shape(&self, result: &Range<usize>) -> Result<WarningPlaces, Evasion> {
        let mut places = WarningPlaces::default();
        if !self.opens(result, b'{') {
            return Ok(places);
        }
        for member in Members::new(self.line, result.start, self.hasher) {
            let member = member.map_err(|BrokenJson| Evasion::Malformed)?;
            let list = self.opens(&member.value, b'[');
            places.instructions |= matches!(member.name.key, ProtocolKey::Instructions | ProtocolKey::Handshake);
            places.tools |= member.name.key == ProtocolKey::Tools && list;
            // The content of a call's result may be missing; some clients take it for empty.
            places.content |=
                member.name.key == ProtocolKey::Content && list || member.name.key == ProtocolKey::Structured;
        }
        Ok(places)
    }

    /// Fills the places of a result. A result that is not an object has none.
    pub(crate) fn result(&mut self, result: Range<usize>, places: WarningPlaces) -> Result<Carried, Evasion> {
        let mut carried = Carried::default();
        if places == WarningPlaces::default() || !self.opens(&result, b'{') {
            return Ok(carried);
        }
        let present = self.present(&result)?;
        let words = self.words;
        // A result that the client keeps beyond the session would hide a later warning.
        let warned = places.instructions || places.tools && present.tools;
        if places.instructions && !present.instructions {
            self.add_member(&result, &[br#""instructions":""#, &words.block, b"\""])?;
            carried.instructions = true;
        }
        if places.content && !present.content && (present.complete || present.structured) {
            self.add_member(&result, &[br#""content":["#, &words.content, b"]"])?;
            carried.content = true;
        }
        for member in Members::new(self.line, result.start, self.hasher) {
            let Member { name, value } = member.map_err(|BrokenJson| Evasion::Malformed)?;
            if places.instructions && name.key == ProtocolKey::Instructions {
                self.text(&value, &words.block)?;
                carried.instructions = true;
            } else if places.content && name.key == ProtocolKey::Content {
                self.content(&value)?;
                carried.content = true;
            } else if places.tools && name.key == ProtocolKey::Tools {
                carried.tools |= self.tools(&value)?;
            } else if warned && name.key == ProtocolKey::Lifetime {
                self.set(&value, b"0")?;
            } else if warned && name.key == ProtocolKey::Scope {
                self.set(&value, br#""private""#)?;
            } else if name.key == ProtocolKey::Capabilities && name.exact {
                carried.logging = self.declares_logging(&value)?;
            }
        }
        Ok(carried)
    }

    /// Finds what a strict client sees in an object, and checks that every client sees the same.
    fn present(&mut self, object: &Range<usize>) -> Result<Present, Evasion> {
        let mut present = Present { complete: true, ..Present::default() };
        self.keys.clear();
        for member in Members::new(self.line, object.start, self.hasher) {
            let Member { name, value } = member.map_err(|BrokenJson| Evasion::Malformed)?;
            if self.unique && !self.keys.insert(name) {
                return Err(Evasion::DuplicateKey);
            }
            if self.keys.others() > limits::COMPARED_KEYS {
                return Err(Evasion::TooManyKeys);
            }
            present.tools |= name.key == ProtocolKey::Tools && self.has_tool(&value)?;
            if !name.exact {
                continue;
            }
            present.instructions |= name.key == ProtocolKey::Instructions;
            present.content |= name.key == ProtocolKey::Content;
            present.structured |= name.key == ProtocolKey::Structured;
            present.description |= name.key == ProtocolKey::Description;
            if name.key == ProtocolKey::ResultType {
                let result_type = self.line.get(value).unwrap_or_default();
                present.complete &= decode(result_type) == r#""complete""#;
            }
            present.complete &= name.key != ProtocolKey::Task;
        }
        Ok(present)
    }

    fn tools(&mut self, list: &Range<usize>) -> Result<bool, Evasion> {
        let mut any = false;
        if !self.opens(list, b'[') {
            return Ok(any);
        }
        for tool in Elements::new(self.line, list.start) {
            let tool = tool.map_err(|BrokenJson| Evasion::Malformed)?;
            if self.opens(&tool, b'{') {
                self.tool(&tool)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// Whether a list has at least one tool that can be described.
    fn has_tool(&self, list: &Range<usize>) -> Result<bool, Evasion> {
        if !self.opens(list, b'[') {
            return Ok(false);
        }
        for tool in Elements::new(self.line, list.start) {
            if self.opens(&tool.map_err(|BrokenJson| Evasion::Malformed)?, b'{') {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tool(&mut self, tool: &Range<usize>) -> Result<(), Evasion> {
        let words = self.words;
        if !self.present(tool)?.description {
            self.add_member(tool, &[br#""description":""#, &words.short, b"\""])?;
        }
        for member in Members::new(self.line, tool.start, self.hasher) {
            let Member { name, value } = member.map_err(|BrokenJson| Evasion::Malformed)?;
            if name.key == ProtocolKey::Description {
                self.text(&value, &words.short)?;
            }
        }
        Ok(())
    }

    /// Puts our words before a string of the server. A value that is not a string is replaced by them.
    fn text(&mut self, value: &Range<usize>, ours: &[u8]) -> Result<(), Evasion> {
        let line = self.line;
        let inside = value.start + 1..value.end.saturating_sub(1);
        let theirs = match line.get(value.start) {
            Some(b'"') => line.get(inside.clone()).unwrap_or_default(),
            Some(_) | None => return self.replace(value, &[b"\"", ours, b"\""]),
        };
        let between = if theirs.is_empty() { &[] } else { BLANK_LINE };
        self.insert(inside.start, &[ours, between])?;
        for bracket in forged::brackets(theirs) {
            self.replace(&(inside.start + bracket.start..inside.start + bracket.end), &[b"("])?;
        }
        Ok(())
    }

    fn content(&mut self, value: &Range<usize>) -> Result<(), Evasion> {
        let words = self.words;
        if !self.opens(value, b'[') {
            return self.replace(value, &[b"[", &words.content, b"]"]);
        }
        let comma = self.comma(value.start + 1, b']');
        self.insert(value.start + 1, &[&words.content, comma])
    }

    fn declares_logging(&self, capabilities: &Range<usize>) -> Result<bool, Evasion> {
        if !self.opens(capabilities, b'{') {
            return Ok(false);
        }
        for member in Members::new(self.line, capabilities.start, self.hasher) {
            let Member { name, value } = member.map_err(|BrokenJson| Evasion::Malformed)?;
            if name.key == ProtocolKey::Logging && name.exact {
                return Ok(self.opens(&value, b'{'));
            }
        }
        Ok(false)
    }

    fn add_member(&mut self, object: &Range<usize>, member: &[&[u8]]) -> Result<(), Evasion> {
        let comma = self.comma(object.start + 1, b'}');
        self.insert(object.start + 1, member)?;
        self.insert(object.start + 1, &[comma])
    }

    /// The comma between our member or element and the server's next one; empty if there is none.
    fn comma(&self, at: usize, close: u8) -> &'static [u8] {
        if self.line.get(skip_space(self.line, at)) == Some(&close) { b"" } else { b"," }
    }

    fn opens(&self, value: &Range<usize>, bracket: u8) -> bool {
        self.line.get(value.start) == Some(&bracket)
    }

    /// Replaces a scalar by ours. An equal value keeps its spelling.
    fn set(&mut self, value: &Range<usize>, ours: &[u8]) -> Result<(), Evasion> {
        let theirs = decode(self.line.get(value.clone()).unwrap_or_default());
        if theirs.as_bytes() == ours { Ok(()) } else { self.replace(value, &[ours]) }
    }

    fn insert(&mut self, at: usize, parts: &[&[u8]]) -> Result<(), Evasion> {
        self.replace(&(at..at), parts)
    }

    fn replace(&mut self, place: &Range<usize>, parts: &[&[u8]]) -> Result<(), Evasion> {
        self.out.extend_from_slice(self.line.get(self.copied..place.start).unwrap_or_default());
        self.copied = place.end;
        for part in parts {
            self.added += part.len();
            self.out.extend_from_slice(part);
        }
        if self.added > limits::INSERTED { Err(Evasion::TooManyPlaces) } else { Ok(()) }
    }
}

/// The members that an object has under the exact keys of the protocol.
#[derive(Debug, Default)]
struct Present {
    instructions: bool,
    content: bool,
    /// `structuredContent`, which programs read. Such a result always has a content for the model, too.
    structured: bool,
    description: bool,
    /// A list with at least one tool, in any spelling of the key.
    tools: bool,
    /// The result does not say that the work goes on.
    complete: bool,
}
