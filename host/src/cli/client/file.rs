//! Replaces the content of a client's file, after a backup.
//!
//! The client may read the file at any time, so it always holds either the old content or the new one, whole. A link is
//! followed, and stays a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;
use cap_tempfile::TempFile;

use smcp_authority as authority;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::lock::Sharing;
use smcp_model::lock::lock_by;
use smcp_model::ownership::Ownership;
use smcp_model::ownership::Untrusted;

/// The mode of a new file: only its user can read it, because secrets may be written into it later.
const NEW_MODE: u32 = 0o600;
/// The number of backups that a file may have: more than a user makes on purpose.
const BACKUPS: u32 = 1_000;
/// The byte order mark.
const MARK: &str = "\u{feff}";

/// Why a client's file can't be changed.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum FileError {
    /// The system reports an error.
    #[error("can't {doing}: {cause}")]
    Io {
        /// What smcp was doing.
        doing: &'static str,
        /// The system's error.
        cause: io::Error,
    },
    /// The file is a link that leads nowhere.
    #[error("it is a link that leads nowhere")]
    Dangling,
    /// The file is a directory, a device or a pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// The file is too large for a list of servers.
    #[error("it has more than {} bytes", limits::CLIENT_FILE)]
    TooLarge,
    /// The file is not UTF-8, as JSON and TOML are.
    #[error("it is not UTF-8 text")]
    NotText,
    /// The file belongs to another user. The new file would belong to the caller, and its owner could not change it any
    /// more.
    #[error("it belongs to another user (uid {uid})\n  run this as that user")]
    Foreign {
        /// Its owner.
        uid: u32,
    },
    /// Another process wrote the file in the meantime.
    #[error("it has changed meanwhile; try again")]
    Changed,
    /// Every name for a backup is taken.
    #[error("there are {BACKUPS} backups beside it already; remove some")]
    Backups,
}

impl FileError {
    fn while_doing(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { doing, cause }
    }
}

/// A client's file, which may not exist yet.
#[derive(Debug)]
pub(in crate::cli) struct ClientFile {
    /// Its path, with every link resolved.
    path: PathBuf,
    dir: Dir,
    old: Option<OldContent>,
    /// Why another user could change the file, or what is in its folder.
    exposed: Vec<String>,
    /// Keeps another smcp from changing the file between reading and replacing it: what that one added would be lost.
    _lock: File,
}

/// The content of the file when it was read.
#[derive(Debug)]
struct OldContent {
    /// Whether the text begins with a byte order mark, as Windows editors write it.
    marked: bool,
    text: String,
    mode: u32,
    ownership: Ownership,
}

impl OldContent {
    /// Returns the bytes of the file with `text` as its text.
    fn bytes(&self, text: &str) -> Vec<u8> {
        [if self.marked { MARK } else { "" }, text].concat().into_bytes()
    }
}

impl ClientFile {
    /// Reads the file at an absolute path; makes its folder when there is none.
    pub(in crate::cli) fn open(path: &Path) -> Result<Self, FileError> {
        let path = match authority::resolve(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A name that exists and can't be resolved is a link.
                if authority::exists(path).map_err(FileError::while_doing("look at it"))? {
                    return Err(FileError::Dangling);
                }
                path.to_owned()
            }
            Err(cause) => return Err(FileError::while_doing("look at it")(cause)),
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let dir = authority::create_dir(folder).map_err(FileError::while_doing("open its folder"))?;
        let lock = lock_folder(&dir).map_err(FileError::while_doing("lock its folder"))?;
        let mut file = Self { path, dir, old: None, exposed: Vec::new(), _lock: lock };
        file.old = file.read()?;
        file.exposed = file.exposure()?;
        Ok(file)
    }

    /// Returns which other users could change the file, and how.
    ///
    /// # Errors
    /// [`FileError::Foreign`] when the file belongs to another user.
    fn exposure(&self) -> Result<Vec<String>, FileError> {
        let folder = self.dir.dir_metadata().map_err(FileError::while_doing("look at its folder"))?;
        let file = self.old.as_ref().map(|old| (self.path(), old.ownership));
        let caller = authority::caller();
        if let Some((_, Ownership { uid, .. })) = file.filter(|(_, owner)| owner.uid != 0 && owner.uid != caller.uid())
        {
            return Err(FileError::Foreign { uid });
        }
        let above = self.path.parent().map(|above| (above, Ownership::from(&folder)));
        Ok(file.into_iter().chain(above).filter_map(|(path, ownership)| exposed(path, ownership)).collect())
    }

