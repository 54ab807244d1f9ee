//! What the kernel offers for confining a server.
//!
//! Two questions, asked for every decision about a package.

/// The means of this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Whether the system is Linux.
    pub linux: bool,
    /// The version of Landlock's interface; 0 without Landlock.
    pub landlock: u32,
    /// Whether system calls can be filtered, and smcp knows those of this machine.
    pub seccomp: bool,
}

impl Kernel {
    /// Asks the kernel.
    pub fn ask() -> Self {
        #[cfg(target_os = "linux")]
        {
            let seccomp = crate::filter::ARCHITECTURE.is_some() && crate::system::has_filters();
            Self { linux: true, landlock: crate::system::landlock_version(), seccomp }
        }
        #[cfg(not(target_os = "linux"))]
        Self { linux: false, landlock: 0, seccomp: false }
    }
}
