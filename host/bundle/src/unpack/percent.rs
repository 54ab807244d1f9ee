//! Reports how much of a bundle was unpacked.

use std::io;
use std::io::Read;

use smcp_model::number;
use smcp_model::progress::Progress;

/// The steps that are reported.
const STEPS: usize = 100;

/// A reader of a file of known size, which reports each hundredth of it.
pub(super) struct Percent<'p, R> {
    inner: R,
    size: u64,
    read: u64,
    progress: &'p mut dyn Progress,
}

impl<'p, R: Read> Percent<'p, R> {
    /// Begins to read the bundle of a package.
    pub(super) fn begin(inner: R, size: u64, label: &str, progress: &'p mut dyn Progress) -> Self {
        progress.begin_steps(&format!("unpacking {label}"), STEPS);
        Self { inner, size, read: 0, progress }
    }

    fn done(&self) -> u64 {
        self.read.saturating_mul(number::wide(STEPS)).checked_div(self.size).unwrap_or_default()
    }
}

impl<R: Read> Read for Percent<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.done();
        let read = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(number::wide(read));
        self.progress.advance(self.done().saturating_sub(before));
        Ok(read)
    }
}

impl<R> Drop for Percent<'_, R> {
    fn drop(&mut self) {
        self.progress.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<u64>, usize);

    impl Progress for Seen {
        fn begin(&mut self, _: &str, _: Option<u64>) {}

        fn begin_steps(&mut self, what: &str, steps: usize) {
            assert_eq!((what, steps), ("unpacking acme/tool@1.0.0", STEPS));
        }

        fn advance(&mut self, more: u64) {
            self.0.push(more);
        }

        fn end(&mut self) {
            self.1 += 1;
        }
    }

    #[test]
    fn all_of_a_file_is_a_hundred_steps() {
        for size in [0_usize, 1, 99, 1000] {
            let (bytes, mut seen) = (vec![0; size], Seen::default());
            let mut reader = Percent::begin(bytes.as_slice(), number::wide(size), "acme/tool@1.0.0", &mut seen);
            io::copy(&mut reader, &mut io::sink()).unwrap();
            drop(reader);
            assert_eq!((seen.0.iter().sum::<u64>(), seen.1), (if size == 0 { 0 } else { 100 }, 1), "{size}");
        }
    }
}
