//! What the system has room for when a program is started.

use nix::unistd::SysconfVar;
use nix::unistd::sysconf;

/// Pages of one argument or variable, and a limit of all together that the stack's does not raise: Linux has them so.
const PAGES: usize = 32;
const MOST: usize = 6 * 1024 * 1024;

/// The most bytes that one argument or variable may have, its NUL included; `None` where the system has no such limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn longest_argument() -> Option<usize> {
    let page = value(SysconfVar::PAGE_SIZE).filter(|_| cfg!(target_os = "linux"))?;
    page.checked_mul(PAGES)
}

/// The most bytes that all arguments and variables may have together; `None` when nobody knows.
///
/// # Ambient authority
/// Reads the process's state.
pub fn room_for_arguments() -> Option<usize> {
    // Other libraries for Linux answer with what POSIX promises at least.
    let known = cfg!(any(target_env = "gnu", target_os = "macos"));
    let all = value(SysconfVar::ARG_MAX).filter(|_| known)?;
    Some(if cfg!(target_os = "linux") { all.min(MOST) } else { all })
}

fn value(variable: SysconfVar) -> Option<usize> {
    sysconf(variable).ok().flatten().and_then(|value| usize::try_from(value).ok())
}
