//! The records that are decided again, and how: a part of the log at a time.

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli::app::App;
use crate::cli::audit;
use crate::cli::failure::Failure;
use smcp_audit::KnownLog;
use smcp_audit::Snapshot;
use smcp_audit::WalkedLine;
use smcp_audit::walk;
use smcp_model::audit::Break;
use smcp_model::audit::Event;
use smcp_model::audit::SCHEMA;
use smcp_model::audit::Verification;
use smcp_model::decision::exit_for;
use smcp_model::diff::Judgement;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::progress::Progress;
use smcp_model::record::Body;
use smcp_model::record::DecisionRecord;
use smcp_model::record::Record;
use smcp_model::replay::PassedOver;
use smcp_model::replay::ReplayTally;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_pipeline::PipelineError;
use smcp_pipeline::Replayed;
use smcp_pipeline::Replayer;

/// So many records are decided at once, and so many bytes of them are held, unless one is longer by itself.
const RECORDS: usize = 512;
const BYTES: usize = 8 << 20;

/// Where the records come from.
#[derive(Debug)]
pub(super) enum RecordSource {
    /// The audit log, from a time on, as records have it.
    Log(Option<String>),
    /// One record of the audit log.
    Number(u64),
    /// A file.
    File(PathBuf),
}

impl RecordSource {
    /// Reads the options.
    pub(super) fn of(app: &App, record: Option<&str>, since: Option<&str>) -> Result<Self, Failure> {
        let Some(record) = record else {
            return Ok(Self::Log(since.map(|text| audit::beginning(app, text)).transpose()?));
        };
        Ok(record.parse().map_or_else(|_| Self::File(record.into()), Self::Number))
    }
}

/// Decides records again, a part at a time.
pub(super) struct Replay<'s, 'p> {
    replayer: Replayer<'s>,
    progress: &'p mut dyn Progress,
    tally: ReplayTally,
    /// Lines that are not decided yet, each with its number.
    waiting: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    /// What came after these: commands that went on, and whether to a start.
    later: Vec<(u64, bool)>,
    /// Whether there are older records that were not asked for.
    is_part: bool,
    failed: Option<PipelineError>,
}

impl<'s, 'p> Replay<'s, 'p> {
    pub(super) fn new(replayer: Replayer<'s>, progress: &'p mut dyn Progress) -> Self {
        let (tally, waiting, later) = (ReplayTally::default(), Vec::new(), Vec::new());
        Self { replayer, progress, tally, waiting, bytes: 0, later, is_part: false, failed: None }
    }

    /// Decides every record of the source, and returns what came of it.
    ///
    /// `after` is the digest of the record before the first, when older files of the log are elsewhere.
    pub(super) fn run(
        mut self,
        app: &App,
        source: RecordSource,
        after: Option<Digest>,
    ) -> Result<ReplayTally, Failure> {
        let name = match &source {
            RecordSource::Log(_) | RecordSource::Number(_) => "the audit log".into(),
            RecordSource::File(file) => SafeText::new(&file.display().to_string()),
        };
        match source {
            RecordSource::Log(since) => self.log(audit::log(app)?, since.as_deref(), after)?,
            RecordSource::Number(number) => self.number(&mut audit::log(app)?, number, after)?,
            RecordSource::File(file) => self.file(app, &file)?,
        }
        self.decide();
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        let ReplayTally { decided, breaks, passed_over, .. } = &self.tally;
        let looked_at =
            decided.saturating_add(self.tally.undecided_records()).saturating_add(passed_over.before_policies);
        if looked_at == 0 && breaks.is_empty() && !self.is_part {
            let PassedOver { events, other_schemas, .. } = passed_over;
            let nothing = anyhow::anyhow!(
                "{name} has no decision (other events: {events}, documents of other schemas: {other_schemas}): what should \
                 have written it may have failed"
            );
            return Err(Failure { exit: ExitKind::Registry, code: "records", ..Failure::usage(nothing) });
        }
        Ok(self.tally)
    }

