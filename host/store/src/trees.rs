//! Unpacked bundles that stay: `trees/sha256-<hex>`, with an index beside each.
//!
//! `bundle` makes a tree in the folder of a run, and compares one with its index before each start. This file knows names
//! and locks. The index file is the lock, too: whoever runs in a tree has it shared, whoever makes or removes a tree has it
//! alone. Nobody waits for it, and the system releases it however a process ends.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::io::Seek as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::fcntl::OFlag;

use crate::access::StoreAccess;
use crate::blobs;
use crate::blobs::touch;
use crate::error::FolderPurpose;
use crate::error::StoreError;
use crate::file::open_folder_itself;
use crate::file::open_itself;
use crate::file::there;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use crate::folder::make_read_only;
use crate::removal::remove_folder;
use crate::runs::RunFolder;
use smcp_model::bounded;
use smcp_model::cache::CacheEntry;
use smcp_model::cache::CacheKind;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::ownership::Ownership;
use smcp_model::size::ByteSize;

/// The folder of all trees, in a cache.
pub(crate) const FOLDER: &str = "trees";
/// The end of an index's name; the rest is the name of its tree.
const INDEX: &str = ".index";

/// Tells what this user's smcp has written from what anybody else has.
pub trait Seal: fmt::Debug {
    /// Makes the seal of these bytes.
    fn seal(&self, bytes: &[u8]) -> [u8; 32];

    /// Whether it is the seal of these bytes.
    fn is_sealed(&self, bytes: &[u8], seal: &[u8; 32]) -> bool;
}

/// The folder of all kept trees.
#[derive(Debug)]
pub struct Trees {
    dir: Dir,
    guard: FolderGuard,
}

/// A tree that is not removed while this value lives. Nothing of it has been checked but its owner.
#[derive(Debug)]
pub struct KeptTree {
    root: Dir,
    guard: FolderGuard,
    all: Dir,
    name: String,
    // INVARIANT: has the shared lock, taken before the tree could be removed.
    index: File,
}

impl Trees {
    /// Opens the folder of all trees in a checked folder; `None` when it does not exist, or is root's and not the caller's:
    /// what root keeps there has root's seal.
    pub(crate) fn existing(dir: &Dir, guard: &FolderGuard) -> io::Result<Option<Self>> {
        let Some((dir, guard)) = guard.open(dir, FOLDER)? else { return Ok(None) };
        let is_own = dir.dir_metadata()?.uid() == guard.caller().uid();
        Ok(is_own.then_some(Self { dir, guard }))
    }

    /// Opens the folder of all trees in a checked folder, and makes it first if needed.
    pub(crate) fn make(dir: &Dir, guard: &FolderGuard) -> io::Result<Self> {
        guard.make(dir, FOLDER)?;
        Self::existing(dir, guard)?.ok_or_else(|| io::ErrorKind::PermissionDenied.into())
    }

    /// The user whose trees they are.
    pub const fn owner(&self) -> u32 {
        self.guard.caller().uid()
    }

    /// Opens the tree of a bundle; `None` when there is none, or while another process makes or removes it.
    ///
    /// # Errors
    /// When it can't be opened, or is not to be trusted.
    pub fn open(&self, bundle: &Digest) -> io::Result<Option<KeptTree>> {
        let name = blobs::file_name(bundle);
        let Some(index) = there(open_itself(&self.dir, &index_of(&name)))? else { return Ok(None) };
        let index = self.own(index.into_std())?;
        if !lock::try_lock(&index, Sharing::Shared)? || !lock::is_named(&index)? {
            return Ok(None);
        }
        let Some(root) = there(open_folder_itself(&self.dir, &name))? else { return Ok(None) };
        // Only housekeeping reads its time.
        touch(&index);
        Ok(Some(KeptTree { root, guard: self.guard.inside(&name), all: self.dir.try_clone()?, name, index }))
    }

