//! The limits on files and memory that this process was started with.

use std::path::Path;
use std::sync::Arc;

use nix::sys::resource::RLIM_INFINITY;
use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use signal_hook::consts::SIGXFSZ;

use crate::read_file;
use smcp_model::limits;

/// The greatest length of a file that this process may write, bytes (`ulimit -f`); `None` without a limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn file_size() -> Option<u64> {
    limit(Resource::RLIMIT_FSIZE)
}

/// The most address space that this process may have, bytes (`ulimit -v`); `None` without a limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn address_space() -> Option<u64> {
    limit(Resource::RLIMIT_AS)
}

/// The most files that this process may have open at once (`ulimit -n`); `None` without a limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn open_files() -> Option<u64> {
    limit(Resource::RLIMIT_NOFILE)
}

/// The memory of this machine that programs could have, bytes; `None` if the system doesn't say.
///
/// # Ambient authority
/// Reads the system's state.
pub fn available_memory() -> Option<u64> {
    let text = read_file(Path::new("/proc/meminfo"), limits::PROCESS_STATUS).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn limit(resource: Resource) -> Option<u64> {
    getrlimit(resource).ok().map(|(soft, _)| soft).filter(|soft| *soft != RLIM_INFINITY)
}

/// Makes a write beyond the limit (`ulimit -f`) fail instead of ending this process. Programs that it starts meet the
/// limit as without smcp, because a handler does not survive the start of a program.
///
/// # Ambient authority
/// Changes what a signal does to the process.
pub fn survive_file_size_limit() {
    // If the signal is ignored it stays so: a handler would make the server start with the default action.
    if file_size().is_some() && !is_ignored(SIGXFSZ) {
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}

/// Whether this process was started with a signal ignored. False if the system doesn't say.
fn is_ignored(signal: i32) -> bool {
    let status = read_file(Path::new("/proc/self/status"), limits::PROCESS_STATUS).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    let bit = u32::try_from(signal.saturating_sub(1)).unwrap_or_default();
    mask.checked_shr(bit).unwrap_or_default() & 1 == 1
}
