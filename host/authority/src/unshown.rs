//! Reads a line at the terminal that is not shown while it is typed.

use std::io;
use std::io::Read;

use nix::errno::Errno;
use nix::sys::termios::LocalFlags;
use nix::sys::termios::SetArg;
use nix::sys::termios::Termios;
use nix::sys::termios::tcgetattr;
use nix::sys::termios::tcsetattr;

use crate::stdin;

/// Reads a line of at most `limit` bytes from standard input, a terminal, which doesn't show it. `ask` shows the question,
/// when nothing that is typed is shown any more. An interrupt or the end of the input is an error. The terminal is
/// afterwards as it was.
///
/// # Ambient authority
/// Reads what the process was given, and changes it for that time.
///
/// # Errors
/// When standard input is no terminal, or the user gives up.
pub fn read_unshown(limit: usize, ask: impl FnOnce() -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut input = stdin()?;
    let before = tcgetattr(&input).map_err(io_error)?;
    let mut quiet = before.clone();
    // Keys that would end the program come as bytes, so that it is never left with a terminal that shows nothing.
    quiet.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
    let _restored = Restored { input: input.try_clone()?, before };
    tcsetattr(&input, SetArg::TCSAFLUSH, &quiet).map_err(io_error)?;
    ask()?;
    line(&mut input, limit)
}

/// Puts a terminal back into its state when it is dropped.
struct Restored {
    input: std::fs::File,
    before: Termios,
}

impl Drop for Restored {
    fn drop(&mut self) {
        // Nothing helps a terminal that is gone.
        let _ = tcsetattr(&self.input, SetArg::TCSAFLUSH, &self.before);
    }
}

fn io_error(errno: Errno) -> io::Error {
    errno.into()
}

/// Reads a line as a terminal would: with a key that takes the last character back, and one that takes all back.
fn line(input: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const ERASE: [u8; 2] = [0x08, 0x7f];
    const KILL: u8 = 0x15;
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        if input.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match byte {
            [INTERRUPT | END] => return Err(io::Error::new(io::ErrorKind::Interrupted, "nothing was entered")),
            [b'\n' | b'\r'] => return Ok(line),
            [KILL] => line.clear(),
            [erase] if ERASE.contains(&erase) => {
                // A whole character of UTF-8.
                while line.pop().is_some_and(|last| last & 0xc0 == 0x80) {}
            }
            [byte] => line.push(byte),
        }
        if line.len() > limit {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is too long"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_is_left_when_it_ends() {
        let read = |text: &str| line(&mut text.as_bytes(), 8).ok().map(|line| String::from_utf8(line).unwrap());
        for (typed, expected) in [
            ("abc\nrest", Some("abc")),
            ("abc\r", Some("abc")),
            ("ab\u{7f}c\n", Some("ac")),
            ("aü\u{8}b\n", Some("ab")),
            ("\u{7f}a\n", Some("a")),
            ("abc\u{15}d\n", Some("d")),
            ("abc\u{3}\n", None),
            ("abc\u{4}\n", None),
            ("abc", None),
            ("123456789\n", None),
        ] {
            assert_eq!(read(typed).as_deref(), expected, "{typed:?}");
        }
    }
}