    /// The warnings about other users who could change the file.
    pub(in crate::cli) fn exposed(&self) -> &[String] {
        &self.exposed
    }

    /// Its path, with every link resolved.
    pub(in crate::cli) fn path(&self) -> &Path {
        &self.path
    }

    /// Its text; empty when it doesn't exist.
    pub(in crate::cli) fn text(&self) -> &str {
        self.old.as_ref().map_or("", |old| &old.text)
    }

    /// Replaces the text by `text`. Returns the path of the backup, when there was a file.
    pub(in crate::cli) fn replace(&self, text: &str) -> Result<Option<PathBuf>, FileError> {
        let new = self.written(text)?;
        let backup = self.old.as_ref().map(|old| self.back_up(old)).transpose()?;
        if let Err(cause) = new.replace(self.name()) {
            backup.iter().for_each(|backup| self.remove(backup));
            return Err(FileError::while_doing("replace it")(cause));
        }
        Ok(backup)
    }

    /// Replaces the text by the one before the last change, and removes the backup that was made then.
    pub(in crate::cli) fn put_back(&self, text: &str, backup: Option<&Path>) -> Result<(), FileError> {
        self.written(text)?.replace(self.name()).map_err(FileError::while_doing("replace it"))?;
        backup.iter().for_each(|backup| self.remove(backup));
        Ok(())
    }

    /// Removes a backup. One that can't be removed has the text that the file has, too.
    fn remove(&self, backup: &Path) {
        if let Err(error) = self.dir.remove_file(backup.file_name().unwrap_or_default()) {
            tracing::info!(%error, "a backup could not be removed");
        }
    }

    /// Writes the new content beside the file, which has to be as it was.
    fn written(&self, text: &str) -> Result<TempFile<'_>, FileError> {
        let mut new = TempFile::new(&self.dir).map_err(FileError::while_doing("write beside it"))?;
        let mode = self.old.as_ref().map_or(NEW_MODE, |old| old.mode);
        let written = new
            .write_all(&self.old.as_ref().map_or_else(|| text.as_bytes().to_owned(), |old| old.bytes(text)))
            .and_then(|()| new.as_file().set_permissions(Permissions::from_mode(mode)))
            .and_then(|()| new.as_file().sync_all());
        written.map_err(FileError::while_doing("write beside it"))?;
        let now = self.read()?;
        if now.as_ref().map(|old| &old.text) != self.old.as_ref().map(|old| &old.text) {
            return Err(FileError::Changed);
        }
        Ok(new)
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    fn read(&self) -> Result<Option<OldContent>, FileError> {
        let mut options = OpenOptions::new();
        // Never waits for a pipe; follows no link, because a link here was put there after the path was resolved.
        let flags = nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_NOFOLLOW;
        options.read(true).custom_flags(flags.bits());
        let file = match self.dir.open_with(self.name(), &options) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(FileError::while_doing("read it"))?,
        };
        let metadata = file.metadata().map_err(FileError::while_doing("read it"))?;
        if !metadata.is_file() {
            return Err(FileError::NotAFile);
        }
        let read = bounded::read_within(file, limits::CLIENT_FILE, 0).map_err(FileError::while_doing("read it"))?;
        let bytes = read.ok_or(FileError::TooLarge)?;
        let text = String::from_utf8(bytes).map_err(|_| FileError::NotText)?;
        let (marked, text) = match text.strip_prefix(MARK) {
            Some(rest) => (true, rest.to_owned()),
            None => (false, text),
        };
        let mode = metadata.permissions().mode() & 0o777;
        Ok(Some(OldContent { marked, text, mode, ownership: Ownership::from(&metadata) }))
    }

    /// Writes the old content under a new name: an older backup is never overwritten.
    fn back_up(&self, old: &OldContent) -> Result<PathBuf, FileError> {
        let failed = || FileError::while_doing("write a backup beside it");
        for number in 1..=BACKUPS {
            let mut name = self.name().to_owned();
            name.push(format!(".smcp-backup-{number}"));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(old.mode);
            match self.dir.open_with(&name, &options) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed()(error)),
                Ok(mut backup) => {
                    backup.write_all(&old.bytes(&old.text)).and_then(|()| backup.sync_all()).map_err(failed())?;
                    return Ok(self.path.with_file_name(name));
                }
            }
        }
        Err(FileError::Backups)
    }
}

