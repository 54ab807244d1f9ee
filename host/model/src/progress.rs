//! Reports the progress of downloads to a display.

/// Receives the progress of downloads, one after the other.
pub trait Progress {
    /// A download of `what` begins, of `total` bytes when that is known.
    fn begin(&mut self, what: &str, total: Option<u64>);

    /// So many more bytes have arrived.
    fn advance(&mut self, bytes: u64);

    /// The download is over, with success or not.
    fn end(&mut self);
}

/// Ignores the progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&mut self, _: &str, _: Option<u64>) {}

    fn advance(&mut self, _: u64) {}

    fn end(&mut self) {}
}