    fn log(&mut self, mut log: Snapshot, since: Option<&str>, after: Option<Digest>) -> Result<(), Failure> {
        let whole = log.parts.len();
        if let Some(since) = since {
            // Times never go back within a log. A file whose end can't be read is read, and what is wrong is said.
            let is_older = |part: &smcp_audit::LogFile| {
                let last = part.last_time().ok().flatten().and_then(time::utc_millis);
                last.is_some_and(|last| last.as_str() < since)
            };
            let older = log.parts.iter().take_while(|part| is_older(part)).count();
            log.parts.drain(..older);
        }
        let partial = log.parts.len() < whole;
        self.is_part = partial;
        let after = after.filter(|_| !partial);
        let bounds = KnownLog { after, partial, other_schemas: true, ..KnownLog::default() };
        let found = walk(&mut log.parts, bounds, &mut |line| self.line(line, since)).map_err(audit::failed)?;
        self.chain(found);
        Ok(())
    }

    fn chain(&mut self, found: Verification) {
        self.tally.breaks = found.breaks;
        self.tally.more_breaks = found.more;
        self.tally.notes = found.notes;
    }

    fn line(&mut self, line: WalkedLine<'_>, since: Option<&str>) {
        let passed_over = &mut self.tally.passed_over;
        match line {
            WalkedLine::Damaged => {}
            WalkedLine::OtherSchema => passed_over.other_schemas = passed_over.other_schemas.saturating_add(1),
            WalkedLine::Record { time, .. } if is_before(time.as_deref(), since) => self.is_part = true,
            WalkedLine::Record { text, seq, event, run, .. } => {
                if event.as_deref() == Some(Event::Decision.as_str()) {
                    self.take(seq, text);
                } else {
                    self.event(event.as_deref(), run);
                }
            }
        }
    }

    /// Passes over an event. A start, or a failure in its place, follows a decision, which may wait still.
    fn event(&mut self, event: Option<&str>, run: Option<u64>) {
        let passed_over = &mut self.tally.passed_over;
        passed_over.events = passed_over.events.saturating_add(1);
        let is_start = event == Some(Event::Start.as_str());
        if let Some(run) = run.filter(|_| is_start || event == Some(Event::Failure.as_str())) {
            if self.waiting.is_empty() {
                self.tally.went_on(run, is_start);
            } else {
                self.later.push((run, is_start));
            }
        }
    }

    fn take(&mut self, seq: u64, line: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.bytes = self.bytes.saturating_add(line.len());
        self.waiting.push((seq, line.to_vec()));
        if self.waiting.len() >= RECORDS || self.bytes >= BYTES {
            self.decide();
        }
    }

    fn number(&mut self, log: &mut Snapshot, number: u64, after: Option<Digest>) -> Result<(), Failure> {
        let (line, found) = one(log, number, after)?;
        self.chain(found);
        if line.get("event").and_then(Value::as_str) != Some(Event::Decision.as_str()) {
            let other = anyhow::anyhow!("record {number} is no decision; see `smcp audit show {number}`");
            return Err(Failure::usage(other));
        }
        self.take(number, line.to_string().as_bytes());
        Ok(())
    }

