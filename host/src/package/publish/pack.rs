//! A directory as a tar.gz that depends on its contents alone.
//!
//! Sorted, without times, owners or local modes.

use std::io;
use std::io::Read as _;
use std::io::Write;

use cap_std::fs::Dir;
use cap_std::fs::DirEntry;
use cap_std::fs::FileType;
use cap_std::fs::FileTypeExt as _;
use cap_std::fs::PermissionsExt as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::Builder;
use tar::EntryType;
use tar::Header;

use crate::model::digest::Digest;
use crate::model::limits;
use crate::model::text::SafeText;
use crate::package::blobs::open_file;
use crate::package::directory::DirectoryRegistry;
use crate::package::error::PackageError;
use crate::package::stream::HashedWriter;
use crate::package::stream::recover;
use crate::package::unpack::ArchiveError;
use crate::package::unpack::EntryName;
use crate::package::unpack::Kind;
use crate::package::unpack::Tree;

/// Packs `dir` into `out`, and tells the digest and the length of what was written.
pub(super) fn pack(
    dir: &Dir,
    out: &mut dyn Write,
    label: &str,
    registry: &DirectoryRegistry,
) -> Result<(Digest, u64), PackageError> {
    let gzip = GzEncoder::new(HashedWriter::new(out), Compression::default());
    let mut packing = Packing { archive: Builder::new(gzip), tree: Tree::default(), total: 0, label, registry };
    packing.folder(dir, "")?;
    let finished = packing.archive.into_inner().and_then(GzEncoder::finish);
    let (digest, size) = finished.map_err(registry.failed("write to it"))?.finish();
    if size > limits::BUNDLE {
        let problem = format!("the bundle has {size} bytes; at most {} are allowed", limits::BUNDLE);
        return Err(PackageError::Unpublishable { label: label.to_owned(), problem });
    }
    Ok((digest, size))
}

struct Packing<'p, W: Write> {
    archive: Builder<GzEncoder<HashedWriter<W>>>,
    tree: Tree,
    total: u64,
    label: &'p str,
    registry: &'p DirectoryRegistry,
}

impl<W: Write> Packing<'_, W> {
    /// Adds everything in `dir`, whose path ends in a slash unless it is the root's, which is empty.
    fn folder(&mut self, dir: &Dir, path: &str) -> Result<(), PackageError> {
        let mut entries = Vec::new();
        for entry in dir.entries().map_err(|error| self.unreadable(path, error))? {
            let entry = entry.map_err(|error| self.unreadable(path, error))?;
            match entry.file_name().into_string() {
                Ok(name) => entries.push((name, entry)),
                Err(name) => {
                    return Err(self.refuse(&format!("{path}{}", name.display()), "has a name that is not UTF-8"));
                }
            }
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, entry) in entries {
            self.entry(dir, &name, &format!("{path}{name}"), &entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, dir: &Dir, name: &str, path: &str, entry: &DirEntry) -> Result<(), PackageError> {
        let kind = entry.file_type().map_err(|error| self.unreadable(path, error))?;
        let kind = if kind.is_dir() {
            Kind::Folder
        } else if kind.is_file() {
            Kind::File
        } else {
            return Err(self.refuse(path, what(kind)));
        };
        let parsed = EntryName::parse(path.as_bytes()).map_err(|problem| self.not_allowed(problem))?;
        self.tree.count().map_err(|problem| self.not_allowed(problem))?;
        self.tree.insert(&parsed, kind).map_err(|problem| self.not_allowed(problem))?;
        match kind {
            Kind::File => self.file(dir, name, path),
            Kind::Folder => {
                let inside = entry.open_dir().map_err(|error| self.unreadable(path, error))?;
                let path = format!("{path}/");
                let result = self.archive.append_data(&mut header(EntryType::Directory, 0o755, 0), &path, io::empty());
                result.map_err(|error| self.write_failed(&path, error))?;
                self.folder(&inside, &path)
            }
        }
    }

    fn file(&mut self, dir: &Dir, name: &str, path: &str) -> Result<(), PackageError> {
        let label = self.label;
        let unreadable = |error| unreadable(label, path, error);
        let Some(file) = open_file(dir, name).map_err(unreadable)? else {
            return Err(self.refuse(path, "vanished while it was packed"));
        };
        let metadata = file.metadata().map_err(unreadable)?;
        let (size, executable) = (metadata.len(), metadata.permissions().mode() & 0o100 != 0);
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

    fn unreadable(&self, path: &str, cause: io::Error) -> PackageError {
        unreadable(self.label, path, cause)
    }
}

fn unreadable(label: &str, path: &str, cause: io::Error) -> PackageError {
    let path = SafeText::new(if path.is_empty() { "." } else { path });
    PackageError::UnreadableSource { label: label.to_owned(), path, cause }
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

fn what(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        "is a symbolic link; a bundle may hold regular files and directories only"
    } else if kind.is_fifo() {
        "is a pipe; a bundle may hold regular files and directories only"
    } else if kind.is_socket() {
        "is a socket; a bundle may hold regular files and directories only"
    } else {
        "is a device; a bundle may hold regular files and directories only"
    }
}
