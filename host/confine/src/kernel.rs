//! What the kernel offers for confining a server.
//!
//! Two questions, asked for every decision about a package; and a trial, for a package that needs a network of its own.

use crate::foresee::lists_hosts;
use smcp_model::manifest::Permissions;

/// The means of this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Whether the system is Linux.
    pub linux: bool,
    /// The version of Landlock's interface; 0 without Landlock.
    pub landlock: u32,
    /// Whether system calls can be filtered, and smcp knows those of this machine.
    pub seccomp: bool,
    /// Whether a server can have a network of its own; tried for a server that asks for single hosts alone.
    pub namespaces: bool,
}

/// Whether a server can have a network of its own here, in which all that it reaches is seen; tried once.
pub fn has_networks() -> bool {
    #[cfg(target_os = "linux")]
    {
        crate::network::works()
    }
    #[cfg(not(target_os = "linux"))]
    false
}

impl Kernel {
    /// Asks the kernel what it has for a server with these permissions.
    pub fn ask(permissions: Option<&Permissions>) -> Self {
        #[cfg(target_os = "linux")]
        {
            let seccomp = crate::filter::ARCHITECTURE.is_some() && crate::system::has_filters();
            // Without a filter a server would be in reach of the session's sockets.
            let namespaces = seccomp && permissions.is_some_and(lists_hosts) && crate::network::works();
            Self { linux: true, landlock: crate::system::landlock_version(), seccomp, namespaces }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = permissions.is_some_and(lists_hosts);
            Self { linux: false, landlock: 0, seccomp: false, namespaces: false }
        }
    }
}
