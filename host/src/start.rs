//! The function that the C library calls, in place of that of Rust's library.
//!
//! Rust's library does four things before it calls `main`. Two are done here: the standard streams are there, and writing
//! to a pipe that nobody reads is an error and not the end. The others are left out: it names the main thread, and it gets
//! ready to say which stack has overflowed, for which it looks up in `/proc/self/maps` where each thread's stack ends. That
//! takes 60 of the 600 µs in which a Rust program without shared libraries prints a line (docs/decisions/0070). A stack that
//! overflows ends the process here too, by SIGSEGV: the page behind it is not mapped.

#![expect(unsafe_code, reason = "the C library calls a function by its name, and the standard streams are numbers")]

use std::ffi::c_char;
use std::ffi::c_int;
use std::io;
use std::io::Write as _;
use std::panic;
use std::process;

use nix::libc;
use nix::sys::signal::SigHandler;
use nix::sys::signal::Signal;
use nix::sys::signal::signal;

/// The end of a program that has panicked, as Rust's library has it.
const PANICKED: u8 = 101;

/// Begins the program. The arguments are those that the standard library knows, which the C library hands to it before.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    hold_standard_streams();
    // SAFETY: no handler is installed. The call fails for no such signal.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    let code = panic::catch_unwind(crate::run).unwrap_or(PANICKED);
    // What is left in its buffer; who has written there has heard of an error before.
    let _ = io::stdout().flush();
    code.into()
}

/// Opens `/dev/null` for each standard stream that is closed. The next file that is opened would get its number, and be
/// written to by whoever writes to the stream.
fn hold_standard_streams() {
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: the call asks for the flags of a descriptor, which need not be open.
        let is_open = unsafe { libc::fcntl(stream, libc::F_GETFD) } != -1;
        // SAFETY: the path is a text that ends with a zero. What is opened gets the lowest number that is free, this one.
        if !is_open && unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } != stream {
            process::abort();
        }
    }
}
