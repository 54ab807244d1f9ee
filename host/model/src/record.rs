//! A record of the audit log, as it is written and as it is read back.
//!
//! `docs/audit.md` explains every field. No field holds the value of a variable, a token or an argument: variables are
//! recorded by name, arguments by their number.

mod context;
mod limits;
pub mod schema;
mod set;

pub use crate::record::context::ContextRecord;
pub use crate::record::set::SetRecord;

pub use crate::record::limits::LimitsRecord;

use std::path::PathBuf;

use serde::Deserialize as _;
use serde_json::Value;

use crate::audit::Event;
use crate::audit::Head;
use crate::decision::Consent;
use crate::decision::DecisionDocument;
use crate::digest::Digest;
use crate::exception::WrittenException;
use crate::facts_document;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::name::PolicyName;
use crate::policy::BuiltIn;
use crate::policy::LayerName;
use crate::policy::PolicySource;
use crate::policy::PolicySpec;
use crate::request::Subject;
use crate::text::SafeText;
use crate::verdict::Evaluated;
use crate::warning::Delivery;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// A whole record, as it is read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place in the log.
    pub place: Place,
    /// The command that wrote it.
    pub circumstances: Circumstances,
    /// The event itself.
    pub body: Body,
}

/// A record's place in the chain, and its time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Place {
    /// Its number, from 1.
    pub seq: u64,
    /// The digest of the line before it.
    pub prev: Digest,
    /// The time at which it was written: RFC 3339, UTC.
    pub time: SafeText,
    /// The event that it is about.
    pub event: Event,
    /// The number of the first record of the same command.
    pub run: u64,
    /// The length of an unfinished record that it replaced, bytes.
    #[serde(default)]
    pub recovered_bytes: u64,
}

/// The command that wrote a record: its process, and the package that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Circumstances {
    /// The command's name.
    pub command: SafeText,
    /// The package as the user typed it; null when a document names it.
    pub asked: Option<SafeText>,
    /// The id of its process.
    pub pid: u32,
    /// The id of the user who ran it.
    pub uid: u32,
    /// The version of smcp.
    pub smcp: SafeText,
}

/// The event of a record, with its details.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Body {
    /// A package was allowed or refused.
    Decision(Box<DecisionRecord>),
    /// No decision was possible, or the decision could not be carried out.
    Failure(EndRecord),
    /// A server is about to be started.
    Start(StartRecord),
    /// A server has ended.
    End(EndRecord),
}

impl Body {
    /// The kind of event.
    pub const fn event(&self) -> Event {
        match self {
            Self::Decision(_) => Event::Decision,
            Self::Failure(_) => Event::Failure,
            Self::Start(_) => Event::Start,
            Self::End(_) => Event::End,
        }
    }

    /// `org/name@version`, as far as it was known.
    pub const fn package(&self) -> &SafeText {
        match self {
            Self::Decision(decision) => &decision.package,
            Self::Failure(end) | Self::End(end) => &end.package,
            Self::Start(start) => &start.package,
        }
    }
}

/// A decision, with everything that is needed to repeat it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DecisionRecord {
    /// `org/name@version`.
    pub package: SafeText,
    /// The answer to its question; null when nothing was asked.
    pub consent: Option<Consent>,
    /// The decision and its reasons.
    pub decision: DecisionDocument,
    /// The request that the policies got.
    pub request: RequestRecord,
    /// Every policy as it was configured, in the order of evaluation; absent when none was evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyRecord>,
    /// The exceptions that waived something, each once, in the order of the configuration. Absent when none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<WrittenException>,
    /// The policy sets that were in force, in the order of their layers. Absent when none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetRecord>,
}

/// The request that the policies got.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RequestRecord {
    /// The package; written as a facts document, which `policy eval` reads.
    #[serde(with = "facts_document")]
    pub subject: Subject,
    /// The circumstances; absent when no policy was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextRecord>,
}

/// A policy as it was configured, and the component that was loaded.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PolicyRecord {
    /// Its name.
    pub name: PolicyName,
    /// The layer that configures it.
    pub layer: LayerName,
    /// `built-in`, or the path of its file.
    pub source: String,
    /// The digest of the component that was loaded; null when none was.
    pub digest: Option<Digest>,
    /// The digest its component had to have.
    pub pin: Option<Digest>,
    /// Who has signed the component; absent when nobody had to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SafeText>,
    /// Its mode: how strictly it is applied.
    pub mode: Mode,
    /// The effect of a violation under `warn`; null when the component's own description says it.
    pub on_warn: Option<OnWarn>,
    /// Whether its layer trusts the registry.
    pub facts_believed: bool,
    /// Its settings.
    pub settings: Value,
    /// The resources that it could use.
    pub limits: LimitsRecord,
    /// The contact of its layer, for questions about refusals; absent when the layer has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_contact: Option<SafeText>,
}

