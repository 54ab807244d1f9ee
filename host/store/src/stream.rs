//! Readers that watch what passes: the clock, the length, the digest.

use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;

use smcp_model::content;
use smcp_model::deadline::Deadline;
use smcp_model::deadline::Expired;
use smcp_model::digest::Digest;
use smcp_model::digest::Hasher;
use smcp_model::progress::Progress;

/// Bytes that are moved at once: many enough that the calls don't count, few enough that memory doesn't.
pub const CHUNK: usize = 64 * 1024;

/// Why one of our readers stops before the end. It travels inside of an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Halted {
    /// It took too long.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// Whoever asked for it wants it no longer.
    #[error("it was interrupted")]
    Interrupted,
}

/// Bytes that are not those that their digest promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not what its digest promises\n  expected {expected}\n  found    {found}")]
pub struct DigestMismatch {
    /// What was promised.
    pub expected: Digest,
    /// What the bytes have.
    pub found: Digest,
}

/// Checks that bytes have the digest that was promised.
///
/// # Errors
/// When they have another one.
pub fn check_digest(expected: &Digest, found: Digest) -> Result<(), DigestMismatch> {
    if found == *expected { Ok(()) } else { Err(DigestMismatch { expected: *expected, found }) }
}

/// Counts bytes, and fails when the deadline has passed.
#[derive(Debug)]
pub struct Timed<'d, R> {
    inner: R,
    deadline: &'d Deadline,
    count: u64,
}

impl<'d, R: Read> Timed<'d, R> {
    /// Reads from `inner` until the deadline.
    pub const fn new(inner: R, deadline: &'d Deadline) -> Self {
        Self { inner, deadline, count: 0 }
    }

    /// How many bytes have passed.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What is read from.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for Timed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.deadline.check().map_err(|expired| io::Error::other(Halted::from(expired)))?;
        let read = self.inner.read(buffer)?;
        self.count = self.count.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Tells somebody how far it is.
pub struct ProgressReader<'p, R> {
    inner: R,
    progress: &'p mut dyn Progress,
}

impl<R: fmt::Debug> fmt::Debug for ProgressReader<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressReader").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<'p, R: Read> ProgressReader<'p, R> {
    /// Reads from `inner`, and tells `progress`.
    pub fn new(inner: R, progress: &'p mut dyn Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for ProgressReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Fails when somebody wants it to stop.
pub struct Interruptible<'i, R> {
    inner: R,
    interrupted: &'i dyn Fn() -> bool,
}

impl<R: fmt::Debug> fmt::Debug for Interruptible<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interruptible").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<'i, R: Read> Interruptible<'i, R> {
    /// Reads from `inner` until it is `interrupted`.
    pub const fn new(inner: R, interrupted: &'i dyn Fn() -> bool) -> Self {
        Self { inner, interrupted }
    }
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.interrupted)() { Err(io::Error::other(Halted::Interrupted)) } else { self.inner.read(buffer) }
    }
}

/// Computes the digest of everything that is read.
#[derive(Debug)]
pub struct Hashed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Hashed<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, hasher: Hasher::default() }
    }

    /// Reads what is left, and tells the digest of the whole.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn drain(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.finish())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Computes the digest of everything that is written, and its length.
#[derive(Debug)]
pub struct HashedWriter<W> {
    inner: W,
    hasher: Hasher,
    count: u64,
}

impl<W: Write> HashedWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::default(), count: 0 }
    }

    /// The digest and the length of everything that was written.
    pub fn finish(self) -> (Digest, u64) {
        (self.hasher.finish(), self.count)
    }
}

impl<W: Write> Write for HashedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.count = self.count.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Keeps how a file begins, while it passes on its way to somebody else.
#[derive(Debug)]
pub struct Beginning<W> {
    inner: W,
    bytes: Vec<u8>,
}

impl<W: Write> Beginning<W> {
    /// Writes to `inner`.
    pub const fn new(inner: W) -> Self {
        Self { inner, bytes: Vec::new() }
    }

    /// Whoever it went to, and how it begins.
    pub fn finish(self) -> (W, Vec<u8>) {
        (self.inner, self.bytes)
    }
}

impl<W: Write> Write for Beginning<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        let missing = content::BEGINNING.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(written.min(missing)));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Copies everything, and says on which side a failure was.
///
/// # Errors
/// [`Halted`] when one of our readers says so, else what `read_failed` and `write_failed` make of it.
pub fn copy<E: From<Halted>>(
    from: &mut dyn Read,
    to: &mut dyn Write,
    read_failed: impl FnOnce(io::Error) -> E,
    write_failed: impl FnOnce(io::Error) -> E,
) -> Result<u64, E> {
    let mut buffer = vec![0; CHUNK];
    let mut count: u64 = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(count),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(recover(error, read_failed)),
        };
        if let Err(error) = to.write_all(buffer.get(..read).unwrap_or_default()) {
            return Err(write_failed(error));
        }
        count = count.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
}

/// What one of our readers sent through somebody else's code; otherwise what `meaning` makes of the error.
pub fn recover<E: From<Halted>>(error: io::Error, meaning: impl FnOnce(io::Error) -> E) -> E {
    error.downcast::<Halted>().map_or_else(meaning, E::from)
}
