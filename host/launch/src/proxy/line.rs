//! One line of the server: held back, let out, or let out and watched.
//!
//! The proxy passes in the bytes between two line ends. A line is held while it may be an answer that has to carry the
//! warning, and let out as soon as it can't be. While the warning is undelivered, a line that was let out is watched to
//! its end, and so are values that go on over several lines.

use std::hash::RandomState;

use crate::proxy::evasion::Evasion;
use crate::proxy::members::skip_space;
use crate::proxy::scan::MessageFacts;
use crate::proxy::scan::ScanEvent;
use crate::proxy::scan::Scanner;
use crate::proxy::session::McpSession;
use crate::proxy::session::Waiting;
use crate::proxy::token::Method;
use crate::proxy::words::Words;
use smcp_model::limits;

/// The most capacity of the buffer that is kept for the next line, bytes: most answers fit it.
const KEPT: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineMode {
    /// The line may be an answer: nothing of it is out.
    Hold,
    /// The line can't be an answer, by its beginning; that is out, and the rest is watched.
    Watch,
    /// The warning was put in; the rest follows and is watched.
    WatchFilled,
    /// The rest of the line does not matter.
    Through,
}

/// The line being read.
#[derive(Debug)]
pub(crate) struct Line {
    hasher: RandomState,
    scanner: Scanner,
    mode: LineMode,
    held: Vec<u8>,
    /// Reads a value that began on an earlier line and goes on.
    spanning: Option<Scanner>,
    /// No byte of the line has been read.
    fresh: bool,
}

/// The held part of a line that has ended.
#[derive(Debug)]
pub(crate) struct HeldLine {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// The whole line is held and has a complete value.
    pub(crate) may_be_answer: bool,
}

impl Line {
    /// The first line of a stream.
    pub(crate) fn new(hasher: RandomState) -> Self {
        let scanner = Scanner::new(hasher.clone(), true);
        Self { hasher, scanner, mode: LineMode::Hold, held: Vec::new(), spanning: None, fresh: true }
    }

    /// Whether nothing is held, and the present line does not matter.
    pub(crate) fn is_free(&self) -> bool {
        self.fresh || self.mode == LineMode::Through
    }

    /// Continues after bytes that were copied without being read here.
    pub(crate) fn resume(&mut self, at_start: bool, silent: bool) {
        self.restart(silent);
        if !at_start {
            self.mode = LineMode::Through;
            self.fresh = false;
        }
    }

    /// Takes the held part of a line that has ended.
    pub(crate) fn take(&mut self) -> HeldLine {
        let may_be_answer = self.mode == LineMode::Hold && self.scanner.values() > 0;
        let keep = if self.held.len() > KEPT { Vec::new() } else { Vec::with_capacity(self.held.len()) };
        HeldLine { bytes: std::mem::replace(&mut self.held, keep), may_be_answer }
    }

    /// Ends the line; `mark` is the byte that ends it.
    pub(crate) fn end(&mut self, mark: u8, session: &McpSession) {
        let silent = session.is_silent();
        if !silent {
            self.spanning = None;
        } else if self.spanning.is_none() && self.mode != LineMode::Through && self.scanner.is_inside() {
            let next = Scanner::new(self.hasher.clone(), true);
            self.spanning = Some(std::mem::replace(&mut self.scanner, next));
        }
        if let Some(spanning) = &mut self.spanning {
            spanning.feed(&[mark]);
        }
        self.spanning.take_if(|spanning| !spanning.is_inside());
        self.restart(silent);
    }

    fn restart(&mut self, silent: bool) {
        self.scanner.restart(silent);
        self.mode = LineMode::Hold;
        self.fresh = true;
    }

    /// Reads bytes inside the line, and appends those that may go out.
    pub(crate) fn segment(
        &mut self,
        bytes: &[u8],
        words: &Words,
        session: &mut McpSession,
        out: &mut Vec<u8>,
    ) -> Result<(), Evasion> {
        self.fresh &= bytes.is_empty();
        if session.is_silent() {
            self.span(bytes, session)?;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = match self.mode {
                LineMode::Through => {
                    out.extend_from_slice(rest);
                    return Ok(());
                }
                LineMode::Hold => limits::HELD_LINE.saturating_sub(self.held.len()),
                LineMode::Watch | LineMode::WatchFilled => rest.len(),
            };
            if room == 0 {
                self.overflow(words, session, out)?;
                continue;
            }
            let (taken, event) = self.scanner.feed(rest.get(..room).unwrap_or(rest));
            let (now, later) = rest.split_at(taken);
            if let Some(event) = event {
                self.judge(event, session, out)?;
            }
            if self.mode == LineMode::Hold && self.scanner.is_garbage() && self.scanner.values() == 0 {
                self.release(LineMode::Through, out);
            }
            if self.mode == LineMode::Hold {
                self.held.extend_from_slice(now)
            } else {
                out.extend_from_slice(now)
            }
            rest = later;
        }
        Ok(())
    }

