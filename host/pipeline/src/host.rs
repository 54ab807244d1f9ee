//! The one policy host of a process.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::Compilation;
use smcp_code::ChildCompiler;
use smcp_policy::HostError;
use smcp_policy::PolicyHost;

/// The policy host of this process, made when the first policies are loaded and kept from then on. A clone refers to
/// the same host.
#[derive(Debug, Clone, Default)]
pub struct SharedHost(Arc<OnceLock<PolicyHost>>);

impl SharedHost {
    /// Returns the host, and makes it when there is none yet.
    ///
    /// # Errors
    /// See [`HostError`]; the next call tries again.
    pub fn get(&self, compilation: Compilation) -> Result<&PolicyHost, HostError> {
        if let Some(host) = self.0.get() {
            return Ok(host);
        }
        let host = match compilation {
            Compilation::InChild { program, memory } => PolicyHost::with_compiler(ChildCompiler::new(program, memory))?,
            Compilation::InProcess => PolicyHost::new()?,
        };
        Ok(self.0.get_or_init(|| host))
    }
}
