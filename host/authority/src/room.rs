//! The system's limits on the arguments and variables of a program.

use nix::unistd::SysconfVar;
use nix::unistd::sysconf;

/// Linux's limit for one argument or variable, pages.
const PAGES: usize = 32;
/// Linux's limit for all together, bytes, however large the stack may be.
const MOST: usize = 6 * 1024 * 1024;

/// The greatest length of one argument or variable, bytes, its NUL included; `None` if the system has no such limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn longest_argument() -> Option<usize> {
    let page = value(SysconfVar::PAGE_SIZE).filter(|_| cfg!(target_os = "linux"))?;
    page.checked_mul(PAGES)
}

/// The greatest length of all arguments and variables together, bytes; `None` if it is not known.
///
/// # Ambient authority
/// Reads the process's state.
pub fn room_for_arguments() -> Option<usize> {
    // Other C libraries for Linux only return the minimum that POSIX guarantees.
    let known = cfg!(any(target_env = "gnu", target_os = "macos"));
    let all = value(SysconfVar::ARG_MAX).filter(|_| known)?;
    Some(if cfg!(target_os = "linux") { all.min(MOST) } else { all })
}

fn value(variable: SysconfVar) -> Option<usize> {
    sysconf(variable).ok().flatten().and_then(|value| usize::try_from(value).ok())
}