    fn release(&mut self, mode: LineMode, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        self.held.shrink_to(KEPT);
        self.mode = mode;
    }

    /// Reads on in a value that began on an earlier line.
    fn span(&mut self, bytes: &[u8], session: &McpSession) -> Result<(), Evasion> {
        let Some(spanning) = &mut self.spanning else { return Ok(()) };
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, event) = spanning.feed(rest);
            if let Some(event) = event {
                apart(spanning.facts(), event, session)?;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        self.spanning.take_if(|spanning| spanning.is_garbage());
        Ok(())
    }

    /// Decides what happens to the line, now that more is known of it.
    fn judge(&mut self, event: ScanEvent, session: &mut McpSession, out: &mut Vec<u8>) -> Result<(), Evasion> {
        let facts = *self.scanner.facts();
        let silent = session.is_silent();
        if silent && !facts.on_own_line {
            return apart(&facts, event, session);
        }
        if silent {
            duplicates(&facts)?;
        }
        match self.mode {
            LineMode::Hold if is_nobodys(&facts, session) => {
                self.release(if silent { LineMode::Watch } else { LineMode::Through }, out);
                self.close_if_answer(event, &facts, session);
                Ok(())
            }
            LineMode::Watch if !silent => {
                self.mode = LineMode::Through;
                Ok(())
            }
            LineMode::Watch if facts.result && session.waiting(&facts) != Waiting::Other => Err(Evasion::LateAnswer),
            LineMode::WatchFilled if silent && facts.duplicate_in_result => Err(Evasion::DuplicateKey),
            LineMode::Watch | LineMode::WatchFilled => {
                self.close_if_answer(event, &facts, session);
                Ok(())
            }
            LineMode::Hold | LineMode::Through => Ok(()),
        }
    }

    fn close_if_answer(&self, event: ScanEvent, facts: &MessageFacts, session: &mut McpSession) {
        if event == ScanEvent::Message && (facts.result || facts.error) {
            session.close(facts);
        }
    }

    /// Handles a line that is longer than what may be held.
    fn overflow(&mut self, words: &Words, session: &McpSession, out: &mut Vec<u8>) -> Result<(), Evasion> {
        if !session.is_silent() {
            self.release(LineMode::Through, out);
            return Ok(());
        }
        let facts = *self.scanner.facts();
        if !self.scanner.is_inside() || self.scanner.is_in_batch() {
            return Err(Evasion::TooLong);
        }
        if facts.method.is_some() && !facts.result && !facts.error {
            self.release(LineMode::Watch, out);
            return Ok(());
        }
        let call = matches!(session.waiting(&facts), Waiting::Target(open) if open.method == Method::Call);
        match facts.content_at {
            Some(at) if call && !facts.duplicate_in_result => self.fill(at, words, out),
            Some(_) | None => Err(Evasion::TooLong),
        }
    }

    /// Puts the short form at the start of a content that is too long to be held, and lets it out.
    fn fill(&mut self, at: usize, words: &Words, out: &mut Vec<u8>) -> Result<(), Evasion> {
        let (before, after) = self.held.split_at_checked(at).ok_or(Evasion::TooLong)?;
        let comma: &[u8] = match after.get(skip_space(after, 0)) {
            Some(b']') => b"",
            Some(_) => b",",
            None => return Err(Evasion::TooLong),
        };
        let filled = [before, &words.content, comma, after];
        filled.into_iter().for_each(|part| out.extend_from_slice(part));
        self.held = Vec::new();
        self.mode = LineMode::WatchFilled;
        Ok(())
    }
}

/// Whether a message can't be an answer that has to carry the warning, nor be taken for one.
fn is_nobodys(facts: &MessageFacts, session: &McpSession) -> bool {
    if facts.batched {
        return false;
    }
    match session.waiting(facts) {
        Waiting::Target(_) => false,
        Waiting::Other => true,
        Waiting::Nobody if facts.method.is_some() && !facts.result && !facts.error => true,
        Waiting::Nobody => facts.id.is_some() && !session.is_wary(),
    }
}

/// Checks a message that is not a line of its own, which some clients read nevertheless.
fn apart(facts: &MessageFacts, event: ScanEvent, session: &McpSession) -> Result<(), Evasion> {
    if facts.on_own_line || !facts.result {
        return Ok(());
    }
    match session.waiting(facts) {
        Waiting::Target(_) => Err(Evasion::NotOneLine),
        Waiting::Nobody if event == ScanEvent::Message && facts.shaped && facts.id.is_some() => {
            Err(Evasion::NotOneLine)
        }
        Waiting::Other | Waiting::Nobody => Ok(()),
    }
}

fn duplicates(facts: &MessageFacts) -> Result<(), Evasion> {
    if facts.crowded {
        Err(Evasion::TooManyKeys)
    } else if facts.duplicate {
        Err(Evasion::DuplicateKey)
    } else {
        Ok(())
    }
}
