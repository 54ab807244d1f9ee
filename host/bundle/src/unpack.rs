//! Unpacks a verified bundle into a folder of regular files, and nothing else.
//!
//! `fetch` has verified the bundle. It is hashed again as it is read here, so the files that run are the files that
//! were hashed. `launch` starts a server in the folder, which is removed when the [`Unpacked`] is dropped.

mod extend;
mod extract;
mod left;
mod name;
mod tree;

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
use crate::unpack::extract::ExtractFailure;
use crate::unpack::left::Contents;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::package::ResolvedPackage;
use smcp_model::text::SafeText;
use smcp_store::Cache;
use smcp_store::RunFolder;
use smcp_store::StoreError;
use smcp_store::stream::Hashed;
use smcp_store::stream::Interruptible;
use smcp_store::stream::Timed;
use smcp_store::stream::check_digest;

/// Why a bundle can't be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// An entry is neither a file nor a directory.
    #[error("`{entry}` is {kind}; a bundle may hold regular files and directories only")]
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
    /// It is not a complete tar.gz.
    #[error("it is truncated or damaged: {problem}")]
    Damaged {
        /// What is wrong.
        problem: SafeText,
    },
}

/// A package's files in a private folder, which is removed when this is dropped.
pub struct Unpacked {
    folder_dir: Dir,
    root: Dir,
    path: PathBuf,
    contents: Contents,
    // Last, so that the handle to the folder is closed before the folder is removed.
    _folder: RunFolder,
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

    /// Returns the files that are in the folder now and were not unpacked there.
    pub fn left_behind(&self) -> LeftBehind {
        self.contents.left_in(&self.folder_dir)
    }
}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacked").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Unpacks a package's bundle into the new private folder of a run, and stops when it is `interrupted`.
///
/// # Errors
/// When the cached bundle is gone or no longer has its digest, when it holds something that a bundle may not, when the
/// folder can't be written, or when the deadline or an interruption ends it. Nothing is left behind.
pub fn unpack(
    cache: &Cache,
    folder: RunFolder,
    package: &ResolvedPackage,
    deadline: &Deadline,
    interrupted: &dyn Fn() -> bool,
) -> Result<Unpacked, UnpackError> {
    deadline.check().map_err(StoreError::from)?;
    let digest = &package.bundle_digest;
    let Some(file) = cache.open(digest)? else {
        return Err(cache.failed("find the bundle in it")(io::ErrorKind::NotFound.into()).into());
    };
    let opened = folder.open()?;
    // An interruption is checked at each read: one buffer unpacks to a few megabytes at most, so the delay is short.
    let file = Interruptible::new(file.take(limits::BUNDLE), interrupted);
    let mut source = Hashed::new(Timed::new(file, deadline));
    let extracted = match extract::extract(&mut source, &opened, deadline) {
        Ok(contents) => Ok(contents),
        Err(ExtractFailure::Archive(problem)) => Err(problem),
        Err(ExtractFailure::Write(error)) => return Err(folder.failed("write a file of the bundle")(error).into()),
        Err(ExtractFailure::Halted(halted)) => return Err(StoreError::from(halted).into()),
    };
    // A changed bundle is reported as changed, even if the change also broke the archive.
    let found = source.drain().map_err(cache.failed("read the cached bundle"))?;
    if let Err(mismatch) = check_digest(digest, found) {
        cache.remove(digest)?;
        return Err(BundleErrorKind::Changed(mismatch).of(package.label()).into());
    }
    let contents = extracted.map_err(|problem| BundleErrorKind::Archive(problem).of(package.label()))?;
    let folder_dir = opened.try_clone().map_err(folder.failed("look into it"))?;
    let (root, path) = bundle_root(opened, folder.path()).map_err(folder.failed("list what is in it"))?;
    Ok(Unpacked { folder_dir, root, path, contents, _folder: folder })
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