    /// Gives the filled folder of a run, opened as `root`, the place of a bundle's tree, with this index beside it. What has
    /// that place is removed. Returns the folder when it can't have that place, because a run or another process has it.
    ///
    /// # Errors
    /// When the new tree is lost.
    pub fn keep(
        &self,
        bundle: &Digest,
        folder: RunFolder,
        root: &Dir,
        index: &[u8],
    ) -> Result<Result<KeptTree, RunFolder>, StoreError> {
        let name = blobs::file_name(bundle);
        let not_kept = |folder, why: io::Error| {
            tracing::info!(%why, "the unpacked bundle is not kept");
            Ok(Err(folder))
        };
        let file = match self.lock_alone(&name) {
            Ok(Some(file)) => file,
            Ok(None) => return not_kept(folder, io::ErrorKind::ResourceBusy.into()),
            Err(why) => return not_kept(folder, why),
        };
        let placed = match remove_place(&self.dir, &name).and_then(|()| write(&file, index)) {
            Ok(()) => folder.rename(&self.dir, &name),
            Err(why) => Err((folder, why)),
        };
        if let Err((folder, why)) = placed {
            // Locked still, and without a tree.
            let _ = self.dir.remove_file(index_of(&name));
            return not_kept(folder, why);
        }
        let failed = FolderPurpose::Cache.failed(self.guard.path(), "keep what was unpacked");
        self.settle(name, root, file).map(Ok).map_err(failed)
    }

    /// Shares a tree that was just put into its place.
    fn settle(&self, name: String, root: &Dir, index: File) -> io::Result<KeptTree> {
        make_read_only(root)?;
        // Some systems release the one lock before they take the other.
        let is_shared = lock::try_lock(&index, Sharing::Shared)? && lock::is_named(&index)?;
        let (made, found) = (root.dir_metadata()?, self.dir.symlink_metadata(&name)?);
        if !is_shared || (made.dev(), made.ino()) != (found.dev(), found.ino()) {
            return Err(io::Error::other("another process has removed it meanwhile"));
        }
        let (root, all) = (root.try_clone()?, self.dir.try_clone()?);
        Ok(KeptTree { root, guard: self.guard.inside(&name), all, name, index })
    }

    /// Opens the index of a tree with the lock of whoever makes or removes it; `None` while another process has it. Makes an
    /// empty one if there is none.
    fn lock_alone(&self, name: &str) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
        options.read(true).write(true).create(true).mode(StoreAccess::Private.file_mode()).custom_flags(flags.bits());
        let file = self.own(self.dir.open_with(index_of(name), &options)?.into_std())?;
        Ok((lock::try_lock(&file, Sharing::Exclusive)? && lock::is_named(&file)?).then_some(file))
    }

    /// Checks that an opened index is a file that only this user could have written.
    fn own(&self, file: File) -> io::Result<File> {
        let found = file.metadata()?;
        if !found.is_file() || found.nlink() > 1 {
            return Err(io::Error::other("its index is not a file of its own"));
        }
        self.guard.caller().check(Ownership::from(&found)).map_err(io::Error::other)?;
        Ok(file)
    }

    /// Lists the trees, and what has the name of one. The size is that of the files in it.
    ///
    /// # Errors
    /// When the folder can't be listed.
    pub fn list(&self) -> io::Result<Vec<CacheEntry>> {
        let mut digests = BTreeSet::new();
        for entry in self.dir.entries()? {
            digests.extend(entry?.file_name().to_str().and_then(tree_of));
        }
        Ok(digests.into_iter().map(|digest| self.entry(digest)).collect())
    }

    fn entry(&self, digest: Digest) -> CacheEntry {
        let name = blobs::file_name(&digest);
        let modified = |name: &str| self.dir.symlink_metadata(name).map(|found| (found.mtime(), found.len()));
        let (used, index) = modified(&index_of(&name)).or_else(|_| modified(&name)).unwrap_or_default();
        CacheEntry {
            digest,
            kind: CacheKind::Tree,
            size: ByteSize(size_below(&self.dir, &name).saturating_add(index)),
            last_used: u64::try_from(used).unwrap_or_default(),
            packages: Vec::new(),
        }
    }

    /// Removes a tree; says whether it could, because no run has it. With `dry_run`, only says whether it could.
    ///
    /// # Errors
    /// When something can't be removed.
    pub fn remove(&self, bundle: &Digest, dry_run: bool) -> io::Result<bool> {
        let name = blobs::file_name(bundle);
        if dry_run {
            let Some(index) = there(open_itself(&self.dir, &index_of(&name)))? else { return Ok(true) };
            return lock::try_lock(&index.into_std(), Sharing::Exclusive);
        }
        let locked = match self.lock_alone(&name) {
            // Something in its place that no run could have.
            Err(_) if remove_place(&self.dir, &index_of(&name)).is_ok() => self.lock_alone(&name)?,
            locked => locked?,
        };
        let Some(_alone) = locked else { return Ok(false) };
        remove_place(&self.dir, &name)?;
        self.dir.remove_file(index_of(&name)).map(|()| true)
    }
}

