//! Verifies the chain: every line is checked against the one before it.
//!
//! A chain without a key can't show that its end was cut off, or that all of it was rewritten. A head that was noted
//! elsewhere shows both; see `docs/audit.md`.

use crate::AuditError;
use crate::LogFile;
use crate::record::Link;
use crate::record::NoLink;
use smcp_model::audit::Break;
use smcp_model::audit::Event;
use smcp_model::audit::Head;
use smcp_model::audit::Verification;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// Facts about a log that are known from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownLog {
    /// The digest of the record before the first one; without it the log must begin with record 1.
    pub after: Option<Digest>,
    /// The digest of a record that the log must have.
    pub head: Option<Digest>,
    /// Whether only the end of the log is given, so that earlier records are not known.
    pub partial: bool,
    /// Whether lines of other schemas are passed over: then they are no breaks, and the chain goes on after them.
    pub other_schemas: bool,
}

/// Reads a log from beginning to end, and reports everything that smcp can't have written.
///
/// # Errors
/// [`AuditError::Io`] when it can't be read.
pub fn verify(parts: &mut [LogFile], bounds: KnownLog) -> Result<Verification, AuditError> {
    walk(parts, bounds, &mut |_| {})
}

/// One line of a log that is read from beginning to end.
#[derive(Debug, Clone)]
pub enum WalkedLine<'a> {
    /// A record, or what has the links of one.
    Record {
        /// The line.
        text: &'a [u8],
        /// Its number.
        seq: u64,
        /// Its event, as it says.
        event: Option<String>,
        /// The number of the first record of its command, as it says.
        run: Option<u64>,
        /// Its time, as it says.
        time: Option<String>,
    },
    /// A document of another schema.
    OtherSchema,
    /// No record at all.
    Damaged,
}

