//! Asks what the kernel offers for confining a server, for `doctor`.

#![expect(unsafe_code, reason = "a question to the kernel that no safe wrapper asks")]

use std::path::Path;

use crate::read_file;
use smcp_model::limits;

/// Whether an unprivileged user may make namespaces, as far as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespaces {
    /// No setting forbids it.
    Allowed,
    /// A setting of the system forbids it.
    Refused {
        /// The setting.
        by: &'static str,
    },
    /// `/proc` can't be read, or the kernel has no namespaces.
    Unknown,
}

/// The version of Landlock's interface; `None` if the kernel has no Landlock, or it is switched off.
///
/// # Ambient authority
/// Asks the kernel.
pub fn landlock() -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        use nix::libc;
        /// `LANDLOCK_CREATE_RULESET_VERSION`: the call makes nothing and returns the version.
        const VERSION: u32 = 1;
        // SAFETY: with this flag the call takes a null pointer and the length 0, and touches no memory.
        let answer =
            unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) };
        u32::try_from(answer).ok()
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// Whether a server could be put into namespaces of its own.
///
/// # Ambient authority
/// Reads settings of the system.
pub fn namespaces() -> Namespaces {
    let setting = |path: &str| {
        let text = read_file(Path::new(path), limits::PROCESS_STATUS).ok()?;
        String::from_utf8_lossy(&text).trim().parse::<u64>().ok()
    };
    let Some(most) = setting("/proc/sys/user/max_user_namespaces") else { return Namespaces::Unknown };
    if most == 0 {
        return Namespaces::Refused { by: "user.max_user_namespaces" };
    }
    if setting("/proc/sys/user/max_net_namespaces") == Some(0) {
        return Namespaces::Refused { by: "user.max_net_namespaces" };
    }
    if setting("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return Namespaces::Refused { by: "kernel.unprivileged_userns_clone" };
    }
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Namespaces::Refused { by: "kernel.apparmor_restrict_unprivileged_userns" };
    }
    Namespaces::Allowed
}