impl PolicyRecord {
    /// The record of a policy that was evaluated as `policy` says.
    pub fn new(policy: &Evaluated, facts_believed: bool) -> Self {
        let PolicySpec {
            name,
            layer,
            source,
            pin,
            signed_by: _,
            mode,
            on_warn,
            settings,
            settings_vouched: _,
            limits,
            admin_contact,
        } = &*policy.spec;
        Self {
            name: name.clone(),
            layer: *layer,
            source: source.to_string(),
            digest: policy.digest,
            pin: *pin,
            signer: policy.signer.clone(),
            mode: *mode,
            on_warn: *on_warn,
            facts_believed,
            settings: settings.clone(),
            limits: LimitsRecord::of(limits),
            admin_contact: admin_contact.clone(),
        }
    }

    /// The specification that it was evaluated with. A path that is not UTF-8 is not recovered exactly.
    pub fn spec(&self) -> PolicySpec {
        let built_in = BuiltIn::ALL.into_iter().find(|known| known.as_str() == self.name.as_str());
        let built_in = built_in.filter(|known| PolicySource::BuiltIn(*known).to_string() == self.source);
        PolicySpec {
            name: self.name.clone(),
            layer: self.layer,
            source: built_in.map_or_else(|| PolicySource::File(PathBuf::from(&self.source)), PolicySource::BuiltIn),
            pin: self.pin,
            signed_by: None,
            mode: self.mode,
            on_warn: self.on_warn,
            settings: self.settings.clone(),
            settings_vouched: false,
            limits: self.limits.limits(),
            admin_contact: self.admin_contact.clone(),
        }
    }
}

/// A server that is about to be started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StartRecord {
    /// `org/name@version`.
    pub package: SafeText,
    /// The registry it comes from.
    pub registry: SafeText,
    /// The digest of its bundle.
    pub bundle_digest: Digest,
    /// The program, as the manifest names it.
    pub program: String,
    /// The number of arguments that the command line adds.
    pub arguments: usize,
    /// The names of the variables that the command line sets.
    pub variables: Vec<String>,
    /// Whether there is a warning for the model.
    pub warning: bool,
}

/// The end of a launch, with or without a server.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EndRecord {
    /// `org/name@version`, as far as it was known.
    pub package: SafeText,
    /// The way in which it ended.
    #[serde(flatten)]
    pub how: HowEnded,
    /// The time since the start, milliseconds; absent when no server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The number of files that the server left beside its program; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_behind: Option<usize>,
    /// The hosts that the server was refused, with how often; absent when there was none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_hosts: Vec<DeniedHost>,
    /// What else a server that was observed was refused, with how often; absent when there was nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_calls: Vec<DeniedCalls>,
}

/// A host that a server was refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeniedHost {
    /// The host, with the port where one was asked for; `others` for those beyond the first.
    pub host: SafeText,
    /// How often.
    pub count: u64,
}

/// A kind of system calls that a server was refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeniedCalls {
    /// What they are for.
    pub kind: SafeText,
    /// How often.
    pub count: u64,
}

/// The way in which a launch ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum HowEnded {
    /// The server ended by itself.
    Exited(ServerEnd),
    /// The server was ended by a signal.
    Signalled(ServerEnd),
    /// Its reaper was killed, and the server with it. The word in records is older than the name.
    #[serde(rename = "unkept")]
    ReaperKilled(ServerEnd),
    /// The end was not seen: the smcp that had started the server is gone.
    Abandoned {
        /// The record of its start.
        start: Head,
        /// The facts that are known about it.
        message: SafeText,
    },
    /// The launch could not be carried out.
    Failed {
        /// A stable name for machines.
        code: String,
        /// The error with its causes.
        message: SafeText,
    },
}

/// The end of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServerEnd {
    /// The server's own exit code.
    pub server_exit_code: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<u8>,
    /// The cause of the end.
    pub ended_by: EndedBy,
    /// The exit code of smcp.
    pub exit_code: u8,
    /// Whether the warning for the model was delivered; null when there was no warning.
    pub warning: Option<Delivery>,
}

/// The cause of a server's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The server ended by itself, or another process than smcp ended it.
    Server,
    /// The client closed the server's standard input, or died.
    Client,
    /// smcp got a signal that asks it to end.
    Signal,
    /// smcp ended it, because its output could not be forwarded.
    Smcp,
}

impl EndedBy {
    /// Every possible cause.
    pub const ALL: [Self; 4] = [Self::Server, Self::Client, Self::Signal, Self::Smcp];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Signal => "signal",
            Self::Smcp => "smcp",
        }
    }
}

serialize_as_word!(EndedBy);
deserialize_word!(EndedBy);

impl Record {
    /// Reads a record that is already parsed as JSON. Keys that this version does not know are ignored: a later version
    /// may have written them.
    ///
    /// # Errors
    /// When a required field is missing or has the wrong type.
    pub fn read(record: &Value) -> Result<Self, serde_json::Error> {
        let place = Place::deserialize(record)?;
        let body = match place.event {
            Event::Decision => {
                let mut decision = DecisionRecord::deserialize(record)?;
                // No facts document has it: it was said of the machine, and the policies were told.
                decision.request.subject.confinement.clone_from(&decision.decision.confinement);
                Body::Decision(Box::new(decision))
            }
            Event::Failure => Body::Failure(EndRecord::deserialize(record)?),
            Event::Start => Body::Start(StartRecord::deserialize(record)?),
            Event::End => Body::End(EndRecord::deserialize(record)?),
        };
        Ok(Self { place, circumstances: Circumstances::deserialize(record)?, body })
    }
}
