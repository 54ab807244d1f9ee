//! The program, arguments and environment of a server, laid out for `execve`.
//!
//! `via_reaper` lays it out from the plan; `reaper` executes it in a fork, where nothing may be allocated any more. The
//! standard library would call `execvp` instead, which hands a file that the system can't execute to a shell. A file
//! that is not a program must not be started as one.

#![expect(unsafe_code, reason = "`execve` takes arrays of pointers")]

use std::ffi::CString;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::ffi::c_char;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::libc;

/// A program, its arguments and its environment. It has no `Debug`, because it holds secrets.
pub(crate) struct Image {
    arguments: Array,
    environment: Array,
}

impl Image {
    /// Lays out a program. As usual, its path is also its first argument.
    pub(crate) fn new<'a>(
        program: &'a Path,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        environment: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
    ) -> io::Result<Self> {
        let arguments = std::iter::once(program.as_os_str()).chain(arguments).map(OsStr::to_os_string);
        let environment = environment.into_iter().map(|(name, value)| {
            let mut variable = name.to_os_string();
            variable.push("=");
            variable.push(value);
            variable
        });
        let text = |text: OsString| CString::new(text.into_vec()).map_err(io::Error::from);
        Ok(Self {
            arguments: Array::new(arguments.map(text).collect::<io::Result<_>>()?),
            environment: Array::new(environment.map(text).collect::<io::Result<_>>()?),
        })
    }

    /// Turns this process into the program. Returns only when that fails. `token` stands in the arguments of the call
    /// that the system does not use, for a filter that asks for it.
    pub(super) fn execute(&self, token: [u64; 3]) -> io::Error {
        let program = self.arguments.pointers.first().copied().unwrap_or(std::ptr::null());
        let [first, second, third] = token;
        // SAFETY: the path is a C string, or null, which the system answers with an error; both arrays end with null,
        // and what they point to lives as long as `self`. The rest are integers.
        unsafe {
            libc::syscall(
                libc::SYS_execve,
                program,
                self.arguments.pointers.as_ptr(),
                self.environment.pointers.as_ptr(),
                first,
                second,
                third,
            )
        };
        Errno::last().into()
    }
}

/// C strings, as an array of pointers that ends with null.
struct Array {
    /// Owns what the pointers point to: each string is on the heap and does not move.
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

// SAFETY: the pointers lead to strings that the array owns and that never change; nothing in it belongs to one thread.
unsafe impl Send for Array {}
// SAFETY: as above; it is only read.
unsafe impl Sync for Array {}

impl Array {
    fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Self { _strings: strings, pointers }
    }
}
