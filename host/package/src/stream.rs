//! Readers that watch what passes: the clock, the length, the digest.

use std::io;
use std::io::Read;
use std::io::Write;

use crate::error::PackageError;
use smcp_model::content;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::digest::Hasher;
use smcp_model::progress::Progress;

/// Bytes that are moved at once: many enough that the calls don't count, few enough that memory doesn't.
pub(super) const CHUNK: usize = 64 * 1024;

/// Counts bytes, and fails when the deadline has passed.
pub(super) struct Timed<'d, R> {
    inner: R,
    deadline: &'d Deadline,
    count: u64,
}

impl<'d, R: Read> Timed<'d, R> {
    pub(super) const fn new(inner: R, deadline: &'d Deadline) -> Self {
        Self { inner, deadline, count: 0 }
    }

    /// How many bytes have passed.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for Timed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.deadline.check().map_err(|expired| io::Error::other(PackageError::from(expired)))?;
        let read = self.inner.read(buffer)?;
        self.count = self.count.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Tells somebody how far it is.
pub(super) struct Watched<'p, R> {
    inner: R,
    progress: &'p mut dyn Progress,
}

impl<'p, R: Read> Watched<'p, R> {
    pub(super) fn new(inner: R, progress: &'p mut dyn Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Fails when somebody wants it to stop.
pub(super) struct Interruptible<'i, R> {
    inner: R,
    interrupted: &'i dyn Fn() -> bool,
}

impl<'i, R: Read> Interruptible<'i, R> {
    pub(super) const fn new(inner: R, interrupted: &'i dyn Fn() -> bool) -> Self {
        Self { inner, interrupted }
    }
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.interrupted)() { Err(io::Error::other(PackageError::Interrupted)) } else { self.inner.read(buffer) }
    }
}

/// Computes the digest of everything that is read.
pub(super) struct Hashed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Hashed<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hasher: Hasher::default() }
    }

    /// Reads what is left, and tells the digest of the whole.
    pub(super) fn drain(mut self) -> io::Result<Digest> {
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
pub(super) struct HashedWriter<W> {
    inner: W,
    hasher: Hasher,
    count: u64,
}

impl<W: Write> HashedWriter<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::default(), count: 0 }
    }

    /// The digest and the length of everything that was written.
    pub(super) fn finish(self) -> (Digest, u64) {
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
pub(super) struct Beginning<W> {
    inner: W,
    bytes: Vec<u8>,
}

impl<W: Write> Beginning<W> {
    pub(super) const fn new(inner: W) -> Self {
        Self { inner, bytes: Vec::new() }
    }

    /// Whoever it went to, and how it begins.
    pub(super) fn finish(self) -> (W, Vec<u8>) {
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
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    read_failed: impl FnOnce(io::Error) -> PackageError,
    write_failed: impl FnOnce(io::Error) -> PackageError,
) -> Result<u64, PackageError> {
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

/// The error that one of our readers sent through somebody else's code; otherwise what `meaning` makes of it.
pub(super) fn recover(error: io::Error, meaning: impl FnOnce(io::Error) -> PackageError) -> PackageError {
    error.downcast::<PackageError>().unwrap_or_else(meaning)
}
