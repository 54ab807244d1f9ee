//! Unpacks the stream of a tar.gz into a folder, entry by entry.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use flate2::bufread::GzDecoder;
use tar::Archive;
use tar::EntryType;

use crate::unpack::ArchiveError;
use crate::unpack::EntryKind;
use crate::unpack::EntryName;
use crate::unpack::EntryTree;
use crate::unpack::check::MODE_BITS;
use crate::unpack::extend::Extensions;
use crate::unpack::index::FileTime;
use crate::unpack::index::Index;
use crate::unpack::index::IndexedFile;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_store::stream::CHUNK;
use smcp_store::stream::Halted;
use smcp_store::stream::HashedWriter;
use smcp_store::stream::Timed;

/// The size of a tar's block, bytes.
const BLOCK: u64 = 512;
/// The mode of a folder while it is filled, and of one that the server may write to.
const FOLDER_MODE: u32 = 0o700;
/// The mode of a file: its owner may only read it, so that it stays as it was hashed.
pub(super) const FILE_MODE: u32 = 0o400;
/// The mode of a file that its author made executable.
pub(super) const PROGRAM_MODE: u32 = 0o500;

/// Why unpacking failed: the archive, writing to the folder, or a deadline or interruption.
#[derive(Debug)]
pub(super) enum ExtractFailure {
    Archive(ArchiveError),
    Write(io::Error),
    Halted(Halted),
}

impl From<ArchiveError> for ExtractFailure {
    fn from(problem: ArchiveError) -> Self {
        Self::Archive(problem)
    }
}

/// Maps a failed read of the archive: an error of our own readers is kept, any other means damage.
pub(super) fn damaged(error: io::Error) -> ExtractFailure {
    match error.downcast::<Halted>() {
        Ok(halted) => ExtractFailure::Halted(halted),
        Err(error) => ArchiveError::Damaged { problem: SafeText::new(&error.to_string()) }.into(),
    }
}

fn broken(problem: &str) -> ExtractFailure {
    ArchiveError::Damaged { problem: SafeText::new(problem) }.into()
}

/// What an archive may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArchiveBounds {
    /// Entries, headers and the folders that they imply.
    pub(super) entries: usize,
    /// The contents of all files together, bytes.
    pub(super) bytes: u64,
}

/// What is done with the entries of an archive. Their names, kinds and sizes are allowed.
pub(super) trait EntrySink {
    /// Takes a folder, which is new; `entry` is the name of the entry that it is made for.
    fn folder(&mut self, path: &Path, entry: &EntryName) -> Result<(), ExtractFailure>;

    /// Takes a file; `time` is what an extended header says.
    fn file<R: Read>(
        &mut self,
        name: &EntryName,
        time: Option<FileTime>,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), ExtractFailure>;
}

/// Unpacks a whole tar.gz into `root`. Returns what it had.
pub(super) fn extract(source: impl Read, root: &Dir, deadline: &Deadline) -> Result<Index, ExtractFailure> {
    let bounds = ArchiveBounds { entries: limits::BUNDLE_ENTRIES, bytes: limits::BUNDLE_UNPACKED };
    walk(source, FolderSink::new(root), bounds, deadline).map(FolderSink::into_index)
}

/// Hands every entry of a tar.gz to `sink`: one gzip member, one tar, and nothing after either.
pub(super) fn walk<S: EntrySink>(
    source: impl Read,
    sink: S,
    bounds: ArchiveBounds,
    deadline: &Deadline,
) -> Result<S, ExtractFailure> {
    let gzip = GzDecoder::new(BufReader::new(source));
    let mut archive = Archive::new(Timed::new(gzip, deadline));
    let mut extraction = Extraction { sink, tree: EntryTree::bounded(bounds.entries), written: 0, bounds };
    let end = extraction.entries(&mut archive)?;
    let mut rest = archive.into_inner();
    // The end is a block of zeros. A tar without one was cut off between two entries.
    if rest.count() <= end {
        return Err(broken("it ends without an end mark"));
    }
    drain_zeros(&mut rest)?;
    let mut compressed = rest.into_inner().into_inner();
    if !compressed.fill_buf().map_err(damaged)?.is_empty() {
        return Err(broken("something follows its end"));
    }
    Ok(extraction.sink)
}

