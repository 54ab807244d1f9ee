//! What somebody may want to see of a download; nobody here knows who looks.

/// Watches downloads, one after the other.
pub trait Progress {
    /// A download of `what` begins, of `total` bytes when that is known.
    fn begin(&mut self, what: &str, total: Option<u64>);

    /// So many bytes more are here.
    fn advance(&mut self, bytes: u64);

    /// The download is over, whether it went well or not.
    fn end(&mut self);
}

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&mut self, _: &str, _: Option<u64>) {}

    fn advance(&mut self, _: u64) {}

    fn end(&mut self) {}
}
