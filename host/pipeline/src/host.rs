//! The one host of policies that a process has.

use std::sync::Arc;
use std::sync::OnceLock;

use smcp_policy::HostError;
use smcp_policy::PolicyHost;

/// The process's host of policies: made when the first policies are loaded, and kept for all that follow. A clone is
/// the same host.
#[derive(Debug, Clone, Default)]
pub struct SharedHost(Arc<OnceLock<PolicyHost>>);

impl SharedHost {
    /// The host.
    ///
    /// # Errors
    /// See [`HostError`]; it is tried again the next time.
    pub fn get(&self) -> Result<&PolicyHost, HostError> {
        if let Some(host) = self.0.get() {
            return Ok(host);
        }
        let host = PolicyHost::new()?;
        Ok(self.0.get_or_init(|| host))
    }
}