/// Reads the padding after the last entry: a limited number of zeros. Anything else would be visible to some readers
/// only.
fn drain_zeros(tar: &mut impl Read) -> Result<(), ExtractFailure> {
    match bounded::read_within(tar, limits::BUNDLE_PADDING, 0).map_err(damaged)? {
        Some(padding) if padding.iter().all(|byte| *byte == 0) => Ok(()),
        Some(_) | None => Err(broken("something follows the last entry")),
    }
}

struct Extraction<S> {
    sink: S,
    tree: EntryTree,
    written: u64,
    bounds: ArchiveBounds,
}

impl<S: EntrySink> Extraction<S> {
    /// Unpacks every entry. Returns the byte at which the last one ended.
    fn entries<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<u64, ExtractFailure> {
        let mut extensions = Extensions::default();
        let mut end = 0;
        for entry in archive.entries().map_err(damaged)?.raw(true) {
            let mut entry = entry.map_err(damaged)?;
            self.tree.count()?;
            end = entry.raw_file_position().saturating_add(entry.size().next_multiple_of(BLOCK));
            let kind = entry.header().entry_type();
            if kind.is_gnu_longname() {
                extensions.gnu_name(&mut entry)?;
            } else if kind.is_pax_local_extensions() {
                extensions.pax(&mut entry)?;
            } else if kind.is_pax_global_extensions() {
                Extensions::global(&mut entry)?;
            } else {
                let (name, time) = std::mem::take(&mut extensions).apply(&entry.path_bytes(), entry.size())?;
                self.entry(&name, time, &mut entry)?;
            }
        }
        if extensions.are_pending() {
            return Err(broken("it ends before an entry that it announces"));
        }
        Ok(end)
    }

    fn entry<R: Read>(
        &mut self,
        raw_name: &[u8],
        time: Option<FileTime>,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), ExtractFailure> {
        let name = EntryName::parse(raw_name)?;
        let kind = kind(entry.header().entry_type()).map_err(|kind| refused(&name, kind))?;
        if kind == EntryKind::File && raw_name.ends_with(b"/") {
            return Err(refused(&name, "a file with the name of a directory"));
        }
        if kind == EntryKind::Folder && entry.size() != 0 {
            return Err(refused(&name, "a directory with contents of its own"));
        }
        if name.is_root() {
            return if kind == EntryKind::Folder {
                Ok(())
            } else {
                Err(refused(&name, "the root, but not a directory"))
            };
        }
        for folder in self.tree.insert(&name, kind)? {
            self.sink.folder(&folder, &name)?;
        }
        if kind == EntryKind::Folder {
            return Ok(());
        }
        // An entry is as long as its header says, or the archive is broken. So an entry that is too long is refused
        // before it is written, even if it is small while compressed.
        self.written = self.written.saturating_add(entry.size());
        if self.written > self.bounds.bytes {
            return Err(ArchiveError::TooManyBytes { limit: self.bounds.bytes }.into());
        }
        self.sink.file(&name, time, entry)
    }
}

/// Writes the entries into a folder.
pub(super) struct FolderSink<'d> {
    root: &'d Dir,
    index: Index,
}

impl EntrySink for FolderSink<'_> {
    fn folder(&mut self, path: &Path, name: &EntryName) -> Result<(), ExtractFailure> {
        let mut builder = DirBuilder::new();
        builder.mode(FOLDER_MODE);
        self.root.create_dir_with(path, &builder).map_err(|error| write_failed(error, name))?;
        self.index.add_folder(&path.to_string_lossy()).ok_or_else(|| misplaced(name))
    }

    fn file<R: Read>(
        &mut self,
        name: &EntryName,
        time: Option<FileTime>,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), ExtractFailure> {
        let executable = entry.header().mode().map_err(damaged)? & 0o111 != 0;
        let own_time = || {
            let seconds = entry.header().mtime().ok()?.try_into().ok()?;
            Some(FileTime { seconds, nanoseconds: 0 })
        };
        let time = time.or_else(own_time);
        self.write(name, executable, time, |file| copy_entry(entry, file, name))
    }
}

