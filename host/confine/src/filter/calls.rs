//! The numbers of the calls that a filter refuses.

#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has such filters"))]

#[cfg(target_os = "linux")]
use nix::libc;

/// The number of a call, as a filter has it.
#[cfg(target_os = "linux")]
const fn number(call: libc::c_long) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of calls are small")]
    {
        call as u32
    }
}

/// All that makes new namespaces: `CLONE_NEW…`.
pub(crate) const NAMESPACES: u32 = 0x7e02_0080;
/// `CLONE_THREAD`
pub(crate) const THREAD: u32 = 0x0001_0000;

macro_rules! numbers {
    ($($name:ident = $call:ident),+ $(,)?) => {$(
        #[cfg(target_os = "linux")]
        pub(crate) const $name: u32 = number(libc::$call);
        #[cfg(not(target_os = "linux"))]
        pub(crate) const $name: u32 = 0;
    )+};
}

numbers! {
    CLONE = SYS_clone,
    CLONE3 = SYS_clone3,
    EXECVE = SYS_execve,
    EXECVEAT = SYS_execveat,
    IOCTL = SYS_ioctl,
    PRLIMIT = SYS_prlimit64,
    SECCOMP = SYS_seccomp,
    SETNS = SYS_setns,
    SETPRIORITY = SYS_setpriority,
    IOPRIO_SET = SYS_ioprio_set,
    SCHED_SETAFFINITY = SYS_sched_setaffinity,
    SCHED_SETATTR = SYS_sched_setattr,
    SCHED_SETPARAM = SYS_sched_setparam,
    SCHED_SETSCHEDULER = SYS_sched_setscheduler,
    MIGRATE_PAGES = SYS_migrate_pages,
    MOVE_PAGES = SYS_move_pages,
    SOCKET = SYS_socket,
    SOCKETPAIR = SYS_socketpair,
    UNSHARE = SYS_unshare,
    IO_URING_SETUP = SYS_io_uring_setup,
    IO_URING_ENTER = SYS_io_uring_enter,
    IO_URING_REGISTER = SYS_io_uring_register,
}

pub(crate) const IO_URING: [u32; 3] = [IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER];

/// The calls whose first argument is the number of a process, 0 for whoever calls.
pub(crate) const OF_OTHERS: [u32; 7] =
    [PRLIMIT, SCHED_SETAFFINITY, SCHED_SETATTR, SCHED_SETPARAM, SCHED_SETSCHEDULER, MIGRATE_PAGES, MOVE_PAGES];

/// The old calls that make a process.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) const OWN_CALLS: &[u32] = &[number(libc::SYS_fork), number(libc::SYS_vfork)];
/// This machine has none.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) const OWN_CALLS: &[u32] = &[];

/// What only whoever runs a machine, or examines other processes, needs.
#[cfg(target_os = "linux")]
pub(crate) const MACHINE: &[u32] = &[
    // File systems.
    number(libc::SYS_mount),
    number(libc::SYS_umount2),
    number(libc::SYS_pivot_root),
    number(libc::SYS_move_mount),
    number(libc::SYS_open_tree),
    // `open_tree_attr`, by one number everywhere.
    467,
    number(libc::SYS_fsopen),
    number(libc::SYS_fsconfig),
    number(libc::SYS_fsmount),
    number(libc::SYS_fspick),
    number(libc::SYS_mount_setattr),
    number(libc::SYS_open_by_handle_at),
    number(libc::SYS_swapon),
    number(libc::SYS_swapoff),
    number(libc::SYS_quotactl),
    number(libc::SYS_quotactl_fd),
    number(libc::SYS_acct),
    // Other processes.
    number(libc::SYS_ptrace),
    number(libc::SYS_process_vm_readv),
    number(libc::SYS_process_vm_writev),
    number(libc::SYS_pidfd_getfd),
    number(libc::SYS_kcmp),
    // The kernel.
    number(libc::SYS_bpf),
    number(libc::SYS_perf_event_open),
    number(libc::SYS_userfaultfd),
    number(libc::SYS_kexec_load),
    number(libc::SYS_kexec_file_load),
    number(libc::SYS_init_module),
    number(libc::SYS_finit_module),
    number(libc::SYS_delete_module),
    number(libc::SYS_reboot),
    number(libc::SYS_settimeofday),
    number(libc::SYS_clock_settime),
    number(libc::SYS_adjtimex),
    number(libc::SYS_clock_adjtime),
    number(libc::SYS_syslog),
    number(libc::SYS_sethostname),
    number(libc::SYS_setdomainname),
    number(libc::SYS_vhangup),
    // Keys that are kept for the session.
    number(libc::SYS_keyctl),
    number(libc::SYS_add_key),
    number(libc::SYS_request_key),
    #[cfg(target_arch = "x86_64")]
    number(libc::SYS_iopl),
    #[cfg(target_arch = "x86_64")]
    number(libc::SYS_ioperm),
];
#[cfg(not(target_os = "linux"))]
pub(crate) const MACHINE: &[u32] = &[];
