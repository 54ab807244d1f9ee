//! Unpacks a verified bundle into a folder of regular files, and nothing else.
//!
//! `fetch` has verified the bundle. It is hashed again as it is read here, so the files that run are the files that
//! were hashed. `launch` starts a server in the folder. It is removed at the end of the run, or kept as a tree beside its
//! index, and then checked against it before each start, see [`kept`](crate::unpack::kept).

mod check;
mod extend;
mod extract;
mod files;
mod index;
mod kept;
mod left;
mod name;
mod percent;
mod tree;
mod unzip;

pub use crate::unpack::files::read_one;
pub use crate::unpack::files::read_set;
pub use crate::unpack::kept::TreeFound;
pub use crate::unpack::kept::kept;
pub use crate::unpack::left::Left;
pub use crate::unpack::left::LeftBehind;
pub(crate) use crate::unpack::name::EntryName;
pub(crate) use crate::unpack::tree::EntryKind;
pub(crate) use crate::unpack::tree::EntryTree;

use std::fmt;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;

use crate::error::BundleErrorKind;
use crate::error::UnpackError;
use crate::mcpb::McpbError;
use crate::unpack::extract::ExtractFailure;
use crate::unpack::extract::FILE_MODE;
use crate::unpack::extract::PROGRAM_MODE;
use crate::unpack::index::Index;
use crate::unpack::left::Contents;
use crate::unpack::percent::Percent;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;
use smcp_store::Cache;
use smcp_store::KeptTree;
use smcp_store::RunFolder;
use smcp_store::Seal;
use smcp_store::StoreError;
use smcp_store::Trees;
use smcp_store::folder::make_read_only;
use smcp_store::stream::Hashed;
use smcp_store::stream::Interruptible;
use smcp_store::stream::Timed;
use smcp_store::stream::check_digest;

/// Why a bundle can't be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// An entry is neither a file nor a directory.
    #[error("`{entry}` is {kind}; only regular files and directories are allowed")]
    Kind {
        /// The entry.
        entry: SafeText,
        /// Its type.
        kind: &'static str,
    },
    /// An entry's name is not allowed.
    #[error("the entry name `{entry}` {problem}")]
    Name {
        /// The name.
        entry: SafeText,
        /// The problem with it.
        problem: &'static str,
    },
    /// An entry has the place of another one.
    #[error("`{entry}` {problem}")]
    Collision {
        /// The entry.
        entry: SafeText,
        /// How they collide.
        problem: &'static str,
    },
    /// It has too many entries.
    #[error("it has more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// It is too large.
    #[error("it has more than {limit} bytes unpacked")]
    TooManyBytes {
        /// The limit, bytes.
        limit: u64,
    },
    /// An extended header is not valid.
    #[error("an extended header {problem}")]
    Header {
        /// What is wrong.
        problem: &'static str,
    },
    /// It is no MCP bundle that could be read.
    #[error(transparent)]
    Mcpb(#[from] McpbError),
    /// It is not a complete tar.gz.
    #[error("it is truncated or damaged: {problem}")]
    Damaged {
        /// What is wrong.
        problem: SafeText,
    },
}

/// Whether a server may write beside its program.
#[derive(Debug, Clone, Copy)]
pub enum BundleFolders<'k> {
    /// What it writes is lost at the end of the run.
    Writable,
    /// It is refused, unless root does it. With a keeper, the files may stay for further runs.
    ReadOnly(Option<Keeper<'k>>),
}

/// Where unpacked bundles stay, and how their indexes are sealed.
#[derive(Debug, Clone, Copy)]
pub struct Keeper<'k> {
    /// The folder of all trees.
    pub trees: &'k Trees,
    /// The seal of this user's smcp.
    pub seal: &'k dyn Seal,
}

/// A package's files, in the folder of a run, which is removed when this is dropped, or in a kept tree.
pub struct Unpacked {
    folder_dir: Dir,
    root: Dir,
    path: PathBuf,
    contents: Contents,
    // Last, so that the handle to the folder is closed before the folder is removed.
    place: UnpackPlace,
}

/// Where the files are.
enum UnpackPlace {
    /// Removed with the run.
    Run(RunFolder),
    /// Stays.
    Tree(KeptTree),
}

impl Unpacked {
    /// The bundle's root.
    pub const fn root(&self) -> &Dir {
        &self.root
    }

