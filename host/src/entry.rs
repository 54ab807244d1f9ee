//! Where the released program begins, before the C library does.
//!
//! A program that may lie anywhere in memory has pointers to itself, and the C library's first act is to write them all:
//! some 110 pages, of which the system copies each when it is written to. Asked for all of them in one call, it does so in
//! two thirds of the time (docs/decisions/0068). What the call answers does not matter: a system that does not know it
//! (before Linux 5.14) copies page by page, as always.
//!
//! Its second act is to ask the system where the program's file is, for shared libraries beside it. This program loads none.
//!
//! `host/build.rs` names this place to the linker, where it links without shared libraries.

#![expect(unsafe_code, reason = "nothing else runs before the C library does")]

std::arch::global_asm!(
    ".globl smcp_entry",
    ".type smcp_entry, @function",
    "smcp_entry:",
    // The one register that the system hands to `_start`, apart from the stack's.
    "mov r8, rdx",
    // From the page of the first pointer to the end of what can be written. Both names are the linker's.
    "lea rdi, [rip + __init_array_start]",
    "and rdi, -{page}",
    "lea rsi, [rip + _end]",
    "sub rsi, rdi",
    "mov edx, {populate}",
    "mov eax, {madvise}",
    "syscall",
    // The same for the part of the stack that a decision needs, which the system has mapped already.
    "lea rdi, [rsp - {stack}]",
    "and rdi, -{page}",
    "mov esi, {stack}",
    "mov eax, {madvise}",
    "syscall",
    "mov rdx, r8",
    "jmp _start",
    ".size smcp_entry, . - smcp_entry",
    // In place of the C library's own: `(char *) -1`, which is its word for a place that is not known.
    ".globl _dl_get_origin",
    ".type _dl_get_origin, @function",
    "_dl_get_origin:",
    "mov rax, -1",
    "ret",
    ".size _dl_get_origin, . - _dl_get_origin",
    page = const 4096,
    stack = const 14 * 4096,
    populate = const nix::libc::MADV_POPULATE_WRITE,
    madvise = const nix::libc::SYS_madvise,
);

/// Asks for the pages of the heap that the C library has made so far. A decision uses them all.
pub(crate) fn ask_for_heap() {
    /// Bytes; the first heap has a little more.
    const HEAP: usize = 32 * 4096;
    // SAFETY: with zero the call only says where the heap ends.
    let end = unsafe { nix::libc::sbrk(0) };
    // SAFETY: the advice changes no byte, and a place that is not mapped is an error, which changes nothing either.
    unsafe { nix::libc::madvise(end.wrapping_byte_sub(HEAP), HEAP, nix::libc::MADV_POPULATE_WRITE) };
}
