//! Writes answers to standard output, whose reader may leave early.
//!
//! A reader that leaves (`smcp cache ls | head`) changes neither the answer nor the exit code: what is written after
//! that is dropped. Every other error is reported.

use std::io;
use std::io::Write;

/// A writer whose reader may leave.
#[derive(Debug)]
pub(super) struct AnswerWriter<W>(pub(super) W);

impl<W: Write> Write for AnswerWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_left(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_left(self.0.flush(), ())
    }
}

fn unless_left<T>(written: io::Result<T>, instead: T) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(instead),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that always fails with the same error.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn only_a_reader_that_left_is_no_failure() {
        let kinds =
            [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull, io::ErrorKind::WriteZero, io::ErrorKind::Other];
        for kind in kinds {
            let mut answer = AnswerWriter(Failing(kind));
            let results = (answer.write_all(b"answer").is_ok(), answer.flush().is_ok());
            let left = kind == io::ErrorKind::BrokenPipe;
            assert_eq!(results, (left, left), "{kind}");
        }
    }
}
