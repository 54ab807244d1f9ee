//! Notes which servers have started and have no recorded end yet.
//!
//! Beside the log is a folder with a file for each running server, made with the record of its start and removed with
//! the record of its end. The smcp that started the server keeps the file locked as long as it lives, and the system
//! releases the lock however smcp ends. So a process that gets the lock knows that this smcp is gone and will not
//! record the end: the next run records it instead. The log need not be searched, and no process number is trusted,
//! since another process may have it by now.
//!
//! Files are made and listed under the lock of the log, so that none is seen before it is locked.

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io::Write as _;

use crate::AuditError;
use crate::log_folder::LogFolder;
use crate::log_folder::OpenMode;
use smcp_model::audit::Head;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::lock;
use smcp_model::lock::Sharing;

/// The end of a file's name, after sixteen hexadecimal digits.
const END: &str = ".json";

/// The note on a running server.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The number of the first record of its command.
    pub run: u64,
    /// The record of its start.
    pub start: Head,
    /// The package.
    pub package: String,
    /// The package as the user typed it.
    pub asked: Option<String>,
}

/// A running server, as far as the log knows.
#[derive(Debug)]
pub struct RunningNote(LockedFile);

/// A start whose smcp is gone and won't record the end.
#[derive(Debug)]
pub struct Abandoned {
    /// The note on the start.
    pub about: About,
    file_lock: LockedFile,
}

/// A locked file of the folder.
#[derive(Debug)]
struct LockedFile {
    folder: LogFolder,
    name: String,
    // INVARIANT: locked since it was opened.
    file: File,
}

impl RunningNote {
    /// Notes that a server is about to run. The lock of the log must be held.
    pub(super) fn note(log_folder: &LogFolder, about: &About) -> Result<Self, AuditError> {
        let folder = log_folder.make_folder(&log_folder.names.running)?;
        let folder = folder.ok_or_else(|| AuditError::Record("the folder of running servers is gone".to_owned()))?;
        let name = format!("{:016x}{END}", RandomState::new().hash_one(about.run));
        let file = folder.open(&name, OpenMode::CreateNew)?;
        let path = folder.path(&name);
        let failed = AuditError::io("note a running server beside", &path);
        let file = lock::lock_by(file, Sharing::Exclusive, &Deadline::none()).map_err(|error| failed(error.into()))?;
        let text = serde_json::to_vec(about).map_err(|error| AuditError::Record(error.to_string()))?;
        (&file).write_all(&text).map_err(&failed)?;
        Ok(Self(LockedFile { folder, name, file }))
    }

    /// Removes the note, after the end was recorded.
    pub fn ended(self) {
        self.0.remove();
    }
}

impl Abandoned {
    /// Whether there are notes. Without the lock of the log a new one may be missed, which is that of a living smcp.
    pub(super) fn are_possible(log_folder: &LogFolder) -> Result<bool, AuditError> {
        Ok(files(log_folder)?.is_some_and(|(_, names)| !names.is_empty()))
    }

    /// Finds the starts whose smcp is gone, at most `most`, in the order of their starts. The lock of the log must be
    /// held.
    pub(super) fn all(log_folder: &LogFolder, most: usize) -> Result<Vec<Self>, AuditError> {
        let Some((folder, names)) = files(log_folder)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for name in names {
            let Ok(file) = folder.open(&name, OpenMode::Write) else { continue };
            if !locked(&folder, &name, &file, Sharing::Exclusive)? {
                continue;
            }
            let about = about(&file);
            let file_lock = LockedFile { folder: folder.try_clone()?, name, file };
            match about {
                Some(about) => found.push(Self { about, file_lock }),
                // Its smcp was killed before the note was complete.
                None => file_lock.remove(),
            }
            if found.len() >= most {
                break;
            }
        }
        found.sort_by_key(|one| one.about.start.seq);
        Ok(found)
    }

    /// Removes the note, after the end was recorded.
    pub fn recorded(self) {
        self.file_lock.remove();
    }
}

/// The runs whose servers are alive. The lock of the log should be held.
pub(super) fn living(log_folder: &LogFolder) -> Result<BTreeSet<u64>, AuditError> {
    let Some((folder, names)) = files(log_folder)? else { return Ok(BTreeSet::new()) };
    let mut runs = BTreeSet::new();
    for name in names {
        let Ok(file) = folder.open(&name, OpenMode::Read) else { continue };
        if !locked(&folder, &name, &file, Sharing::Shared)? {
            runs.extend(about(&file).map(|about| about.run));
        }
    }
    Ok(runs)
}

/// Locks a note if its smcp is gone. A lock that fails for another reason says nothing about that smcp.
fn locked(folder: &LogFolder, name: &str, file: &File, sharing: Sharing) -> Result<bool, AuditError> {
    lock::try_lock(file, sharing).map_err(AuditError::io("lock", &folder.path(name)))
}

/// The folder of running servers and the names of its files; files with other names are ignored.
fn files(log_folder: &LogFolder) -> Result<Option<(LogFolder, Vec<String>)>, AuditError> {
    let Some(folder) = log_folder.folder(&log_folder.names.running)? else { return Ok(None) };
    let is_ours = |name: &String| {
        let digits = name.strip_suffix(END).unwrap_or_default();
        digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let names = folder.entries()?.into_iter().filter(is_ours).collect();
    Ok(Some((folder, names)))
}

/// Reads a note; `None` if it is not complete.
fn about(file: &File) -> Option<About> {
    let text = bounded::read_within(file, limits::AUDIT_RUNNING, 0).ok()??;
    serde_json::from_slice(&text).ok()
}

impl LockedFile {
    /// Removes the file. If that fails it is emptied, so that the same end is not recorded twice.
    fn remove(&self) {
        let removed = self.folder.remove(&self.name);
        if let Err(error) = removed {
            tracing::warn!(%error, "what was kept of a running server could not be removed");
            let _ = self.file.set_len(0);
        }
    }
}