/// Verifies a log as [`verify`] does, and hands every line to `each`.
///
/// # Errors
/// [`AuditError::Io`] when it can't be read.
pub fn walk(
    parts: &mut [LogFile],
    bounds: KnownLog,
    each: &mut dyn FnMut(WalkedLine<'_>),
) -> Result<Verification, AuditError> {
    let mut checker = Checker::new(bounds);
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.iter_mut().enumerate() {
        let name = part.name.clone();
        checker.position = LinePosition { file: name.clone(), line: 0 };
        part.lines(|number, line| {
            checker.position.line = number;
            each(checker.line(line));
        })?;
        checker.found.files.push(name);
        checker.torn(part.torn, index == last);
    }
    Ok(checker.finish())
}

/// The expected link of the next record to the one before it.
#[derive(Debug, Clone, Copy)]
enum ExpectedLink {
    /// It is record 1.
    First,
    /// It follows a record of which only the digest is known.
    After(Digest),
    /// It follows this record.
    Next(Head),
    /// It follows a line that is not a record.
    Anything,
}

#[derive(Debug, Clone)]
struct LinePosition {
    file: SafeText,
    line: u64,
}

struct Checker {
    bounds: KnownLog,
    expected: ExpectedLink,
    position: LinePosition,
    noted: Option<u64>,
    recovered: u64,
    found: Verification,
}

impl Checker {
    fn new(bounds: KnownLog) -> Self {
        Self {
            bounds,
            expected: match bounds.after {
                Some(digest) => ExpectedLink::After(digest),
                None if bounds.partial => ExpectedLink::Anything,
                None => ExpectedLink::First,
            },
            position: LinePosition { file: SafeText::new("the log"), line: 0 },
            noted: None,
            recovered: 0,
            found: Verification::default(),
        }
    }

    fn line<'l>(&mut self, line: &'l [u8]) -> WalkedLine<'l> {
        self.found.records = self.found.records.saturating_add(1);
        let digest = Digest::of(line);
        let link = match Link::of(line) {
            Ok(link) => link,
            Err(what) => {
                self.expected = ExpectedLink::Anything;
                self.found.head = None;
                if self.bounds.other_schemas && matches!(what, NoLink::Schema(_)) {
                    return WalkedLine::OtherSchema;
                }
                self.broken(what.to_string());
                return WalkedLine::Damaged;
            }
        };
        if let Some(what) = mismatch(self.expected, &link, self.position.line) {
            self.broken(what);
        }
        if link.recovered > 0 {
            self.recovered = self.recovered.saturating_add(1);
        }
        if self.bounds.head == Some(digest) {
            self.noted = Some(link.seq);
        }
        self.server(&link);
        let head = Head { seq: link.seq, digest };
        self.expected = ExpectedLink::Next(head);
        self.found.head = Some(head);
        let Link { seq, event, run, time, .. } = link;
        self.found.last_time.clone_from(&time);
        WalkedLine::Record { text: line, seq, event, run, time }
    }

    /// Keeps track of servers that have started and not ended.
    fn server(&mut self, link: &Link) {
        let (Some(event), Some(run)) = (link.event.as_deref(), link.run) else { return };
        if event == Event::Start.as_str() {
            if self.found.unended.len() < limits::AUDIT_UNENDED {
                self.found.unended.insert(run);
            } else {
                self.found.more_unended = self.found.more_unended.saturating_add(1);
            }
        } else if event == Event::End.as_str() && !self.found.unended.remove(&run) {
            self.found.more_unended = self.found.more_unended.saturating_sub(1);
        }
    }

    /// Judges unfinished bytes at the end of a file. The next writer replaces them, so only the last file can have
    /// some.
    fn torn(&mut self, bytes: u64, is_last: bool) {
        if bytes == 0 {
            return;
        }
        if is_last {
            self.note(format!(
                "{bytes} bytes after it are of a record that was never finished; the next record replaces them"
            ));
        } else {
            self.broken(format!("{bytes} bytes after it are no line, and another file follows"));
        }
    }

    fn finish(mut self) -> Verification {
        if self.recovered > 0 {
            let records = self.recovered;
            self.note(format!(
                "{records} of the records replaced one that was never finished, because its writer was killed or the \
                 disk was full (`recovered_bytes`)"
            ));
        }
        match (self.bounds.head, self.noted) {
            (Some(_), Some(seq)) => self.note(format!("the given head is that of record {seq}")),
            (Some(head), None) => self
                .broken(format!("no record has the digest {head}: the log was cut off before it, or changed up to it")),
            (None, _) => {}
        }
        self.found
    }

    fn here(&self, message: &str) -> Break {
        Break { file: self.position.file.clone(), line: self.position.line, message: SafeText::new(message) }
    }

    fn note(&mut self, message: String) {
        self.found.notes.push(self.here(&message));
    }

    fn broken(&mut self, message: String) {
        if self.found.breaks.len() < limits::AUDIT_BREAKS {
            self.found.breaks.push(self.here(&message));
        } else {
            self.found.more = self.found.more.saturating_add(1);
        }
    }
}

/// Compares a record with what was expected; returns the problem, if any.
fn mismatch(expected: ExpectedLink, link: &Link, line: u64) -> Option<String> {
    let Link { seq, prev, .. } = *link;
    let last = match expected {
        ExpectedLink::Anything => return None,
        ExpectedLink::After(digest) if prev == digest => return None,
        ExpectedLink::After(digest) => {
            return Some(format!(
                "the log begins after {prev}, and {digest} was expected: what was between is missing"
            ));
        }
        ExpectedLink::First if seq != 1 => {
            return Some(format!(
                "the log begins with record {seq}, not 1: those before it are missing (if they were archived, give the \
                 digest of the last one with --after)"
            ));
        }
        ExpectedLink::First => Head::NOTHING,
        ExpectedLink::Next(head) => head,
    };
    let next = last.seq.saturating_add(1);
    if seq > next {
        let missing = seq.saturating_sub(next);
        return Some(format!("it is record {seq}, and {next} was expected: {missing} missing before it"));
    }
    if seq < next {
        return Some(format!("it is record {seq}, and {next} was expected: it was moved, repeated or inserted"));
    }
    (prev != last.digest).then(|| {
        let before = line.saturating_sub(1);
        let changed =
            if before == 0 { "the last line of the file before".to_owned() } else { format!("line {before}") };
        format!("its `prev` is {prev}, and {} was expected: {changed} was changed, or this one", last.digest)
    })
}
