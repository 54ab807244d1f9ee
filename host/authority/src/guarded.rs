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
    let mut walk = PathWalk::new(owners);
    let bytes = walk.follow(path, folder).and_then(|file| read(file, limit));
    Guarded { bytes, suspects: walk.suspects }
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
const SEARCH: OFlag = OFlag::O_PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEARCH: OFlag = OFlag::O_RDONLY;

/// An opened folder of the path.
struct OpenedFolder {
    descriptor: File,
    path: PathBuf,
    /// The reason why others may write to it, if only its sticky bit protects what is in it.
    shared: Option<Untrusted>,
}

struct PathWalk {
    caller: Caller,
    /// The folders from the root down to the present one.
    above: Vec<OpenedFolder>,
    /// The names that are left to follow, in reverse order.
    left: Vec<OsString>,
    links: usize,
    suspects: Vec<Suspect>,
}

impl PathWalk {
    fn new(owners: Owners) -> Self {
        let caller = caller().among(owners);
        Self { caller, above: Vec::new(), left: Vec::new(), links: 0, suspects: Vec::new() }
    }

    fn follow(&mut self, path: &Path, folder: Folder) -> Result<File, ReadError> {
        self.push(path)?;
        while let Some(name) = self.left.pop() {
            if name == ".." {
                // The parent of the root is the root itself.
                self.above.truncate(self.above.len().saturating_sub(1).max(1));
                continue;
            }
            if let Some(file) = self.step(&name, folder)? {
                return Ok(file);
            }
        }
        Err(ReadError::NotAFile)
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

    /// Follows one component. Returns the file if it was the last one.
    fn step(&mut self, name: &OsStr, folder: Folder) -> io::Result<Option<File>> {
        let place = self.above.last().ok_or(io::ErrorKind::InvalidInput)?;
        let path = place.path.join(name);
        let found = fstatat(&place.descriptor, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        if SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFLNK {
            let target = readlinkat(&place.descriptor, name)?;
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
        let is_last = self.left.is_empty();
        let how = if is_last { OFlag::O_RDONLY | OFlag::O_NONBLOCK } else { SEARCH | OFlag::O_DIRECTORY };
        let how = how | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = File::from(openat(&place.descriptor, name, how, Mode::empty())?);
        if !is_last {
            return self.enter(opened, path).map(|()| None);
        }
        if let (Folder::Own, Some(why)) = (folder, place.shared) {
            let path = place.path.clone();
            self.suspect(&path, why, false);
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
        self.above.push(OpenedFolder { descriptor, path, shared });
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
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::fs::chown;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with a file in it, three folders deep.
    fn tree() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let root = crate::resolve(temp.path()).unwrap();
        crate::create_dir(&root.join("a/b")).unwrap().write("c.yaml", "x").unwrap();
        mode(&root.join("a/b/c.yaml"), 0o644);
        (temp, root)
    }

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The suspects, each as its remedy and its path below `root`.
    fn suspects(root: &Path, path: &str, folder: Folder) -> Vec<String> {
        let found = read_guarded(&root.join(path), 10, folder, Owners::CallerOrRoot);
        let below = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        found.suspects.iter().map(|suspect| format!("{} {}", suspect.why.remedy(), below(&suspect.path))).collect()
    }

    #[test]
    fn every_step_is_checked() {
        let (_temp, root) = tree();
        symlink("a/b/c.yaml", root.join("link")).unwrap();
        symlink("../a", root.join("a/up")).unwrap();
        symlink(root.join("a"), root.join("absolute")).unwrap();
        let ways = ["a/b/c.yaml", "link", "a/up/b/c.yaml", "absolute/b/c.yaml"];
        for way in ways {
            assert_eq!(suspects(&root, way, Folder::Own), [""; 0], "{way}");
            assert_eq!(
                read_guarded(&root.join(way), 10, Folder::Any, Owners::CallerOrRoot).bytes.unwrap(),
                b"x",
                "{way}"
            );
        }
        for (changed, bad, good, remedy) in [
            ("a", 0o777, 0o700, "chmod go-w a"),
            // The sticky bit counts only for folders of root.
            ("a/b", 0o1777, 0o700, if nix::unistd::geteuid().is_root() { "" } else { "chmod go-w a/b" }),
            ("a/b", 0o702, 0o700, "chmod go-w a/b"),
            ("a/b/c.yaml", 0o666, 0o644, "chmod go-w a/b/c.yaml"),
            ("a/b/c.yaml", 0o602, 0o644, "chmod go-w a/b/c.yaml"),
        ] {
            mode(&root.join(changed), bad);
            let expected: Vec<_> = Some(remedy).filter(|remedy| !remedy.is_empty()).into_iter().collect();
            for way in ways {
                assert_eq!(suspects(&root, way, Folder::Any), expected, "{way}: {changed} {bad:o}");
            }
            mode(&root.join(changed), good);
        }
        mode(&root.join("a/b"), 0o1777);
        assert_eq!(suspects(&root, "a/b/c.yaml", Folder::Own), ["chmod go-w a/b"]);
        // A missing file may have been removed by a user who can write to the folder.
        mode(&root.join("a"), 0o777);
        assert_eq!(suspects(&root, "a/gone.yaml", Folder::Own), ["chmod go-w a"]);
        assert!(
            read_guarded(&root.join("a/gone.yaml"), 10, Folder::Any, Owners::CallerOrRoot)
                .bytes
                .unwrap_err()
                .is_missing()
        );
    }

    #[test]
    fn links_end_and_only_files_are_read() {
        let (_temp, root) = tree();
        symlink("loop", root.join("loop")).unwrap();
        for number in 0..limits::LINKS {
            symlink(format!("l{number}"), root.join(format!("l{}", number + 1))).unwrap();
        }
        symlink("a/b/c.yaml", root.join("l0")).unwrap();
        let read = |path: &str| read_guarded(&root.join(path), 10, Folder::Any, Owners::CallerOrRoot).bytes;
        assert_eq!(read(&format!("l{}", limits::LINKS - 1)).unwrap(), b"x");
        for (path, says) in [("loop", "symbolic links"), ("l40", "symbolic links"), ("a/b", "not a regular file")] {
            assert!(read(path).unwrap_err().to_string().contains(says), "{path}");
        }
        assert!(read("a/b/c.yaml/d").unwrap_err().is_missing());
        assert!(matches!(
            read_guarded(&root.join("a/b/c.yaml"), 0, Folder::Any, Owners::CallerOrRoot).bytes,
            Err(ReadError::TooLarge { .. })
        ));
    }

    /// Only root can give a file to another user; `model::ownership` tests the rule itself.
    #[test]
    fn what_belongs_to_another_user_is_suspect() {
        let (_temp, root) = tree();
        if !nix::unistd::geteuid().is_root() {
            assert!(chown(root.join("a/b/c.yaml"), Some(4242), None).is_err());
            return;
        }
        symlink("a/b/c.yaml", root.join("link")).unwrap();
        for path in ["a", "a/b", "a/b/c.yaml"] {
            chown(root.join(path), Some(4242), None).unwrap();
            assert_eq!(suspects(&root, "link", Folder::Any), [format!("chown {path}")]);
            chown(root.join(path), Some(0), None).unwrap();
        }
        std::os::unix::fs::lchown(root.join("link"), Some(4242), None).unwrap();
        assert_eq!(suspects(&root, "link", Folder::Any), ["chown link"]);
    }
}
