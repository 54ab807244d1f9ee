//! Reads rules, and finds out which other users could have written them.
//!
//! The path and its links are followed one component at a time. Each folder is checked through the descriptor that the
//! next step starts from, and the bytes come from the descriptor that was checked, so nothing can be swapped in
//! between.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::fcntl::AtFlags;
use nix::fcntl::OFlag;
use nix::fcntl::openat;
use nix::fcntl::readlinkat;
use nix::sys::stat::Mode;
use nix::sys::stat::SFlag;
use nix::sys::stat::fstatat;

use crate::caller;
use crate::create_dir;
use crate::open_dir;
use crate::read_to;
use smcp_model::guarded::Folder;
use smcp_model::guarded::Guarded;
use smcp_model::guarded::GuardedNames;
use smcp_model::guarded::ReadError;
use smcp_model::limits;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Owners;
use smcp_model::ownership::Ownership;
use smcp_model::ownership::Untrusted;
use smcp_model::suspect::Suspect;

/// Reads a whole regular file of at most `limit` bytes, and finds what other users could have changed. A folder above
/// it may be a sticky one of root's if the entry below belongs to one of the owners (spec section 1).
///
/// # Ambient authority
/// Opens any path.
pub fn read_guarded(path: &Path, limit: usize, folder: Folder, owners: Owners) -> Guarded {
    GuardedReader::default().read(path, limit, folder, owners)
}

/// Reads many files as [`read_guarded`] does. The folder of the last one stays open, and the next one in it is looked up
/// there: the way to it is followed and checked once.
#[derive(Debug, Default)]
pub struct GuardedReader {
    last: Option<(PathBuf, PathWalk)>,
}

impl GuardedReader {
    /// Reads a file; see [`read_guarded`].
    ///
    /// # Ambient authority
    /// Opens any path.
    pub fn read(&mut self, path: &Path, limit: usize, folder: Folder, owners: Owners) -> Guarded {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            let mut walk = PathWalk::new(owners);
            let bytes = walk.follow(path, folder).and_then(|file| read(file, limit));
            return Guarded { bytes, suspects: walk.suspects };
        };
        let known = self.last.take().filter(|(known, walk)| known == parent && walk.owners == owners);
        let mut walk = known.map_or_else(|| PathWalk::new(owners), |(_, walk)| walk);
        if walk.above.is_empty()
            && let Err(error) = walk.descend(parent)
        {
            return Guarded { bytes: Err(error.into()), suspects: walk.suspects };
        }
        let mut own = walk.clone();
        self.last = Some((parent.to_owned(), walk));
        let bytes = own.follow(Path::new(name), folder).and_then(|file| read(file, limit));
        Guarded { bytes, suspects: own.suspects }
    }
}

/// Lists a folder, and finds what other users could have changed, as [`read_guarded`] does.
///
/// # Ambient authority
/// Opens any path.
pub fn names_guarded(path: &Path, folder: Folder, owners: Owners) -> GuardedNames {
    let mut walk = PathWalk::new(owners);
    let names = walk.follow(path, folder).map_err(io::Error::other).and_then(listed);
    GuardedNames { names, suspects: walk.suspects }
}

/// The names in a folder that is open.
fn listed(folder: File) -> io::Result<Vec<OsString>> {
    // Listing makes the system return an error for anything that is not a folder.
    Dir::from_std_file(folder).entries()?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Writes a new file that only its owner can read. A missing folder is made, for its owner only.
///
/// # Ambient authority
/// Makes any path.
///
/// # Errors
/// When the path exists, even as a link that leads nowhere, or the system refuses.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let folder = create_dir(folder)?;
    let mut file = folder.open_with(name, &options)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // A part of the file would be read as a whole configuration.
        folder.remove_file(name)?;
    }
    written
}

/// The names in a folder, in no order.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// When it is missing, not a directory, or may not be read.
pub fn names(path: &Path) -> io::Result<Vec<OsString>> {
    listed(open_dir(path)?.into_std_file())
}

fn read(file: File, limit: usize) -> Result<Vec<u8>, ReadError> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(ReadError::NotAFile);
    }
    read_to(file, limit, usize::try_from(found.len()).unwrap_or(limit))
}

/// Flags for opening a folder to look up names in it, which needs no permission to list them.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const SEARCH: OFlag = OFlag::O_PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const SEARCH: OFlag = OFlag::O_RDONLY;

/// An opened folder of the path.
#[derive(Debug)]
struct OpenedFolder {
    descriptor: File,
    path: PathBuf,
    /// The reason why others may write to it, if only its sticky bit protects what is in it.
    shared: Option<Untrusted>,
}

