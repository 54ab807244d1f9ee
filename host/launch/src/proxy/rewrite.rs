//! Puts the warning into the answers of one line; every other byte stays.
//!
//! The proxy passes in a line that may be an answer. Its messages are classified once more here, from the whole line;
//! `edit` then finds the places inside a result.

use std::hash::RandomState;
use std::ops::Range;

use crate::proxy::edit::Editor;
use crate::proxy::edit::WarningPlaces;
use crate::proxy::evasion::Evasion;
use crate::proxy::keys::ProtocolKey;
use crate::proxy::members::BrokenJson;
use crate::proxy::members::Elements;
use crate::proxy::members::Members;
use crate::proxy::scan::MessageFacts;
use crate::proxy::session::McpSession;
use crate::proxy::session::OpenRequest;
use crate::proxy::session::Waiting;
use crate::proxy::token::Id;
use crate::proxy::token::Method;
use crate::proxy::words::Words;
use smcp_model::limits;

/// Rewrites lines, with the state of the session.
#[derive(Debug)]
pub(crate) struct Rewriter<'p> {
    /// The words to put in.
    pub(crate) words: &'p Words,
    /// Hashes ids.
    pub(crate) hasher: &'p RandomState,
    /// The open requests, and the state of the warning.
    pub(crate) session: &'p mut McpSession,
}

impl Rewriter<'_> {
    /// Appends the line with the warning in it. Once the warning is delivered, a line that can't be read stays
    /// unchanged.
    ///
    /// # Errors
    /// See [`Evasion`]; only while the warning is undelivered.
    pub(crate) fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Evasion> {
        let strict = self.session.is_silent();
        let mut editor = Editor::new(line, self.words, self.hasher, strict);
        match self.messages(line, &mut editor) {
            Ok(()) => editor.finish(out),
            Err(evasion) if strict => return Err(evasion),
            Err(_) => out.extend_from_slice(line),
        }
        Ok(())
    }

    fn messages(&mut self, line: &[u8], editor: &mut Editor<'_>) -> Result<(), Evasion> {
        // Like the scanner, this skips all characters that are not graphic, as many clients trim them.
        let start = line.iter().position(u8::is_ascii_graphic).unwrap_or(line.len());
        match line.get(start) {
            Some(b'{') => self.message(line, start, false, editor),
            Some(b'[') => {
                for element in Elements::new(line, start) {
                    let element = element.map_err(|BrokenJson| Evasion::Malformed)?;
                    if line.get(element.start) == Some(&b'{') {
                        self.message(line, element.start, true, editor)?;
                    }
                }
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn message(&mut self, line: &[u8], start: usize, batched: bool, editor: &mut Editor<'_>) -> Result<(), Evasion> {
        let message = Message::read(line, start, batched, self.hasher).map_err(|BrokenJson| Evasion::Malformed)?;
        if !message.facts.result && !message.facts.error {
            return Ok(());
        }
        match self.session.waiting(&message.facts) {
            Waiting::Target(open) => self.answer(&message, open, editor),
            Waiting::Other => {
                self.session.close(&message.facts);
                Ok(())
            }
            Waiting::Nobody if self.session.is_wary() => self.stray(&message, editor),
            Waiting::Nobody => Ok(()),
        }
    }

    /// Edits an answer that has to carry the warning; an error can't. Only an answer that every client reads closes its
    /// request: with another, some client may go on waiting, for an answer without the warning.
    fn answer(&mut self, message: &Message, open: OpenRequest, editor: &mut Editor<'_>) -> Result<(), Evasion> {
        let surely = message.canonical && (open.batched || !message.facts.batched) && editor.is_read_by_all();
        if surely {
            self.session.close(&message.facts);
        }
        for result in &message.results {
            let carried = editor.result(result.clone(), WarningPlaces::of(open.method))?;
            if carried.logging && open.method == Method::Initialize {
                self.session.declares_logging();
            }
            if carried.any() {
                self.session.carried(open.method, surely);
            }
        }
        Ok(())
    }

    /// Edits an answer that matches no open request. A client that compares ids loosely may accept it nevertheless.
    fn stray(&mut self, message: &Message, editor: &mut Editor<'_>) -> Result<(), Evasion> {
        for result in &message.results {
            let shape = editor.shape(result)?;
            let places = if self.session.is_silent() { shape } else { shape.handshake_only() };
            if editor.result(result.clone(), places)?.instructions {
                self.session.carried_by_shape();
            }
        }
        Ok(())
    }
}

/// A message, as far as answers are concerned.
#[derive(Debug)]
struct Message {
    facts: MessageFacts,
    /// The places of its results; a well-formed message has one.
    results: Vec<Range<usize>>,
    /// It has exactly the keys of an answer, and its result or error is an object, so that every client takes it for
    /// one.
    canonical: bool,
}

impl Message {
    fn read(line: &[u8], start: usize, batched: bool, hasher: &RandomState) -> Result<Self, BrokenJson> {
        let mut facts = MessageFacts { batched, ..MessageFacts::default() };
        let (mut results, mut version, mut canonical) = (Vec::new(), false, true);
        let mut outcomes = 0;
        for member in Members::new(line, start, hasher) {
            let member = member?;
            let value = line.get(member.value.clone()).ok_or(BrokenJson)?;
            canonical &= member.name.exact;
            match member.name.key {
                ProtocolKey::Jsonrpc => version = value == br#""2.0""#,
                ProtocolKey::Id => {
                    facts.first_id = facts.first_id.or(facts.id);
                    facts.id = Some(id(value, hasher));
                }
                ProtocolKey::Result | ProtocolKey::Error => {
                    canonical &= value.first() == Some(&b'{');
                    outcomes += 1;
                    facts.error |= member.name.key == ProtocolKey::Error;
                    if member.name.key == ProtocolKey::Result {
                        facts.result = true;
                        results.push(member.value);
                    }
                }
                ProtocolKey::Method
                | ProtocolKey::Instructions
                | ProtocolKey::Handshake
                | ProtocolKey::Tools
                | ProtocolKey::Content
                | ProtocolKey::Structured
                | ProtocolKey::ResultType
                | ProtocolKey::Task
                | ProtocolKey::Capabilities
                | ProtocolKey::Logging
                | ProtocolKey::Description
                | ProtocolKey::Lifetime
                | ProtocolKey::Scope
                | ProtocolKey::Other => canonical = false,
            }
        }
        Ok(Self { facts, results, canonical: canonical && version && outcomes == 1 })
    }
}

/// Reads an id. One that is longer than any remembered id identifies no request.
fn id(value: &[u8], hasher: &RandomState) -> Id {
    let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let token = inside.unwrap_or(value);
    if token.len() > limits::PROTOCOL_TOKEN {
        return Id::Useless;
    }
    if inside.is_some() { Id::text(token, hasher) } else { Id::scalar(token, hasher) }
}
