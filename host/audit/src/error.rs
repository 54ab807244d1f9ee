//! The errors of the audit log.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use nix::errno::Errno;

use smcp_model::limits;

/// An error of writing or reading the audit log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// HOME is not set, so the log has no default place.
    #[error(
        "there is no place for the audit log: HOME is not set to an absolute path\n  set HOME, or name a file with \
         `audit_log` in a configuration that --config or SMCP_CONFIG names"
    )]
    NoHome,
    /// HOME belongs to another user.
    #[error(
        "the audit log can't be kept in {}, which is HOME and belongs to another user (uid {uid}): {cause}\n  set HOME to \
         the home of the user who runs smcp (`sudo -E` keeps the caller's), or name another file with `audit_log` in the \
         configuration",
        home.display()
    )]
    ForeignHome {
        /// `HOME`.
        home: PathBuf,
        /// The owner of that folder.
        uid: u32,
        /// The error of the system.
        cause: io::Error,
    },
    /// The path can't be that of a file.
    #[error("{} is no name for the audit log: it has to be that of a file", path.display())]
    Unnamed {
        /// The path.
        path: PathBuf,
    },
    /// The clock is set before 1970, so a record can't have a time.
    #[error("{}", limits::CLOCK_BEFORE_EPOCH)]
    Clock,
    /// The system returned an error.
    #[error("can't {doing} the audit log at {}: {}", path.display(), explained(cause, path))]
    Io {
        /// The operation, for the message.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// Other users could change it, or it is not a regular file.
    #[error("{} is not safe for the audit log: {what}\n  {remedy}", path.display())]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// The problem.
        what: String,
        /// The way out.
        remedy: String,
    },
    /// Another process holds the lock for too long.
    #[error(
        "another process has kept the audit log locked for {}: {}\n  end it; `fuser` or `lsof` names it",
        humantime::format_duration(limits::AUDIT_LOCK),
        path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The log does not end with a record, so no record can follow.
    #[error(
        "the audit log {} is damaged: {what}\n  see `smcp audit verify`; keep the file, move it and the older ones to \
         another folder, and the next record begins a new log",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// The system's log does not accept the head.
    #[error("the head of the audit log can't be sent to syslog (`audit_head: syslog`): {0}")]
    Head(io::Error),
    /// A record can't be written as JSON, or is too long.
    #[error("the audit log can't hold this record: {0}")]
    Record(String),
}

impl AuditError {
    /// Wraps an error of the system, for `map_err`.
    pub fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Io { doing, path: path.to_path_buf(), cause }
    }
}

/// Explains an error of the system where its own words don't help, with the way out on a second line.
fn explained(cause: &io::Error, path: &Path) -> String {
    let folder = path.parent().unwrap_or(path).display();
    let kind = cause.kind();
    let (says, way_out) = if kind == io::ErrorKind::StorageFull {
        (format!("the disk is full ({cause})"), format!("free some space on the file system of {folder}, or "))
    } else if kind == io::ErrorKind::QuotaExceeded {
        (format!("the quota of this user is used up ({cause})"), format!("free some space below {folder}, or "))
    } else if kind == io::ErrorKind::FileTooLarge {
        let says = format!("it would grow beyond what a process may write to one file here ({cause})");
        (says, "raise the limit (`ulimit -f`), or ".to_owned())
    } else if is_of_the_place(kind) || has_no_locks(cause) {
        (cause.to_string(), String::new())
    } else {
        return cause.to_string();
    };
    format!("{says}\n  {way_out}name another file with `audit_log` in the configuration")
}

/// Whether the file system has no locks, as some network shares.
fn has_no_locks(cause: &io::Error) -> bool {
    let errno = cause.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ENOLCK | Errno::ENOSYS | Errno::EOPNOTSUPP))
}

/// Whether the error comes from the place of the log, so that another place helps.
const fn is_of_the_place(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::NotFound
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_called_so_with_its_folder_and_the_way_out() {
        for (errno, says) in [
            (
                Errno::ENOSPC,
                "the disk is full (No space left on device (os error 28))\n  free some space on the file system of /h/.mcp, or name another file with `audit_log`",
            ),
            (Errno::EDQUOT, "the quota of this user is used up"),
            (Errno::EFBIG, "raise the limit (`ulimit -f`)"),
            (Errno::ENOLCK, "name another file with `audit_log`"),
            (Errno::EROFS, "name another file with `audit_log`"),
            (Errno::EIO, "Input/output error"),
        ] {
            let error = AuditError::io("write to", Path::new("/h/.mcp/audit.jsonl"))(errno.into()).to_string();
            assert!(error.starts_with("can't write to the audit log at /h/.mcp/audit.jsonl: "), "{error}");
            assert!(error.contains(says), "{error}");
        }
    }
}
