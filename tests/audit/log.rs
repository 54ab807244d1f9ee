//! A log of the library, in a temporary folder.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::Value;
use tempfile::TempDir;

use smcp_audit::AuditError;
use smcp_audit::AuditLog;
use smcp_audit::Clock;
use smcp_audit::KnownLog;
use smcp_audit::NewRecord;
use smcp_audit::Snapshot;
use smcp_audit::verify;
use smcp_model::audit::Head;
use smcp_model::audit::Verification;
use smcp_model::ownership::Caller;
use smcp_model::record::Body;
use smcp_model::record::Circumstances;
use smcp_model::record::EndRecord;
use smcp_model::record::HowEnded;
use smcp_model::record::Record;

/// A folder with a log, removed when dropped.
pub(crate) struct Log(TempDir);

pub(crate) fn entry(text: &str) -> NewRecord {
    failure(text, "planted")
}

/// A record with an arbitrary code, which the typed form could not hold.
pub(crate) fn failure(text: &str, code: &str) -> NewRecord {
    let how = HowEnded::Failed { code: code.to_owned(), message: "it was planted".into() };
    let body = Body::Failure(EndRecord {
        package: text.into(),
        how,
        duration_ms: None,
        left_behind: None,
        denied_hosts: Vec::new(),
        denied_calls: Vec::new(),
    });
    NewRecord { run: None, circumstances: circumstances(), body }
}

/// Reads a record as its type, and checks that the type holds exactly what the line holds.
pub(crate) fn typed(record: &Value) -> Record {
    let typed = Record::read(record).unwrap();
    let parts = [serde_json::to_value(&typed.circumstances), serde_json::to_value(&typed.body)];
    let fields: Vec<_> = parts.into_iter().flat_map(|part| part.unwrap().as_object().unwrap().clone()).collect();
    let placed = ["schema", "seq", "prev", "time", "event", "run", "recovered_bytes"];
    let held = record.as_object().unwrap().iter().filter(|(key, _)| !placed.contains(&key.as_str()));
    assert_eq!(fields, held.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>(), "{record}");
    typed
}

fn circumstances() -> Circumstances {
    Circumstances { command: "run".into(), asked: None, pid: 1, uid: 0, smcp: "0.1.0".into() }
}

/// A clock that stands still.
pub(crate) fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123)
}

pub(crate) fn journal(folder: &Path) -> Result<AuditLog, AuditError> {
    journal_at(folder, clock)
}

/// The same, with another clock.
pub(crate) fn journal_at(folder: &Path, clock: Clock) -> Result<AuditLog, AuditError> {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    AuditLog::open(dir, &folder.join("audit.jsonl"), caller(), clock)
}

/// The user who runs the tests, without a private group.
pub(crate) fn caller() -> Caller {
    Caller::new(nix::unistd::geteuid().as_raw(), || None)
}

pub(crate) fn verification(folder: &Path, bounds: KnownLog) -> Verification {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    let mut snapshot = Snapshot::take(dir, &folder.join("audit.jsonl"), caller()).unwrap();
    let found = verify(&mut snapshot.parts, bounds).unwrap();
    Verification { living: snapshot.living, foreign: snapshot.foreign, ..found }
}

impl Log {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Makes a log with records of the given texts.
    pub(crate) fn of(texts: &[&str]) -> (Self, Vec<Head>) {
        let log = Self::new();
        let journal = log.journal();
        let heads = texts.iter().map(|text| journal.append(&entry(text)).unwrap()).collect();
        (log, heads)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn journal(&self) -> AuditLog {
        journal(self.folder()).unwrap()
    }

    pub(crate) fn verification(&self, bounds: KnownLog) -> Verification {
        verification(self.folder(), bounds)
    }

    /// Returns the names of its files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Returns the records of one file.
    pub(crate) fn records(&self, name: &str) -> Vec<Value> {
        self.bytes(name)
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}
