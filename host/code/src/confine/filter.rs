//! Gives up system calls, by seccomp.

#![expect(unsafe_code, reason = "a system call without a safe wrapper")]

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::BackendError;
use seccompiler::BpfProgram;
use seccompiler::SeccompAction;
use seccompiler::SeccompCmpArgLen;
use seccompiler::SeccompCmpOp;
use seccompiler::SeccompCondition;
use seccompiler::SeccompFilter;
use seccompiler::SeccompRule;

/// The calls that computing takes: its streams, memory, signals of its own, and its end. Memory and signals have
/// conditions; see [`rules`].
const ALLOWED: [libc::c_long; 18] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Refuses every other call from now on. They fail, so that a C library which tries a new one gets along without; the
/// process ends only if it can't.
pub(super) fn apply() -> Result<(), seccompiler::Error> {
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(rules()?, refused, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.map(|call| (call, Vec::new())).into();
    // Memory that is not executed: a compiler only writes code.
    let executable = u64::from(libc::PROT_EXEC.cast_unsigned());
    let not_executed = || SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0);
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![SeccompRule::new(vec![not_executed()?])?]);
    }
    // Signals to itself, for an abort that shows as one.
    let own = u64::from(std::process::id());
    let to_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![to_itself])?]);
    Ok(rules)
}

/// Closes every descriptor from `first` on. False when the system can't.
pub(super) fn close_from(first: u64) -> bool {
    // SAFETY: the process has just begun and owns no descriptor but its streams; the arguments are three integers.
    unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) == 0 }
}
