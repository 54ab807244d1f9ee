//! Packs a surveyed directory into a tar.gz that depends on its contents alone.
//!
//! Entries are sorted, and have no times, owners or local modes.

use std::io;
use std::io::Read as _;
use std::io::Write;

use cap_std::fs::Dir;
use cap_std::fs::PermissionsExt as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::Builder;
use tar::EntryType;
use tar::Header;

use crate::error::BundleError;
use crate::error::BundleErrorKind;
use crate::pack::survey::Survey;
use crate::pack::survey::unreadable;
use crate::unpack::ArchiveError;
use crate::unpack::EntryKind;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;
use smcp_store::stream::HashedWriter;

/// The bundle that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Digest of the bundle.
    pub digest: Digest,
    /// Its length, bytes.
    pub size: u64,
    /// The number of regular files in it.
    pub files: usize,
    /// Their total size before compression, bytes.
    pub unpacked: u64,
}

/// Packs the entries of a survey of `dir` into `out`, for the package with this label.
///
/// # Errors
/// When a file can't be read, has changed meanwhile, or makes the bundle too large. When `out` fails, the result of
/// `write_failed` for the attempted step and the error.
pub fn pack<E: From<BundleError>>(
    dir: &Dir,
    survey: &Survey,
    out: &mut dyn Write,
    label: &str,
    write_failed: impl Fn(String, io::Error) -> E,
) -> Result<Packed, E> {
    let gzip = GzEncoder::new(HashedWriter::new(out), Compression::default());
    let mut packing = Packing { archive: Builder::new(gzip), files: 0, total: 0, label, write_failed };
    for (path, kind) in &survey.entries {
        match kind {
            EntryKind::File => packing.file(dir, path)?,
            EntryKind::Folder => packing.folder(path)?,
        }
    }
    let Packing { archive, files, total, write_failed, .. } = packing;
    let finished = archive.into_inner().and_then(GzEncoder::finish);
    let (digest, size) = finished.map_err(|error| write_failed("write to it".to_owned(), error))?.finish();
    if size > limits::BUNDLE {
        let problem = format!("the bundle has {size} bytes; at most {} are allowed", limits::BUNDLE);
        return Err(BundleErrorKind::Unpublishable(problem).of(label).into());
    }
    Ok(Packed { digest, size, files, unpacked: total })
}

struct Packing<'p, W: Write, F> {
    archive: Builder<GzEncoder<HashedWriter<W>>>,
    files: usize,
    total: u64,
    label: &'p str,
    write_failed: F,
}

impl<W: Write, E: From<BundleError>, F: Fn(String, io::Error) -> E> Packing<'_, W, F> {
    fn folder(&mut self, path: &str) -> Result<(), E> {
        let path = format!("{path}/");
        let result = self.archive.append_data(&mut header(EntryType::Directory, 0o755, 0), &path, io::empty());
        result.map_err(|error| self.failed(&path, error))
    }

    fn file(&mut self, dir: &Dir, path: &str) -> Result<(), E> {
        let label = self.label;
        let unreadable = |error| unreadable(label, path, error);
        let Some(file) = open_file(dir, path).map_err(unreadable)? else {
            return Err(self.refuse(path, "vanished while it was packed").into());
        };
        let metadata = file.metadata().map_err(unreadable)?;
        let (size, executable) = (metadata.len(), metadata.permissions().mode() & 0o100 != 0);
        self.files = self.files.saturating_add(1);
        self.total = self.total.saturating_add(size);
        if self.total > limits::BUNDLE_UNPACKED {
            let problem = ArchiveError::TooManyBytes { limit: limits::BUNDLE_UNPACKED }.to_string();
            return Err(BundleErrorKind::Unpublishable(problem).of(label).into());
        }
        let mode = if executable { 0o755 } else { 0o644 };
        let mut contents = CountedFile { inner: file.take(size), count: 0, unreadable };
        let result = self.archive.append_data(&mut header(EntryType::Regular, mode, size), path, &mut contents);
        let count = contents.count;
        result.map_err(|error| self.failed(path, error))?;
        if count == size { Ok(()) } else { Err(self.refuse(path, "changed while it was packed").into()) }
    }

    /// Tells two failures apart: an error of the file, which the archive's code passed on, or an error of the output.
    fn failed(&self, path: &str, error: io::Error) -> E {
        let write_failed = |error| (self.write_failed)(format!("write `{path}` to it"), error);
        error.downcast::<BundleError>().map_or_else(write_failed, E::from)
    }

    fn refuse(&self, path: &str, problem: &str) -> BundleError {
        BundleErrorKind::Unpublishable(format!("`{}` {problem}", SafeText::new(path))).of(self.label)
    }
}

/// Counts the bytes of a file, so that shrinking is noticed, and marks its errors, to tell them from the archive's.
struct CountedFile<R, F> {
    inner: R,
    count: u64,
    unreadable: F,
}

impl<R: io::Read, F: Fn(io::Error) -> BundleError> io::Read for CountedFile<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| io::Error::other((self.unreadable)(error)))?;
        self.count = self.count.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

pub(crate) fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
