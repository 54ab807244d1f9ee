//! Puts the warning into the MCP stream: a pure state machine over bytes.
//!
//! `report` has worded the [`Warning`]; the relay moves the bytes. Nothing here reads, writes, waits or knows the time,
//! and the result does not depend on how the streams are cut into pieces. docs/decisions/0007 has the reasons.
//!
//! ```text
//! client ─► skim, or scan ─► session: the open requests
//!                               │
//! server ─► line: hold, let out, watch ─► rewrite ─► edit ─► client
//!              └► value over several lines: no dodging
//! ```

pub use crate::proxy::evasion::Evasion;

use std::hash::RandomState;

use crate::proxy::client::ClientStream;
use crate::proxy::line::Line;
use crate::proxy::rewrite::Rewriter;
use crate::proxy::session::McpSession;
use crate::proxy::words::Words;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

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

/// The proxy between one client and one server that has a warning.
#[derive(Debug)]
pub struct Proxy {
    words: Words,
    hasher: RandomState,
    session: McpSession,
    client: ClientStream,
    line: Line,
    /// The last byte for the client ended a line, or there was none yet.
    at_start: bool,
    failed: Option<Evasion>,
}

impl Proxy {
    /// Makes a proxy for a session that has not begun.
    pub fn new(warning: Warning) -> Self {
        let hasher = RandomState::new();
        Self {
            words: Words::new(&warning),
            session: McpSession::default(),
            client: ClientStream::new(hasher.clone()),
            line: Line::new(hasher.clone()),
            hasher,
            at_start: true,
            failed: None,
        }
    }

    /// Sees bytes of the client before they go to the server unchanged, so that each request is known before its
    /// answer. True when [`Proxy::pending`] has a message for the client now.
    pub fn client(&mut self, bytes: &[u8]) -> bool {
        self.client.hear(bytes, &mut self.session);
        self.at_start && self.session.is_notification_due()
    }

    /// Takes bytes of the server, and appends to `out` what may go to the client now.
    ///
    /// # Errors
    /// See [`Evasion`]. Bytes that were appended before it may go out; later bytes of the server never do.
    pub fn server(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Evasion> {
        let result = self.failed.map_or_else(|| self.lines(bytes, out), Err);
        self.failed = result.err();
        result
    }

    /// Ends the server's output: what was held is checked, and let out.
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

    /// Appends a message of our own, if one is due and the client is at the start of a line.
    pub fn pending(&mut self, out: &mut Vec<u8>) {
        if self.at_start && self.failed.is_none() && self.session.is_notification_due() {
            out.extend_from_slice(&self.words.notification);
            self.session.notify();
        }
    }

    /// Whether bytes of the server may be copied without [`Proxy::server`], until the next bytes of the client. Each
    /// copy has to be passed to [`Proxy::note_raw`].
    pub fn is_raw(&self) -> bool {
        self.failed.is_none() && self.session.is_settled() && self.line.is_free()
    }

    /// Notes bytes of the server that went to the client as they were; only the last one matters.
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

    /// Lets out the held part of a complete line, with the warning if the line has to carry it.
    fn held(&mut self, out: &mut Vec<u8>) -> Result<(), Evasion> {
        let held = self.line.take();
        if !held.may_be_answer {
            out.extend_from_slice(&held.bytes);
            return Ok(());
        }
        Rewriter { words: &self.words, hasher: &self.hasher, session: &mut self.session }.line(&held.bytes, out)
    }
}