/// Returns which other users could change the file of a client, or what is in its folder, and how.
pub(in crate::cli) fn exposure(path: &Path) -> Vec<String> {
    let Ok(path) = authority::resolve(path) else { return Vec::new() };
    let checked = [Some(path.as_path()), path.parent()].into_iter().flatten();
    checked.filter_map(|path| exposed(path, authority::ownership(path)?)).collect()
}

/// Says who else could change a file, or what is in a folder.
fn exposed(path: &Path, found: Ownership) -> Option<String> {
    let untrusted = authority::caller().check(found).err()?;
    let (path, remedy) = (path.display(), untrusted.remedy());
    let whose = if matches!(untrusted, Untrusted::Foreign { .. }) { "" } else { &format!("; run: {remedy} {path}") };
    Some(format!("{path}: {untrusted}, and whoever may write there chooses what the client starts{whose}"))
}

/// Locks the folder, and waits as long as another smcp has the lock. A lock of the folder leaves no file behind. Where
/// the file system has no locks, only the check before replacing the file is left.
fn lock_folder(dir: &Dir) -> io::Result<File> {
    // `dir` may be open only as a path; a lock needs a handle that is open for reading.
    let folder = dir.open_with(".", OpenOptions::new().read(true))?.into_std();
    match lock_by(folder.try_clone()?, Sharing::Exclusive, &Deadline::none()).map_err(io::Error::from) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(folder),
        locked => locked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a folder with a file in it; returns the folder, its handle and the file's path.
    fn folder(text: &str) -> (tempfile::TempDir, Dir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let dir = authority::open_dir(temp.path()).unwrap();
        dir.write("mcp.json", text).unwrap();
        let path = temp.path().join("mcp.json");
        (temp, dir, path)
    }

    fn names(dir: &Dir) -> usize {
        dir.entries().unwrap().count()
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
        let (_temp, dir, path) = folder("{}");
        let file = ClientFile::open(&path).unwrap();
        dir.write("mcp.json", "{\"a\": 1}").unwrap();
        assert!(matches!(file.replace("{\"b\": 2}"), Err(FileError::Changed)));
        assert_eq!((dir.read_to_string("mcp.json").unwrap().as_str(), names(&dir)), ("{\"a\": 1}", 1));
        dir.remove_file("mcp.json").unwrap();
        assert!(matches!(file.replace("{\"b\": 2}"), Err(FileError::Changed)));
        drop(file);
        let new = ClientFile::open(&path).unwrap();
        dir.write("mcp.json", "").unwrap();
        assert!(matches!(new.replace("{}"), Err(FileError::Changed)), "an empty file is not none");
    }

    #[test]
    fn two_at_once_take_turns() {
        let (_temp, dir, path) = folder("");
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let file = ClientFile::open(&path).unwrap();
                    file.replace(&format!("{}x", file.text())).unwrap();
                });
            }
        });
        assert_eq!(dir.read_to_string("mcp.json").unwrap(), "x".repeat(16));
    }

    #[test]
    fn a_backup_never_takes_the_place_of_another() {
        let (_temp, dir, path) = folder("0");
        for number in 1..4 {
            let backup = ClientFile::open(&path).unwrap().replace(&number.to_string()).unwrap();
            assert_eq!(backup, Some(path.with_file_name(format!("mcp.json.smcp-backup-{number}"))));
        }
        for number in 1..4 {
            let text = dir.read_to_string(format!("mcp.json.smcp-backup-{number}")).unwrap();
            assert_eq!(text, (number - 1).to_string());
        }
        (4..=BACKUPS).for_each(|number| dir.write(format!("mcp.json.smcp-backup-{number}"), "").unwrap());
        assert!(matches!(ClientFile::open(&path).unwrap().replace("4"), Err(FileError::Backups)));
        assert_eq!(dir.read_to_string("mcp.json").unwrap(), "3");
    }
}
