//! The system calls that have no safe wrapper.
//!
//! All but [`landlock_version`], [`has_filters`] and [`token`] are called between a fork and an `execve`, where nothing
//! may be allocated.

#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;
use std::mem::offset_of;
use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd as _;
use std::os::fd::OwnedFd;
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::libc;
use nix::libc::sock_filter;
use nix::sys::stat::Mode;

use smcp_model::limits;

/// `LANDLOCK_CREATE_RULESET_VERSION`: the call makes nothing and returns the version.
const VERSION: u32 = 1;
/// `LANDLOCK_RULE_PATH_BENEATH`
const PATH_BENEATH: u32 = 1;
/// `LANDLOCK_ACCESS_FS_READ_FILE` and `…_READ_DIR`, which every version has.
const READ: u64 = 1 << 2 | 1 << 3;
/// `SECCOMP_SET_MODE_FILTER`
const SET_FILTER: u32 = 1;
/// `SECCOMP_GET_ACTION_AVAIL`
const HAS_ACTION: u32 = 2;
/// `SECCOMP_FILTER_FLAG_SPEC_ALLOW`: a filter alone is no reason to slow the processor down.
const SPEC_ALLOW: u32 = 1 << 2;
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`
const NEW_LISTENER: u32 = 1 << 3;
/// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`
const WAIT_KILLABLE: u32 = 1 << 5;
/// `SECCOMP_RET_ERRNO`
const ERROR: u32 = 0x0005_0000;
/// `SECCOMP_RET_USER_NOTIF`
const ASK: u32 = 0x7fc0_0000;
/// `CLOSE_RANGE_CLOEXEC`
const AT_EXEC: u32 = 1 << 2;
/// `_LINUX_CAPABILITY_VERSION_3`
const CAPABILITIES_VERSION: u32 = 0x2008_0522;
/// The first descriptor that is no standard stream.
const STREAMS: u32 = 3;

/// Every capability, those of kernels to come included.
pub(crate) const ALL_CAPABILITIES: u64 = u64::MAX;
/// What only whoever runs a machine needs: `CAP_DAC_READ_SEARCH`, `…_LINUX_IMMUTABLE`, `…_NET_ADMIN` (which any socket takes,
/// a local pair, too), `…_SYS_MODULE`, `…_SYS_RAWIO`, `…_SYS_PTRACE`, `…_SYS_PACCT`, `…_SYS_ADMIN`, `…_SYS_BOOT`, `…_SYS_TIME`,
/// `…_SYS_TTY_CONFIG`, `…_MKNOD`, `…_AUDIT_CONTROL`, `…_SETFCAP`, `…_MAC_OVERRIDE`, `…_MAC_ADMIN`, `…_SYSLOG`, `…_WAKE_ALARM`,
/// `…_BLOCK_SUSPEND`, `…_AUDIT_READ`, `…_PERFMON`, `…_BPF`, `…_CHECKPOINT_RESTORE`.
pub(crate) const MACHINE_CAPABILITIES: u64 = 1 << 2
    | 1 << 9
    | 1 << 12
    | 1 << 16
    | 1 << 17
    | 1 << 19
    | 1 << 20
    | 1 << 21
    | 1 << 22
    | 1 << 25
    | 1 << 26
    | 1 << 27
    | 1 << 30
    | 1 << 31
    | 1 << 32
    | 1 << 33
    | 1 << 34
    | 1 << 35
    | 1 << 36
    | 1 << 37
    | 1 << 38
    | 1 << 39
    | 1 << 40;

/// `struct landlock_path_beneath_attr`
#[repr(C, packed)]
struct Beneath {
    allowed_access: u64,
    parent_fd: i32,
}
const _: () = assert!(offset_of!(Beneath, parent_fd) == 8 && size_of::<Beneath>() == 12);

/// The version of Landlock's interface; 0 if the kernel has none, or it is switched off.
pub(crate) fn landlock_version() -> u32 {
    // SAFETY: with this flag the call takes a null pointer and the length 0, and touches no memory.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION) };
    u32::try_from(answer).unwrap_or_default()
}

/// Whether the kernel filters system calls.
pub(crate) fn has_filters() -> bool {
    has_action(ERROR)
}

fn has_action(action: u32) -> bool {
    // SAFETY: the call reads the integer that it is given a pointer to, which lives as long as the call.
    unsafe { libc::syscall(libc::SYS_seccomp, HAS_ACTION, 0_u32, &raw const action) == 0 }
}

