//! The packages of the audit log, each as the last decision was told of it.
//!
//! The log is read twice: once for where the last record of each package is, and then those records alone. Only the names
//! of the packages are in memory.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use anyhow::Context as _;
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::audit;
use crate::cli::failure::Failure;
use crate::cli::policy::diff::catalogue::BATCH_BYTES;
use crate::cli::policy::diff::catalogue::CatalogueEntry;
use crate::cli::policy::diff::catalogue::EntryContent;
use crate::cli::policy::diff::catalogue::EntryPlace;
use crate::cli::policy::diff::catalogue::wrong;
use smcp_audit::KnownLog;
use smcp_audit::LineKey;
use smcp_audit::LogFile;
use smcp_model::audit::Break;
use smcp_model::audit::Event;
use smcp_model::audit::SCHEMA;
use smcp_model::digest::Digest;
use smcp_model::facts_document;
use smcp_model::json;
use smcp_model::record::Body;
use smcp_model::record::Record;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;

/// The packages of a log, by name.
#[derive(Debug)]
pub(super) struct RecordedCatalogue {
    parts: Vec<LogFile>,
    packages: IntoIter<String, LastRecord>,
    /// How many lines have another schema: a later version may know them.
    foreign: u64,
    /// How many decisions were made before any policy was asked: they have no facts.
    before_policies: u64,
}

/// The last decision about a package.
#[derive(Debug)]
struct LastRecord {
    /// The number of the file, and the place in it.
    part: usize,
    offset: u64,
    times: u64,
    time: String,
}

impl RecordedCatalogue {
    /// Looks through the user's log, the files that were put aside included.
    pub(super) fn open(app: &App, after: Option<Digest>) -> Result<Self, Failure> {
        let mut parts = audit::log(app)?.parts;
        // First, and by itself: what a chain that does not hold says of packages is nobody's word.
        let bounds = KnownLog { after, other_schemas: true, ..KnownLog::default() };
        let found = smcp_audit::verify(&mut parts, bounds).map_err(audit::failed)?;
        if let Some(Break { file, line, message }) = found.breaks.first() {
            return Err(wrong(anyhow::anyhow!("{file}, line {line}: {message}\n  `smcp audit verify` says all")));
        }
        let mut packages: BTreeMap<String, LastRecord> = BTreeMap::new();
        let (mut foreign, mut before_policies) = (0_u64, 0_u64);
        for (number, part) in parts.iter_mut().enumerate() {
            let name = part.name.clone();
            let (mut line, mut broken) = (0_u64, None);
            let read = part.lines_from(0, &mut |offset, text| {
                line = line.saturating_add(1);
                match LineKey::of(text) {
                    Ok(key) if key.schema != SCHEMA => foreign = foreign.saturating_add(1),
                    Ok(key) if key.event != Event::Decision.as_str() => {}
                    Ok(_) if is_before_policies(text) => before_policies = before_policies.saturating_add(1),
                    Ok(key) => {
                        let times = packages.get(key.package.as_ref()).map_or(0, |seen| seen.times);
                        let (times, time) = (times.saturating_add(1), key.time.into_owned());
                        packages.insert(key.package.into_owned(), LastRecord { part: number, offset, times, time });
                    }
                    Err(error) => {
                        broken = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            });
            read.map_err(audit::failed)?;
            if let Some(error) = broken {
                let why = json::of_one_line(&error);
                return Err(wrong(anyhow::anyhow!("{name}, line {line}: it is no record: {why}")));
            }
        }
        Ok(Self { parts, packages: packages.into_iter(), foreign, before_policies })
    }

    pub(super) fn left(&self) -> usize {
        self.packages.len()
    }

    /// Returns the last records about the next packages.
    pub(super) fn next_batch(&mut self) -> Result<(Vec<CatalogueEntry>, u64), Failure> {
        let (mut batch, mut bytes, mut done) = (Vec::new(), 0_usize, 0_u64);
        while bytes < BATCH_BYTES {
            let Some((package, LastRecord { part, offset, times, time })) = self.packages.next() else { break };
            let Some(part) = self.parts.get_mut(part) else { break };
            let line = part.line_at(offset).map_err(audit::failed)?;
            bytes = bytes.saturating_add(line.len());
            done = done.saturating_add(1);
            batch.push(CatalogueEntry {
                at: EntryPlace::Record(SafeText::new(&package)),
                content: EntryContent::Record(line),
                package: OnceLock::new(),
                seen: Some((times, SafeText::new(&time))),
            });
        }
        Ok((batch, done))
    }

    pub(super) fn remarks(&self) -> Vec<String> {
        let counted = [
            (
                self.before_policies,
                "was refused before any policy was asked, and is",
                "were refused before any policy was asked, and are",
            ),
            (self.foreign, "has another schema, and is", "have another schema, and are"),
        ];
        let remark = |(count, one, many)| match count {
            0 => None,
            1 => Some(format!("1 record of the audit log {one} passed over")),
            count => Some(format!("{count} records of the audit log {many} passed over")),
        };
        counted.into_iter().filter_map(remark).collect()
    }
}

/// Whether a decision has no facts that a policy could be told of. Only a line that may be such a one is parsed.
fn is_before_policies(line: &[u8]) -> bool {
    if smcp_audit::mentions(line, "\"context\":{") {
        return false;
    }
    let record = serde_json::from_slice(line).ok().and_then(|value: Value| Record::read(&value).ok());
    matches!(record.map(|record| record.body), Some(Body::Decision(decision)) if pipeline::is_before_policies(&decision))
}

/// Returns the package of a recorded decision, as the policies were told of it.
pub(super) fn subject(line: &[u8]) -> anyhow::Result<Subject> {
    let mut record: Value = serde_json::from_slice(line)?;
    let subject = record.pointer_mut("/request/subject").map(Value::take).context("it has no `request`")?;
    Ok(facts_document::deserialize(subject)?)
}
