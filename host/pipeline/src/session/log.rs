//! Opens the audit log where the configuration has it.

use std::io;
use std::path::Path;

use crate::Session;
use smcp_audit::AuditError;
use smcp_audit::AuditLog;
use smcp_authority as authority;
use smcp_config::choice::AuditHead;

impl Session {
    /// Opens the audit log, and connects it with the system's log where the configuration says so. The second value is
    /// why that failed: the records are in the audit log all the same.
    ///
    /// # Errors
    /// When the log can't be written, or has no room for one record.
    pub(crate) fn audit_log(&self) -> Result<(AuditLog, Option<AuditError>), AuditError> {
        let log = self.config().audit_log().ok_or(AuditError::NoHome)?;
        let folder = log.parent().unwrap_or(log);
        let dir = authority::create_dir(folder).map_err(|cause| self.no_folder(folder, cause))?;
        let mut audit_log =
            AuditLog::open(dir, log, self.system().caller, self.system().clock).map_err(where_it_leads)?;
        // Checked here, or each policy would fail for the same reason, and the package would seem to be at fault.
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

    /// Returns why there is no folder for the log. One reason is a HOME of another user, which `sudo -E` leaves set.
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

/// Returns the same error; where its path is a link, or is behind one, the error also says where that leads.
fn where_it_leads(error: AuditError) -> AuditError {
    let AuditError::Unsafe { path, what, remedy } = error else { return error };
    match authority::resolve(&path).ok().filter(|real| *real != path) {
        Some(real) => AuditError::Unsafe { what: format!("it leads to {}, and {what}", real.display()), path, remedy },
        None => AuditError::Unsafe { path, what, remedy },
    }
}
