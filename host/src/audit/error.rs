//! Why the audit log can't be written or read.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::model::limits;

/// Why the audit log can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no home to keep it in.
    #[error(
        "there is no place for the audit log: HOME is not set to an absolute path\n  set HOME; the log is ~/.mcp/audit.jsonl"
    )]
    NoHome,
    /// The system refuses.
    #[error("can't {doing} the audit log at {}: {cause}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Others could change it, or it is no file.
    #[error("{} is not safe for the audit log: {what}\n  {remedy}", path.display())]
    Unsafe {
        /// Which file or folder.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// What to do.
        remedy: String,
    },
    /// Somebody has the lock and doesn't give it back.
    #[error(
        "another process has kept the audit log locked for {}: {}\n  end it; `fuser` or `lsof` names it",
        humantime::format_duration(limits::AUDIT_LOCK),
        path.display()
    )]
    Locked {
        /// The file that is locked.
        path: PathBuf,
    },
    /// What it ends with is no record, so that nothing can follow it.
    #[error(
        "the audit log {} is damaged: {what}\n  see `smcp audit verify`; keep the file, move it and the older ones to \
         another folder, and the next record begins a new log",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system's log doesn't take the head.
    #[error("the head of the audit log can't be sent to syslog (`audit_head: syslog`): {0}")]
    Head(io::Error),
    /// A record can't be written as JSON, or is too large.
    #[error("the audit log can't hold this record: {0}")]
    Record(String),
}

impl AuditError {
    /// An error of the system, for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Io { doing, path: path.to_path_buf(), cause }
    }
}