/// A component's place in the path.
#[derive(Debug, Clone, Copy)]
enum PathPlace {
    /// It leads to the last one: a folder.
    Above,
    /// It is the file, in such a folder.
    Last(Folder),
}

#[derive(Debug, Clone)]
struct PathWalk {
    owners: Owners,
    caller: Caller,
    /// The folders from the root down to the present one.
    above: Vec<Arc<OpenedFolder>>,
    /// The names that are left to follow, in reverse order.
    left: Vec<OsString>,
    links: usize,
    suspects: Vec<Suspect>,
}

impl PathWalk {
    fn new(owners: Owners) -> Self {
        let caller = caller().among(owners);
        Self { owners, caller, above: Vec::new(), left: Vec::new(), links: 0, suspects: Vec::new() }
    }

    fn follow(&mut self, path: &Path, folder: Folder) -> Result<File, ReadError> {
        self.push(path)?;
        while let Some(name) = self.left.pop() {
            if name == ".." {
                self.leave();
                continue;
            }
            let place = if self.left.is_empty() { PathPlace::Last(folder) } else { PathPlace::Above };
            if let Some(file) = self.step(&name, place)? {
                return Ok(file);
            }
        }
        Err(ReadError::NotAFile)
    }

    /// Follows the path of a folder, and stays in it.
    fn descend(&mut self, path: &Path) -> io::Result<()> {
        self.push(path)?;
        while let Some(name) = self.left.pop() {
            if name == ".." {
                self.leave();
            } else {
                self.step(&name, PathPlace::Above)?;
            }
        }
        Ok(())
    }

    /// Adds the components of a path before those that are left. An absolute path starts at the root again.
    fn push(&mut self, path: &Path) -> io::Result<()> {
        if path.is_absolute() {
            let root =
                openat(nix::fcntl::AT_FDCWD, "/", SEARCH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
            self.above.clear();
            self.enter(File::from(root), PathBuf::from("/"))?;
        } else if self.above.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let names = path.components().rev().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        });
        self.left.extend(names);
        Ok(())
    }

    /// The parent of the root is the root itself.
    fn leave(&mut self) {
        self.above.truncate(self.above.len().saturating_sub(1).max(1));
    }

    /// Follows one component. Returns the file if it was the last one.
    fn step(&mut self, name: &OsStr, place: PathPlace) -> io::Result<Option<File>> {
        let above = self.above.last().map(Arc::clone).ok_or(io::ErrorKind::InvalidInput)?;
        let path = above.path.join(name);
        let found = fstatat(&above.descriptor, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        if SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFLNK {
            let target = readlinkat(&above.descriptor, name)?;
            self.links = self.links.saturating_add(1);
            if self.links > limits::LINKS {
                return Err(nix::errno::Errno::ELOOP.into());
            }
            // The mode of a link has no meaning.
            if let Err(why) = self.caller.check(Ownership { uid: found.st_uid, gid: found.st_gid, mode: 0 }) {
                self.suspect(&path, why, true);
            }
            return self.push(Path::new(&target)).map(|()| None);
        }
        let PathPlace::Last(folder) = place else {
            let how = SEARCH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let opened = File::from(openat(&above.descriptor, name, how, Mode::empty())?);
            return self.enter(opened, path).map(|()| None);
        };
        let how = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = File::from(openat(&above.descriptor, name, how, Mode::empty())?);
        if let (Folder::Own, Some(why)) = (folder, above.shared) {
            self.suspect(&above.path, why, false);
        }
        self.check(&path, Ownership::from(&opened.metadata()?));
        Ok(Some(opened))
    }

    /// Checks an opened folder and continues from it.
    fn enter(&mut self, descriptor: File, path: PathBuf) -> io::Result<()> {
        let found = Ownership::from(&descriptor.metadata()?);
        let sticky = found.uid == 0 && found.mode & STICKY != 0;
        let shared = self.caller.check(found).err().filter(|_| sticky);
        if shared.is_none() {
            self.check(&path, found);
        }
        self.above.push(Arc::new(OpenedFolder { descriptor, path, shared }));
        Ok(())
    }

    fn check(&mut self, path: &Path, found: Ownership) {
        if let Err(why) = self.caller.check(found) {
            self.suspect(path, why, false);
        }
    }

    fn suspect(&mut self, path: &Path, why: Untrusted, is_link: bool) {
        let suspect = Suspect { path: path.to_owned(), why, uid: self.caller.uid(), is_link };
        if !self.suspects.contains(&suspect) {
            self.suspects.push(suspect);
        }
    }
}

const STICKY: u32 = 0o1000;

#[cfg(test)]
mod tests;
