//! Reports the progress of slow work to a display: downloads, and compiling.

/// Receives the progress of slow work, one piece after the other.
pub trait Progress {
    /// A download of `what` begins, of `total` bytes when that is known.
    fn begin(&mut self, what: &str, total: Option<u64>);

    /// Other work begins, in so many steps.
    fn begin_steps(&mut self, what: &str, steps: usize);

    /// So many more bytes have arrived, or steps were done. Zero says that the work goes on.
    fn advance(&mut self, more: u64);

    /// It is over, with success or not.
    fn end(&mut self);
}

/// Ignores the progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&mut self, _: &str, _: Option<u64>) {}

    fn begin_steps(&mut self, _: &str, _: usize) {}

    fn advance(&mut self, _: u64) {}

    fn end(&mut self) {}
}