impl KeptTree {
    /// The folder.
    pub const fn root(&self) -> &Dir {
        &self.root
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        self.guard.path()
    }

    /// Reads the index.
    ///
    /// # Errors
    /// When it can't be read, or is longer than an index is.
    pub fn index(&self) -> io::Result<Vec<u8>> {
        let found = bounded::read_within(&self.index, limits::trees::INDEX, 0)?;
        found.ok_or_else(|| io::Error::other("its index is too long"))
    }

    /// Removes these files, which are not the bundle's, and the folders around them that are empty then, if no other run has
    /// the tree. What can't be removed stays for the next start, which throws the tree away.
    pub fn clean(&self, files: &[PathBuf]) {
        if files.is_empty() || !matches!(lock::try_lock(&self.index, Sharing::Exclusive), Ok(true)) {
            return;
        }
        for file in files {
            if let Err(error) = self.root.remove_file(file) {
                tracing::debug!(%error, "a file in a kept tree could not be removed");
            }
            // Fails when there is something else in it.
            file.parent().map(|folder| self.root.remove_dir(folder));
        }
    }

    /// Removes the tree, if no other run has it. One that can't be removed stays for the next start.
    pub fn discard(self) {
        let alone =
            lock::try_lock(&self.index, Sharing::Exclusive).and_then(|is| Ok(is && lock::is_named(&self.index)?));
        let removed = match alone {
            Ok(true) => remove_place(&self.all, &self.name).and_then(|()| self.all.remove_file(index_of(&self.name))),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::debug!(%error, "a kept tree could not be removed");
        }
    }
}

fn index_of(name: &str) -> String {
    format!("{name}{INDEX}")
}

/// The digest in a name, if it is that of a tree or of its index.
fn tree_of(name: &str) -> Option<Digest> {
    blobs::digest_of(name.strip_suffix(INDEX).unwrap_or(name))
}

/// Finds the first name in the folder of all trees that is not one of ours.
pub(crate) fn foreign(all: &Dir) -> io::Result<Option<String>> {
    first_unknown(all, |name| tree_of(name).is_some())
}

fn write(mut file: &File, index: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(index)
}

/// Removes what has this name: a folder with its contents, or anything else.
fn remove_place(dir: &Dir, name: &str) -> io::Result<()> {
    match there(dir.symlink_metadata(name))? {
        None => Ok(()),
        Some(found) if found.is_dir() => remove_folder(dir, name),
        Some(_) => dir.remove_file(name),
    }
}

/// The length of all files below a folder. What can't be looked at is left out.
fn size_below(dir: &Dir, name: &str) -> u64 {
    let Ok(folder) = open_folder_itself(dir, name) else { return 0 };
    let mut todo = vec![folder];
    let (mut total, mut seen): (u64, usize) = (0, 0);
    while let Some(folder) = todo.pop() {
        for entry in folder.entries().into_iter().flatten().flatten() {
            seen = seen.saturating_add(1);
            if seen > limits::LEFT_LOOKED_AT {
                return total;
            }
            match entry.metadata() {
                Ok(found) if found.is_dir() => todo.extend(entry.open_dir()),
                Ok(found) => total = total.saturating_add(found.len()),
                Err(_) => {}
            }
        }
    }
    total
}

#[cfg(test)]
mod tests;
