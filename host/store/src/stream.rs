//! Readers and writers that check a deadline, count bytes or compute a digest.

use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;

use smcp_model::content;
use smcp_model::deadline::Deadline;
use smcp_model::deadline::Expired;
use smcp_model::digest::Digest;
use smcp_model::digest::Hasher;
use smcp_model::number;
use smcp_model::progress::Progress;

/// The size of one read, bytes: large enough that the calls cost little, small enough that memory does.
pub const CHUNK: usize = 64 * 1024;
/// How much is read at first, bytes.
const FIRST_CHUNK: usize = 4 * 1024;

/// Why one of our readers stops before the end. It is passed on inside of an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Halted {
    /// The deadline has passed.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// The user has interrupted it.
    #[error("it was interrupted")]
    Interrupted,
}

/// The bytes have another digest than the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not what its digest promises\n  expected {expected}\n  found    {found}")]
pub struct DigestMismatch {
    /// The expected digest.
    pub expected: Digest,
    /// The digest of the bytes.
    pub found: Digest,
}

/// Checks that the bytes have the expected digest.
///
/// # Errors
/// When they have another one.
pub fn check_digest(expected: &Digest, found: Digest) -> Result<(), DigestMismatch> {
    if found == *expected { Ok(()) } else { Err(DigestMismatch { expected: *expected, found }) }
}

/// A reader that counts bytes, and fails when the deadline has passed.
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

    /// How many bytes were read.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the inner reader.
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

/// A reader that reports its progress.
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
    /// Reads from `inner`, and reports to `progress`.
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

/// A reader that fails when it is interrupted.
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
    /// Reads from `inner` until `interrupted` returns true.
    pub const fn new(inner: R, interrupted: &'i dyn Fn() -> bool) -> Self {
        Self { inner, interrupted }
    }
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.interrupted)() { Err(io::Error::other(Halted::Interrupted)) } else { self.inner.read(buffer) }
    }
}

/// A reader that computes the digest of everything that is read.
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

    /// Reads the rest, and returns the digest of the whole.
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

/// A writer that computes the digest and the length of everything that is written.
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

    /// Returns the digest and the length of everything that was written.
    pub fn finish(self) -> (Digest, u64) {
        let (_, digest, count) = self.into_parts();
        (digest, count)
    }

    /// Returns the inner writer with them.
    pub fn into_parts(self) -> (W, Digest, u64) {
        (self.inner, self.hasher.finish(), self.count)
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

/// A writer that remembers the first bytes that it passes on.
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

    /// Returns the inner writer, and the first bytes: at most [`content::BEGINNING`].
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

/// Copies everything, and keeps errors of reading and writing apart.
///
/// # Errors
/// [`Halted`] when one of our readers has stopped; other errors are converted by `read_failed` and `write_failed`.
pub fn copy<E: From<Halted>>(
    from: &mut dyn Read,
    to: &mut dyn Write,
    read_failed: impl FnOnce(io::Error) -> E,
    write_failed: impl FnOnce(io::Error) -> E,
) -> Result<u64, E> {
    // Most of what is copied is a manifest or an answer: memory that is used for the first time is not for nothing.
    let mut buffer = vec![0; FIRST_CHUNK];
    let mut count: u64 = 0;
    loop {
        if count >= number::wide(FIRST_CHUNK) {
            buffer.resize(CHUNK, 0);
        }
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

/// Returns the [`Halted`] that one of our readers put into an I/O error. Other errors are converted by `meaning`.
pub fn recover<E: From<Halted>>(error: io::Error, meaning: impl FnOnce(io::Error) -> E) -> E {
    error.downcast::<Halted>().map_or_else(meaning, E::from)
}
