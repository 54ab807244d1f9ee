//! A verified bundle becomes a folder of regular files, and nothing else.
//!
//! Before it `fetch` has verified the bundle; here it is hashed again as it is read, so what runs is what was hashed.
//! After it `launch` starts something in the folder, which is removed when the [`Unpacked`] is dropped.

mod extend;
mod extract;
mod left;
mod name;
mod tree;

pub use crate::unpack::left::LeftBehind;
pub(crate) use crate::unpack::name::EntryName;
pub(crate) use crate::unpack::tree::Kind;
pub(crate) use crate::unpack::tree::Tree;

use std::fmt;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;

use crate::error::BundleErrorKind;
use crate::error::UnpackError;
use crate::unpack::extract::Failure;
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
    /// An entry is something else than a file or a directory.
    #[error("`{entry}` is {kind}; a bundle may hold regular files and directories only")]
    Kind {
        /// The entry.
        entry: SafeText,
        /// What it is.
        kind: &'static str,
    },
    /// An entry's name is not allowed.
    #[error("the entry name `{entry}` {problem}")]
    Name {
        /// The name.
        entry: SafeText,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry stands where another one is.
    #[error("`{entry}` {problem}")]
    Collision {
        /// The entry.
        entry: SafeText,
        /// In what way.
        problem: &'static str,
    },
    /// It has too many entries.
    #[error("it has more than {limit} entries")]
    TooManyEntries {
        /// The most that are unpacked.
        limit: usize,
    },
    /// It is too large.
    #[error("it has more than {limit} bytes unpacked")]
    TooManyBytes {
        /// The most that is unpacked, bytes.
        limit: u64,
    },
    /// An extended header is not in order.
    #[error("an extended header {problem}")]
    Header {
        /// What is wrong.
        problem: &'static str,
    },
    /// It is no whole tar.gz.
    #[error("it is truncated or damaged: {problem}")]
    Damaged {
        /// What is wrong.
        problem: SafeText,
    },
}

/// A package's files in a folder of their own, removed when dropped.
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

    /// Where the bundle's root is, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the folder now and was not unpacked there.
    pub fn left_behind(&self) -> LeftBehind {
        self.contents.left_in(&self.folder_dir)
    }
}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacked").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Unpacks a package's bundle into the new private folder of a run, and gives up when it is `interrupted`.
///
/// # Errors
/// When the cached bundle is gone or no longer what it was, when it holds what a bundle may not, when the folder can't
/// be written, or when the deadline or an interruption ends it. Nothing is left behind.
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
    // Watched where the bundle is read: a buffer of it becomes a few megabytes at most, which take no time to notice.
    let file = Interruptible::new(file.take(limits::BUNDLE), interrupted);
    let mut source = Hashed::new(Timed::new(file, deadline));
    let extracted = match extract::extract(&mut source, &opened, deadline) {
        Ok(contents) => Ok(contents),
        Err(Failure::Archive(problem)) => Err(problem),
        Err(Failure::Write(error)) => return Err(folder.failed("write a file of the bundle")(error).into()),
        Err(Failure::Halted(halted)) => return Err(StoreError::from(halted).into()),
    };
    // A bundle that was changed is reported as that, whatever the change did to the archive.
    let found = source.drain().map_err(cache.failed("read the cached bundle"))?;
    if let Err(mismatch) = check_digest(digest, found) {
        cache.remove(digest)?;
        return Err(BundleErrorKind::Changed(mismatch).of(package.label()).into());
    }
    let contents = extracted.map_err(|problem| BundleErrorKind::Archive(problem).of(package.label()))?;
    let folder_dir = opened.try_clone().map_err(folder.failed("look into it"))?;
    let (root, path) = enter(opened, folder.path()).map_err(folder.failed("list what is in it"))?;
    Ok(Unpacked { folder_dir, root, path, contents, _folder: folder })
}

/// The bundle's root: the folder, or the one directory that is all there is in it, as archivers of a whole
/// directory make it.
fn enter(folder: Dir, path: &Path) -> io::Result<(Dir, PathBuf)> {
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