    /// The path of the bundle's root, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(place: UnpackPlace, folder_dir: Dir, contents: Contents) -> io::Result<Self> {
        let path = match &place {
            UnpackPlace::Run(folder) => folder.path(),
            UnpackPlace::Tree(tree) => tree.path(),
        };
        let (root, path) = bundle_root(folder_dir.try_clone()?, path)?;
        Ok(Self { folder_dir, root, path, contents, place })
    }

    /// Whether the files stay when the run has ended.
    pub const fn is_kept(&self) -> bool {
        matches!(self.place, UnpackPlace::Tree(_))
    }

    /// Looks for what is in the folder now and was not unpacked there.
    pub fn left(&self) -> Left {
        self.contents.left_in(&self.folder_dir)
    }

    /// Removes the files at the end of a run that `left` this. A kept tree stays if it is as it was unpacked, and if there is
    /// byte code in it, which is removed.
    pub fn clear(self, left: &Left) {
        let Self { place, .. } = self;
        match place {
            UnpackPlace::Run(folder) => drop(folder),
            UnpackPlace::Tree(tree) if left.lost.count > 0 => tree.discard(),
            UnpackPlace::Tree(tree) => tree.clean(&left.byte_code),
        }
    }
}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacked").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Unpacks a package's bundle into the new private folder of a run, and stops when it is `interrupted`. With a keeper, the
/// folder becomes a tree that stays, if it can.
///
/// # Errors
/// When the cached bundle is gone or no longer has its digest, when it holds something that a bundle may not, when the
/// folder can't be written, or when the deadline or an interruption ends it. Nothing is left behind.
pub fn unpack(
    cache: &Cache,
    folder: RunFolder,
    package: &ResolvedPackage,
    folders: BundleFolders<'_>,
    deadline: &Deadline,
    interrupted: &dyn Fn() -> bool,
    progress: &mut dyn Progress,
) -> Result<Unpacked, UnpackError> {
    deadline.check().map_err(StoreError::from)?;
    let digest = &package.bundle_digest;
    let Some(file) = cache.open(digest)? else {
        return Err(cache.failed("find the bundle in it")(io::ErrorKind::NotFound.into()).into());
    };
    let size = file.metadata().map_err(cache.failed("read the cached bundle"))?.len();
    let opened = folder.open()?;
    let mut reported = Percent::begin(file.take(limits::BUNDLE), size, &package.label(), progress);
    // An interruption is checked at each read: one buffer unpacks to a few megabytes at most, so the delay is short.
    let mut source = Hashed::new(Timed::new(Interruptible::new(&mut reported, interrupted), deadline));
    let extracted = if package.registry.has_mcp_bundles() {
        unzip::extract(&mut source, &opened, deadline, interrupted)
    } else {
        extract::extract(&mut source, &opened, deadline)
    };
    let extracted = match extracted {
        Ok(index) => Ok(index),
        Err(ExtractFailure::Archive(problem)) => Err(problem),
        Err(ExtractFailure::Write(error)) => return Err(folder.failed("write a file of the bundle")(error).into()),
        Err(ExtractFailure::Halted(halted)) => return Err(StoreError::from(halted).into()),
    };
    // A changed bundle is reported as changed, even if the change also broke the archive.
    let found = source.drain().map_err(cache.failed("read the cached bundle"))?;
    drop(reported);
    if let Err(mismatch) = check_digest(digest, found) {
        cache.remove(digest)?;
        return Err(BundleErrorKind::Changed(mismatch).of(package.label()).into());
    }
    let index = extracted.map_err(|problem| BundleErrorKind::Archive(problem).of(package.label()))?;
    let failed = cache.failed("look into what was unpacked");
    let place = match folders {
        BundleFolders::Writable => UnpackPlace::Run(folder),
        BundleFolders::ReadOnly(keeper) => settle(folder, &opened, &index, digest, keeper)?,
    };
    Ok(Unpacked::at(place, opened, Contents::of(&index)).map_err(failed)?)
}

/// Makes the folders of an unpacked bundle read-only, and keeps it if it can be kept.
fn settle(
    folder: RunFolder,
    opened: &Dir,
    index: &Index,
    bundle: &Digest,
    keeper: Option<Keeper<'_>>,
) -> Result<UnpackPlace, StoreError> {
    let failed = folder.failed("make its folders read-only");
    for below in index.folders.iter().filter(|below| !below.path.is_empty()) {
        opened.open_dir(&below.path).and_then(|dir| make_read_only(&dir)).map_err(failed)?;
    }
    // A file system without modes shows others than were asked for.
    let keeper = keeper.filter(|_| index.has_modes(&[FILE_MODE, PROGRAM_MODE]));
    let kept = match keeper {
        Some(Keeper { trees, seal }) => trees.keep(bundle, folder, opened, &index.sealed(bundle, seal))?,
        None => Err(folder),
    };
    match kept {
        Ok(tree) => Ok(UnpackPlace::Tree(tree)),
        Err(folder) => {
            make_read_only(opened).map_err(folder.failed("make it read-only"))?;
            Ok(UnpackPlace::Run(folder))
        }
    }
}

/// Returns the bundle's root: the folder, or the only directory in it, since archiving a whole directory makes such a
/// bundle.
fn bundle_root(folder: Dir, path: &Path) -> io::Result<(Dir, PathBuf)> {
    let mut entries = folder.entries()?;
    let (Some(only), None) = (entries.next().transpose()?, entries.next()) else {
        return Ok((folder, path.to_path_buf()));
    };
    if !only.file_type()?.is_dir() {
        return Ok((folder, path.to_path_buf()));
    }
    let inner = only.open_dir()?;
    Ok((inner, path.join(only.file_name())))
}

#[cfg(test)]
mod tests;