    /// Takes the records of a file: one a line, or a document with several, as `audit show --json` prints it.
    fn file(&mut self, app: &App, file: &Path) -> Result<(), Failure> {
        let most = usize::try_from(limits::AUDIT_FILE).unwrap_or(usize::MAX);
        let bytes = app.read_document(file, most, limits::START_TIMEOUT_DEFAULT)?;
        let name = SafeText::new(&file.display().to_string());
        if bytes.trim_ascii().is_empty() {
            let nothing = anyhow::anyhow!("{name} has no record: what should have written it may have failed");
            return Err(Failure { exit: ExitKind::Registry, code: "records", ..Failure::usage(nothing) });
        }
        let whole: Option<Value> = serde_json::from_slice(&bytes).ok();
        if let Some(document) = whole {
            let listed = document.get("records").and_then(Value::as_array);
            match listed {
                Some(records) => {
                    let records = records.iter().map(|entry| entry.get("record").unwrap_or(entry));
                    records.zip(1..).for_each(|(record, number)| self.value(&name, number, record));
                }
                None => self.value(&name, 1, &document),
            }
            return Ok(());
        }
        let lines = bytes.split(|byte| *byte == b'\n').zip(1_u64..);
        for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice::<Value>(line) {
                Ok(record) => self.value(&name, number, &record),
                Err(error) => self.damaged(&name, number, &json::of_one_line(&error)),
            }
        }
        Ok(())
    }

    /// Takes a record that is parsed already.
    fn value(&mut self, file: &SafeText, number: u64, record: &Value) {
        let passed_over = &mut self.tally.passed_over;
        match record.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => {}
            Some(_) => {
                passed_over.other_schemas = passed_over.other_schemas.saturating_add(1);
                return;
            }
            None => return self.damaged(file, number, "it has no `schema`"),
        }
        let event = record.get("event").and_then(Value::as_str);
        if event == Some(Event::Decision.as_str()) {
            self.take(number, record.to_string().as_bytes());
        } else {
            self.event(event, record.get("run").and_then(Value::as_u64));
        }
    }

    fn damaged(&mut self, file: &SafeText, line: u64, why: &str) {
        if self.tally.breaks.len() < limits::AUDIT_BREAKS {
            let message = SafeText::new(&format!("it is not a record: {why}"));
            self.tally.breaks.push(Break { file: file.clone(), line, message });
        } else {
            self.tally.more_breaks = self.tally.more_breaks.saturating_add(1);
        }
    }

    /// Decides what waits.
    fn decide(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let parsed = smcp_policy::share(&waiting, || (), |(), lines| lines.iter().map(parsed).collect::<Vec<_>>());
        let (mut records, mut places) = (Vec::new(), Vec::new());
        for ((seq, _), parsed) in waiting.iter().zip(parsed.into_iter().flatten()) {
            match parsed {
                Ok((record, time, run)) => {
                    records.push(record);
                    places.push((time, run));
                }
                Err(why) => self.tally.undecided(SafeText::new(&format!("record {seq} can't be read: {why}"))),
            }
        }
        match self.replayer.again(&records, self.progress) {
            Ok(replayed) => {
                for ((record, (time, run)), replayed) in records.iter().zip(&places).zip(replayed) {
                    count(&mut self.tally, record, (time, *run), replayed);
                }
            }
            Err(error) => self.failed = Some(error),
        }
        self.later.drain(..).for_each(|(run, is_start)| self.tally.went_on(run, is_start));
    }
}

/// Whether a record is older than what is asked for. One that does not say its time is not.
fn is_before(time: Option<&str>, since: Option<&str>) -> bool {
    matches!((time, since), (Some(time), Some(since)) if time < since)
}

fn count(tally: &mut ReplayTally, record: &DecisionRecord, (time, run): (&SafeText, Option<u64>), replayed: Replayed) {
    match replayed {
        Replayed::Decided(again) => {
            let (from, to) = (Judgement::of_document(&record.decision), Judgement::of_document(&again.decision));
            tally.decided(&record.package, &from, &to, time, run);
        }
        Replayed::BeforePolicies => {
            tally.passed_over.before_policies = tally.passed_over.before_policies.saturating_add(1);
        }
        Replayed::Undecided(why) => tally.undecided(why),
    }
}

/// A decision, when it was made, and the number of its command where that may have gone on to a start.
type Decided = (DecisionRecord, SafeText, Option<u64>);

/// Reads a decision.
fn parsed((_, line): &(u64, Vec<u8>)) -> Result<Decided, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| json::of_one_line(&error))?;
    let Record { place, circumstances, body } = Record::read(&value).map_err(|error| error.to_string())?;
    let Body::Decision(decision) = body else { return Err("it is no decision".to_owned()) };
    let is_allowed = exit_for(decision.decision.decision, decision.consent) == ExitKind::Success;
    let run = (is_allowed && circumstances.command.as_str() == "run").then_some(place.run);
    Ok((*decision, place.time, run))
}

/// Returns the record with a number of the audit log, and what is wrong with the log: what is not in its chain is nobody's
/// word, and what a record says is vouched for by the next one.
pub(in crate::cli::policy) fn one(
    log: &mut Snapshot,
    number: u64,
    after: Option<Digest>,
) -> Result<(Value, Verification), Failure> {
    let mut text = None;
    let bounds = KnownLog { after, other_schemas: true, ..KnownLog::default() };
    let found = walk(&mut log.parts, bounds, &mut |line| match line {
        WalkedLine::Record { text: line, seq, .. } if seq == number => text = Some(line.to_vec()),
        WalkedLine::Record { .. } | WalkedLine::OtherSchema | WalkedLine::Damaged => {}
    });
    let found = found.map_err(audit::failed)?;
    match text {
        Some(text) => Ok((serde_json::from_slice(&text).unwrap_or_default(), found)),
        None => {
            let missing = anyhow::anyhow!("the audit log has no record {number}; see `smcp audit tail`");
            let exit = if found.breaks.is_empty() { ExitKind::Usage } else { ExitKind::Integrity };
            Err(Failure { exit, ..Failure::usage(missing) })
        }
    }
}
