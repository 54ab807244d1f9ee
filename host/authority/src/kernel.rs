//! What the kernel has for confining a server, so that `doctor` can say it.

#![expect(unsafe_code, reason = "a question to the kernel that no safe wrapper asks")]

use std::path::Path;

use crate::read_file;
use smcp_model::limits;

/// Whether a user without rights may make namespaces, as far as the system says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespaces {
    /// Nothing speaks against it.
    Allowed,
    /// A setting of the system does.
    Refused {
        /// Which one.
        by: &'static str,
    },
    /// There is no `/proc` to look in, or the kernel has none.
    Unknown,
}

/// The version of Landlock's interface; none when the kernel has no Landlock, or it is switched off.
///
/// # Ambient authority
/// Asks the kernel.
pub fn landlock() -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        use nix::libc;
        /// `LANDLOCK_CREATE_RULESET_VERSION`: nothing is made, and the version is the answer.
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
    if setting("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return Namespaces::Refused { by: "kernel.unprivileged_userns_clone" };
    }
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Namespaces::Refused { by: "kernel.apparmor_restrict_unprivileged_userns" };
    }
    Namespaces::Allowed
}
