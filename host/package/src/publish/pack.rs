//! A surveyed directory as a tar.gz that depends on its contents alone.
//!
//! Sorted, without times, owners or local modes.

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

use crate::blobs::open_file;
use crate::directory::DirectoryRegistry;
use crate::error::PackageError;
use crate::publish::survey::Survey;
use crate::publish::survey::unreadable;
use crate::stream::HashedWriter;
use crate::stream::recover;
use crate::unpack::ArchiveError;
use crate::unpack::Kind;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// What was written.
pub(super) struct Packed {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// Regular files, and their bytes before they were compressed.
    pub(super) files: usize,
    pub(super) unpacked: u64,
}

/// Packs what a survey found in `dir` into `out`.
pub(super) fn pack(
    dir: &Dir,
    survey: &Survey,
    out: &mut dyn Write,
    label: &str,
    registry: &DirectoryRegistry,
) -> Result<Packed, PackageError> {
    let gzip = GzEncoder::new(HashedWriter::new(out), Compression::default());
    let mut packing = Packing { archive: Builder::new(gzip), files: 0, total: 0, label, registry };
    for (path, kind) in &survey.entries {
        match kind {
            Kind::File => packing.file(dir, path)?,
            Kind::Folder => packing.folder(path)?,
        }
    }
    let Packing { archive, files, total, .. } = packing;
    let finished = archive.into_inner().and_then(GzEncoder::finish);
    let (digest, size) = finished.map_err(registry.failed("write to it"))?.finish();
    if size > limits::BUNDLE {
        let problem = format!("the bundle has {size} bytes; at most {} are allowed", limits::BUNDLE);
        return Err(PackageError::Unpublishable { label: label.to_owned(), problem });
    }
    Ok(Packed { digest, size, files, unpacked: total })
}

struct Packing<'p, W: Write> {
    archive: Builder<GzEncoder<HashedWriter<W>>>,
    files: usize,
    total: u64,
    label: &'p str,
    registry: &'p DirectoryRegistry,
}

impl<W: Write> Packing<'_, W> {
    fn folder(&mut self, path: &str) -> Result<(), PackageError> {
        let path = format!("{path}/");
        let result = self.archive.append_data(&mut header(EntryType::Directory, 0o755, 0), &path, io::empty());
        result.map_err(|error| self.write_failed(&path, error))
    }

    fn file(&mut self, dir: &Dir, path: &str) -> Result<(), PackageError> {
        let label = self.label;
        let unreadable = |error| unreadable(label, path, error);
        let Some(file) = open_file(dir, path).map_err(unreadable)? else {
            return Err(self.refuse(path, "vanished while it was packed"));
        };
        let metadata = file.metadata().map_err(unreadable)?;
        let (size, executable) = (metadata.len(), metadata.permissions().mode() & 0o100 != 0);
        self.files = self.files.saturating_add(1);
        self.total = self.total.saturating_add(size);
        if self.total > limits::BUNDLE_UNPACKED {
            return Err(self.not_allowed(ArchiveError::TooManyBytes { limit: limits::BUNDLE_UNPACKED }));
        }
        let mode = if executable { 0o755 } else { 0o644 };
        let mut contents = Watched { inner: file.take(size), count: 0, unreadable };
        let result = self.archive.append_data(&mut header(EntryType::Regular, mode, size), path, &mut contents);
        let count = contents.count;
        result.map_err(|error| self.write_failed(path, error))?;
        if count == size { Ok(()) } else { Err(self.refuse(path, "changed while it was packed")) }
    }

    fn write_failed(&self, path: &str, error: io::Error) -> PackageError {
        recover(error, self.registry.failed(format!("write `{path}` to it")))
    }

    fn refuse(&self, path: &str, problem: &str) -> PackageError {
        let problem = format!("`{}` {problem}", SafeText::new(path));
        PackageError::Unpublishable { label: self.label.to_owned(), problem }
    }

    fn not_allowed(&self, problem: ArchiveError) -> PackageError {
        PackageError::Unpublishable { label: self.label.to_owned(), problem: problem.to_string() }
    }
}

/// Counts what is read, so that a file that shrinks meanwhile is noticed, and tells its failures from the archive's.
struct Watched<R, F> {
    inner: R,
    count: u64,
    unreadable: F,
}

impl<R: io::Read, F: Fn(io::Error) -> PackageError> io::Read for Watched<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| io::Error::other((self.unreadable)(error)))?;
        self.count = self.count.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
