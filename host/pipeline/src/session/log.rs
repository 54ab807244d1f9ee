//! The audit log, opened where the configuration has it.

use std::io;
use std::path::Path;

use crate::Session;
use smcp_audit::AuditError;
use smcp_audit::AuditLog;
use smcp_authority as authority;
use smcp_config::choice::AuditHead;

impl Session {
    /// The audit log, with the system's log behind it where the configuration says so. The second is why that one could
    /// not be had: what can't be told to the system's log is in ours all the same.
    ///
    /// # Errors
    /// When it can't be written, or not even one record has room.
    pub(crate) fn audit_log(&self) -> Result<(AuditLog, Option<AuditError>), AuditError> {
        let log = self.config().audit_log().ok_or(AuditError::NoHome)?;
        let folder = log.parent().unwrap_or(log);
        let dir = authority::create_dir(folder).map_err(|cause| self.no_folder(folder, cause))?;
        let mut audit_log =
            AuditLog::open(dir, log, self.system().caller, self.system().clock).map_err(where_it_leads)?;
        // Not even one record: said here, or each policy would fail for the same reason, as if by the package's fault.
        audit_log.fits_below(authority::file_size())?;
        let unsent = match self.config().audit_head() {
            AuditHead::None => None,
            AuditHead::Syslog => {
                let socket = authority::system_log().map_err(AuditError::Head);
                socket.and_then(|socket| audit_log.send_heads(socket)).err()
            }
        };
        Ok((audit_log, unsent))
    }

    /// Why there is no folder for the log: also that HOME is somebody else's, which `sudo -E` makes easy.
    fn no_folder(&self, folder: &Path, cause: io::Error) -> AuditError {
        if cause.kind() == io::ErrorKind::NotFound && authority::exists(folder).is_ok_and(|there| there) {
            let (what, remedy) =
                ("it is a link that leads nowhere", "make the folder that it leads to, or remove the link");
            return AuditError::Unsafe { path: folder.to_path_buf(), what: what.to_owned(), remedy: remedy.to_owned() };
        }
        let home = self.system().home().filter(|home| folder.starts_with(home));
        let foreign = home.and_then(|home| authority::foreign_owner(&home).map(|uid| (home, uid)));
        match foreign {
            Some((home, uid)) if cause.kind() == io::ErrorKind::PermissionDenied => {
                AuditError::ForeignHome { home, uid, cause }
            }
            Some(_) | None => AuditError::io("make the folder of", folder)(cause),
        }
    }
}

/// The same error, with the place that is meant where what it names is a link, or is behind one.
fn where_it_leads(error: AuditError) -> AuditError {
    let AuditError::Unsafe { path, what, remedy } = error else { return error };
    match authority::resolve(&path).ok().filter(|real| *real != path) {
        Some(real) => AuditError::Unsafe { what: format!("it leads to {}, and {what}", real.display()), path, remedy },
        None => AuditError::Unsafe { path, what, remedy },
    }
}