/// Whether the kernel asks about calls, where a filter says so.
pub(crate) fn has_questions() -> bool {
    has_action(ASK)
}

/// Numbers that nobody guesses.
pub(crate) fn token() -> io::Result<[u64; 3]> {
    let mut token = [0_u64; 3];
    let length = size_of_val(&token);
    // SAFETY: the buffer is `length` bytes long, and any bytes are integers.
    let filled = unsafe { libc::getrandom(token.as_mut_ptr().cast(), length, 0) };
    if usize::try_from(filled) == Ok(length) { Ok(token) } else { Err(Errno::last().into()) }
}

/// Lets this process read its own folder in `/proc`, which has a name only now. Without `/proc` there is nothing to read.
pub(crate) fn grant_own_process(ruleset: BorrowedFd<'_>) {
    let Ok(own) = open(c"/proc/self", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) else { return };
    let rule = Beneath { allowed_access: READ, parent_fd: own.as_raw_fd() };
    // SAFETY: the rule is laid out as the kernel has it and lives as long as the call.
    let _ = unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), PATH_BENEATH, &raw const rule, 0_u32)
    };
}

/// Holds this process to a ruleset of Landlock's.
pub(crate) fn restrict(ruleset: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the arguments are two integers, of which one is an open descriptor.
    Errno::result(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) }).map(drop)
}

/// Has all descriptors but the standard streams closed when this process becomes a program.
pub(crate) fn close_at_exec() {
    // SAFETY: the arguments are three integers; nothing is closed before another program begins.
    if unsafe { libc::syscall(libc::SYS_close_range, STREAMS, u32::MAX, AT_EXEC) } != 0 {
        // The kernel is old, or a sandbox refuses the call.
        for descriptor in STREAMS..limits::REAPER_DESCRIPTORS {
            // SAFETY: as above. A descriptor that is not open is no error.
            unsafe { libc::fcntl(descriptor.cast_signed(), libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// `struct __user_cap_header_struct`
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`: 32 capabilities. There are two of them.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Capabilities {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Takes these capabilities from this process, and what programs would inherit of any. Without new privileges no program
/// gets more than this process has: root's neither.
pub(crate) fn drop_capabilities(dropped: u64) -> Result<(), Errno> {
    for capability in (0..u64::BITS).filter(|capability| dropped >> capability & 1 == 1) {
        // SAFETY: the arguments are integers. Who may not do it still loses his own, below; one that the kernel does not know
        // is refused.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
    }
    let mut header = Header { version: CAPABILITIES_VERSION, pid: 0 };
    let mut sets = [Capabilities::default(); 2];
    // SAFETY: the header and the two sets are laid out as this version has them, and live as long as the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) })?;
    let halves = [dropped & 0xffff_ffff, dropped >> 32].map(|half| u32::try_from(half).unwrap_or(u32::MAX));
    for (set, half) in sets.iter_mut().zip(halves) {
        let kept = !half;
        // What is not inheritable is not ambient, either.
        *set = Capabilities { effective: set.effective & kept, permitted: set.permitted & kept, inheritable: 0 };
    }
    // SAFETY: as above; the kernel only reads them.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) }).map(drop)
}

/// Has the kernel ask a filter about each system call of this process from now on.
pub(crate) fn filter(program: &[sock_filter]) -> Result<(), Errno> {
    install(program, SPEC_ALLOW).map(drop)
}

/// Does the same for a filter that asks. Returns what the questions come by; no program inherits it.
pub(crate) fn asking_filter(program: &[sock_filter]) -> Result<OwnedFd, Errno> {
    let flags = SPEC_ALLOW | NEW_LISTENER;
    // Before Linux 5.19 a signal for the server ends the wait for an answer.
    let descriptor = match install(program, flags | WAIT_KILLABLE) {
        Err(Errno::EINVAL) => install(program, flags),
        installed => installed,
    }?;
    let descriptor = i32::try_from(descriptor).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made the descriptor for us, so it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn install(program: &[sock_filter], flags: u32) -> Result<libc::c_long, Errno> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::E2BIG)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `length` instructions from the pointer, which are there, and writes nothing.
    Errno::result(unsafe { libc::syscall(libc::SYS_seccomp, SET_FILTER, flags, &raw const program) })
}
