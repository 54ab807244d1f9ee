//! Finds out which signals smcp was started to ignore.

#![expect(unsafe_code, reason = "no safe wrapper asks for a disposition without changing it")]

use std::mem::MaybeUninit;

use nix::libc;

/// Whether a signal is ignored now, as `nohup` and shells leave it to smcp.
pub(crate) fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: no new action is given, so nothing is changed; the old one is written to live memory of its type.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all zeros are a valid action, and the system has written a valid one over them unless it failed.
    asked == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}
