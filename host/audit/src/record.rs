//! One record: how it is written, and the fields that link it to others.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use crate::AuditError;
use smcp_model::audit::Event;
use smcp_model::audit::Head;
use smcp_model::audit::SCHEMA;
use smcp_model::digest::Digest;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::record::Body;
use smcp_model::record::Circumstances;
use smcp_model::time;
use smcp_model::visible;

/// A record that has not been written yet.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// The number of the first record of the same command; `None` if this is the first.
    pub run: Option<u64>,
    /// Who writes it, and what was asked for.
    pub circumstances: Circumstances,
    /// What happened.
    pub body: Body,
}

impl NewRecord {
    /// Encodes the line that follows `last`, its line feed included. `recovered` is the number of bytes of an
    /// unfinished record that the line replaces.
    pub(super) fn line(&self, last: Head, time: SystemTime, recovered: u64) -> Result<Vec<u8>, AuditError> {
        let seq = last.seq.saturating_add(1);
        let record = WholeRecord {
            schema: SCHEMA,
            seq,
            prev: last.digest,
            time: time::utc_millis(time).ok_or(AuditError::Clock)?,
            event: self.body.event(),
            run: self.run.unwrap_or(seq),
            recovered_bytes: (recovered > 0).then_some(recovered),
            circumstances: &self.circumstances,
            body: &self.body,
        };
        let line = visible::line(&record).map_err(|error| AuditError::Record(error.to_string()))?;
        if u64::try_from(line.len()).is_ok_and(|length| length <= limits::AUDIT_RECORD) {
            return Ok(line);
        }
        Err(AuditError::Record(format!("it has {} bytes, and at most {} are kept", line.len(), limits::AUDIT_RECORD)))
    }
}

/// A record as it is written.
#[derive(Serialize)]
struct WholeRecord<'a> {
    schema: &'static str,
    seq: u64,
    prev: Digest,
    time: String,
    event: Event,
    run: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered_bytes: Option<u64>,
    #[serde(flatten)]
    circumstances: &'a Circumstances,
    #[serde(flatten)]
    body: &'a Body,
}

/// The fields of a record that link it to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Its number.
    pub(super) seq: u64,
    /// The digest of the line before it.
    pub(super) prev: Digest,
    /// How many bytes of an unfinished record it replaced.
    pub(super) recovered: u64,
    /// Its time, as it says.
    pub(super) time: Option<String>,
    /// Its event, as it says.
    pub(super) event: Option<String>,
    /// The number of the first record of its command.
    pub(super) run: Option<u64>,
}

/// The same fields as JSON has them. All other fields are ignored here.
#[derive(serde::Deserialize)]
struct RawLink {
    schema: String,
    seq: u64,
    prev: String,
    #[serde(default)]
    recovered_bytes: u64,
    time: Option<String>,
    event: Option<String>,
    run: Option<u64>,
}

impl Link {
    /// Reads the link of a line.
    ///
    /// # Errors
    /// [`NoLink`], which says why the line is not a record.
    pub(super) fn of(line: &[u8]) -> Result<Self, NoLink> {
        let RawLink { schema, seq, prev, recovered_bytes, time, event, run } =
            serde_json::from_slice(line).map_err(|error| {
                other_schema(line)
                    .unwrap_or_else(|| NoLink::Damaged(format!("it is not a record: {}", json::of_one_line(&error))))
            })?;
        if schema != SCHEMA {
            return Err(NoLink::Schema(schema));
        }
        let prev = prev.parse().map_err(|error| NoLink::Damaged(format!("its `prev`: {error}")))?;
        Ok(Self { seq, prev, recovered: recovered_bytes, time, event, run })
    }
}

/// Why a line is not a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoLink {
    /// It has another schema: another version may know it.
    Schema(String),
    /// It is no record at all.
    Damaged(String),
}

impl fmt::Display for NoLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(schema) => write!(f, "its schema is `{schema}`, and only `{SCHEMA}` is known"),
            Self::Damaged(why) => f.write_str(why),
        }
    }
}

/// Returns the schema of a document that has not the fields of a record, but a schema of its own.
fn other_schema(line: &[u8]) -> Option<NoLink> {
    #[derive(serde::Deserialize)]
    struct WithSchema {
        schema: String,
    }
    let WithSchema { schema } = serde_json::from_slice(line).ok()?;
    (schema != SCHEMA).then_some(NoLink::Schema(schema))
}
