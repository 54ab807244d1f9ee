//! Sends heads of the audit log to the system's log.
//!
//! A user who can't write to the system's log can't hide that records were cut off from this one.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use syslog::Facility;
use syslog::Formatter3164;
use syslog::Logger;
use syslog::LoggerBackend;

use crate::AuditError;
use smcp_model::audit::Head;
use smcp_model::limits;

/// A connection to the system's log.
#[derive(Debug)]
pub(super) struct Heads(UnixDatagram);

impl Heads {
    /// Makes a sender over `socket`, whose writes time out after [`limits::AUDIT_HEAD`].
    pub(super) fn new(socket: UnixDatagram) -> Result<Self, AuditError> {
        socket.set_write_timeout(Some(limits::AUDIT_HEAD)).map_err(AuditError::Head)?;
        Ok(Self(socket))
    }

    /// Sends the new head of the log at `path`.
    pub(super) fn send(&self, head: Head, path: &Path) -> Result<(), AuditError> {
        let formatter = Formatter3164 {
            facility: Facility::LOG_AUTHPRIV,
            hostname: None,
            process: "smcp".to_owned(),
            pid: std::process::id(),
        };
        let socket = self.0.try_clone().map_err(AuditError::Head)?;
        let message = format!("audit head seq={} {} {}", head.seq, head.digest, path.display());
        let mut logger = Logger::new(LoggerBackend::Unix(socket), formatter);
        logger.notice(message).map_err(|error| AuditError::Head(io::Error::other(error)))
    }
}
