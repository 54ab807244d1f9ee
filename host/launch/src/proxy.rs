//! Puts the warning into the MCP stream: a pure state machine over bytes.
//!
//! Before it `report` has worded the [`Warning`]; around it the relay moves the bytes. Nothing here reads, writes,
//! waits or knows the time, and any cut of the streams into pieces gives the same bytes. docs/decisions/0007 has the
//! reasons.
//!
//! ```text
//! client ─► skim, or scan ─► session: who waits for what
//!                               │
//! server ─► line: hold, let out, watch ─► rewrite ─► edit ─► client
//!              └► value over several lines: no dodging
//! ```

use std::hash::RandomState;

use crate::proxy::client::ClientStream;
use crate::proxy::line::Line;
use crate::proxy::rewrite::Rewriter;
use crate::proxy::session::Session;
use crate::proxy::words::Words;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

pub use crate::proxy::evasion::Evasion;

mod evasion;
mod client;
mod skim;
mod scan;
mod session;
mod line;
mod rewrite;
mod edit;
pub(super) mod members;
mod strict;
mod forged;
pub(super) mod keys;
mod token;
mod words;

/// What stands between one client and one server, as long as there is a warning.
#[derive(Debug)]
pub struct Proxy {
    words: Words,
    hasher: RandomState,
    session: Session,
    client: ClientStream,
    line: Line,
    /// The last byte that the client was given ended a line, or it was given none.
    at_start: bool,
    failed: Option<Evasion>,
}

impl Proxy {
    /// A session that has not begun.
    pub fn new(warning: Warning) -> Self {
        let hasher = RandomState::new();
        Self {
            words: Words::new(&warning),
            session: Session::default(),
            client: ClientStream::new(hasher.clone()),
            line: Line::new(hasher.clone()),
            hasher,
            at_start: true,
            failed: None,
        }
    }

    /// Sees bytes of the client, before they go to the server unchanged; so no answer comes before what it answers is
    /// known. Says whether [`Proxy::pending`] has something for the client now.
    pub fn client(&mut self, bytes: &[u8]) -> bool {
        self.client.hear(bytes, &mut self.session);
        self.at_start && self.session.is_notification_due()
    }

    /// Takes bytes of the server, and appends what the client gets now.
    ///
    /// # Errors
    /// See [`Evasion`]. What was appended before it may go out; nothing that the server sends later is ever appended.
    pub fn server(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Evasion> {
        let result = self.failed.map_or_else(|| self.lines(bytes, out), Err);
        self.failed = result.err();
        result
    }

    /// The server has closed its output: what was held is let out, or judged.
    ///
    /// # Errors
    /// See [`Evasion`].
    pub fn server_ended(&mut self, out: &mut Vec<u8>) -> Result<(), Evasion> {
        let before = out.len();
        let result = self.failed.map_or_else(|| self.held(out), Err);
        self.at_start &= out.len() == before;
        self.failed = result.err();
        result
    }

    /// Appends a message of our own, when one is due and the client stands at the start of a line.
    pub fn pending(&mut self, out: &mut Vec<u8>) {
        if self.at_start && self.failed.is_none() && self.session.is_notification_due() {
            out.extend_from_slice(&self.words.notification);
            self.session.notify();
        }
    }

    /// Whether bytes of the server may be copied without [`Proxy::server`], until the client says something. Each copy
    /// is told to [`Proxy::note_raw`].
    pub fn is_raw(&self) -> bool {
        self.failed.is_none() && self.session.is_settled() && self.line.is_free()
    }

    /// The client has been given these bytes of the server as they were; only the last one matters.
    pub fn note_raw(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            self.at_start = *last == b'\n';
            self.line.resume(matches!(last, b'\n' | b'\r'), self.session.is_silent());
        }
    }

    /// Whether the client's model got the warning.
    pub fn delivery(&self) -> Delivery {
        self.session.delivery()
    }

    fn lines(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Evasion> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.is_raw() {
                out.extend_from_slice(rest);
                self.note_raw(rest);
                return Ok(());
            }
            // Some clients end a line at a carriage return, and to the others it is white space.
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let (segment, after) = rest.split_at(end.unwrap_or(rest.len()));
            let before = out.len();
            self.line.segment(segment, &self.words, &mut self.session, out)?;
            self.at_start &= out.len() == before;
            if let Some(mark) = after.first() {
                self.line_end(*mark, out)?;
            }
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    fn line_end(&mut self, mark: u8, out: &mut Vec<u8>) -> Result<(), Evasion> {
        self.held(out)?;
        self.line.end(mark, &self.session);
        out.push(mark);
        self.at_start = mark == b'\n';
        self.pending(out);
        Ok(())
    }

    /// Lets out what is held of a line that is complete.
    fn held(&mut self, out: &mut Vec<u8>) -> Result<(), Evasion> {
        let held = self.line.take();
        if !held.may_be_answer {
            out.extend_from_slice(&held.bytes);
            return Ok(());
        }
        Rewriter { words: &self.words, hasher: &self.hasher, session: &mut self.session }.line(&held.bytes, out)
    }
}
