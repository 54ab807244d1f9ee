//! The limits that whoever started us has set, on files and on memory.

use std::path::Path;
use std::sync::Arc;

use nix::sys::resource::RLIM_INFINITY;
use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use signal_hook::consts::SIGXFSZ;

use crate::read_file;
use smcp_model::limits;

/// The most bytes that a file of ours may get (`ulimit -f`); none where there is no limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn file_size() -> Option<u64> {
    limit(Resource::RLIMIT_FSIZE)
}

/// The most bytes of address space that this process may have (`ulimit -v`); none where there is no limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn address_space() -> Option<u64> {
    limit(Resource::RLIMIT_AS)
}

/// The most files that this process may have open at once (`ulimit -n`); none where there is no limit.
///
/// # Ambient authority
/// Reads the process's state.
pub fn open_files() -> Option<u64> {
    limit(Resource::RLIMIT_NOFILE)
}

fn limit(resource: Resource) -> Option<u64> {
    getrlimit(resource).ok().map(|(soft, _)| soft).filter(|soft| *soft != RLIM_INFINITY)
}

/// Makes a write beyond the limit (`ulimit -f`) an error of that write, and not the end of this process. What it starts
/// meets the limit as it would without us: a handler does not outlive the start of a program.
///
/// # Ambient authority
/// Changes what a signal does to the process.
pub fn survive_file_size_limit() {
    // A handler in place of the wish to ignore it would take that wish from the server.
    if file_size().is_some() && !is_ignored(SIGXFSZ) {
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}

/// Whether whoever started us wants a signal to be ignored. Where the system doesn't say, nobody does.
fn is_ignored(signal: i32) -> bool {
    let status = read_file(Path::new("/proc/self/status"), limits::PROCESS_STATUS).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    let bit = u32::try_from(signal.saturating_sub(1)).unwrap_or_default();
    mask.checked_shr(bit).unwrap_or_default() & 1 == 1
}