impl<'d> FolderSink<'d> {
    /// Fills the folder `root`, which is empty.
    pub(super) fn new(root: &'d Dir) -> Self {
        Self { root, index: Index::default() }
    }

    /// What was written.
    pub(super) fn into_index(self) -> Index {
        self.index
    }

    /// Makes a file of what `fill` writes.
    pub(super) fn write(
        &mut self,
        name: &EntryName,
        executable: bool,
        time: Option<FileTime>,
        fill: impl FnOnce(&mut HashedWriter<std::fs::File>) -> Result<(), ExtractFailure>,
    ) -> Result<(), ExtractFailure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(if executable { PROGRAM_MODE } else { FILE_MODE });
        let file = self.root.open_with(name.full_path(), &options).map_err(|error| write_failed(error, name))?;
        let mut file = HashedWriter::new(file.into_std());
        fill(&mut file)?;
        let (file, digest, size) = file.into_parts();
        let found = at_time(&file, time).map_err(|error| write_failed(error, name))?;
        let (above, last) = name.split();
        let indexed = IndexedFile {
            name: last.to_owned(),
            mode: found.mode() & MODE_BITS,
            size,
            time: FileTime { seconds: found.mtime(), nanoseconds: found.mtime_nsec() },
            digest,
        };
        self.index.add_file(&above, indexed).ok_or_else(|| misplaced(name))
    }
}

/// Copies the contents of an entry, exactly as many bytes as its header says.
pub(super) fn copy_entry<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    file: &mut impl io::Write,
    name: &EntryName,
) -> Result<(), ExtractFailure> {
    let mut left = entry.size();
    let mut buffer = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
    while left > 0 {
        let read = entry.read(&mut buffer).map_err(damaged)?;
        let count = u64::try_from(read).unwrap_or(u64::MAX);
        if count == 0 {
            return Err(broken("it ends inside of an entry"));
        }
        file.write_all(buffer.get(..read).unwrap_or_default()).map_err(|error| write_failed(error, name))?;
        left = left.saturating_sub(count);
    }
    Ok(())
}

/// Gives a file the time that it has in the archive, where the file system can. Returns what it has then.
fn at_time(file: &std::fs::File, time: Option<FileTime>) -> io::Result<std::fs::Metadata> {
    if let Some(time) = time.and_then(FileTime::of_system)
        && let Err(error) = file.set_modified(time)
    {
        tracing::debug!(%error, "a file can't have the time that it has in the bundle");
    }
    file.metadata()
}

/// The folder of an entry was not made. It always is, before what is in it.
fn misplaced(name: &EntryName) -> ExtractFailure {
    let problem = "lies in a folder that was not made";
    ArchiveError::Collision { entry: SafeText::new(&name.to_string()), problem }.into()
}

/// Returns the kind of an entry, or the name of a type that is not allowed.
fn kind(entry: EntryType) -> Result<EntryKind, &'static str> {
    if entry.is_file() {
        Ok(EntryKind::File)
    } else if entry.is_dir() {
        Ok(EntryKind::Folder)
    } else if entry.is_symlink() {
        Err("a symbolic link")
    } else if entry.is_hard_link() || entry.is_gnu_longlink() {
        Err("a hard link")
    } else if entry.is_character_special() || entry.is_block_special() {
        Err("a device")
    } else if entry.is_fifo() {
        Err("a pipe")
    } else if entry.is_gnu_sparse() {
        Err("a sparse file")
    } else {
        Err("of an unknown kind")
    }
}

fn refused(name: &EntryName, kind: &'static str) -> ExtractFailure {
    ArchiveError::Kind { entry: SafeText::new(&name.to_string()), kind }.into()
}

pub(super) fn write_failed(error: io::Error, name: &EntryName) -> ExtractFailure {
    // The name is new to the tree, so the file system treats two names as the same.
    if error.kind() == io::ErrorKind::AlreadyExists {
        let problem = "is the same as another entry on this file system";
        return ArchiveError::Collision { entry: SafeText::new(&name.to_string()), problem }.into();
    }
    ExtractFailure::Write(error)
}
