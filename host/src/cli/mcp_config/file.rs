//! A client's file on its way from one content to the next: backup, then swap.
//!
//! The client may read it at any time, so it is always one of the two, whole. A link is followed, and stays one.

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
use smcp_model::limits;
use smcp_model::ownership::Ownership;
use smcp_model::ownership::Untrusted;

/// A new file is its user's alone: what stands in it may become a secret.
const NEW_MODE: u32 = 0o600;
/// Backups that may stand beside a file: more than anybody made on purpose.
const BACKUPS: u32 = 1_000;
/// The byte order mark.
const MARK: &str = "\u{feff}";

/// Why a client's file can't be changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The system says no.
    #[error("can't {doing}: {cause}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What came of it.
        cause: io::Error,
    },
    /// It is a link that leads nowhere.
    #[error("it is a link that leads nowhere")]
    Dangling,
    /// It is a directory, a device or a pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// Nothing that big is a list of servers.
    #[error("it has more than {} bytes", limits::CLIENT_FILE)]
    TooLarge,
    /// JSON is UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// What is put in its place would belong to us, and its owner could not change it any more.
    #[error("it belongs to another user (uid {uid})\n  run this as that user")]
    Foreign {
        /// Its owner.
        uid: u32,
    },
    /// Somebody else wrote it in the meantime.
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
pub(super) struct ClientFile {
    /// Where it really is.
    path: PathBuf,
    dir: Dir,
    found: Option<Found>,
    /// Why somebody else could change it, or what is in its folder.
    exposed: Vec<String>,
    /// Keeps other smcp from changing it between our look and our swap: what they added would be lost.
    _turn: File,
}

/// What was found there.
#[derive(Debug)]
struct Found {
    /// Whether a byte order mark stands before the text, as Windows editors write one.
    marked: bool,
    text: String,
    mode: u32,
    ownership: Ownership,
}

impl Found {
    /// The bytes of the file with `text` as its text.
    fn bytes(&self, text: &str) -> Vec<u8> {
        [if self.marked { MARK } else { "" }, text].concat().into_bytes()
    }
}

impl ClientFile {
    /// Reads the file at an absolute path; makes the folder when there is none.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let path = match authority::resolve(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Something that is there and can't be resolved is a link.
                if authority::exists(path).map_err(FileError::while_doing("look at it"))? {
                    return Err(FileError::Dangling);
                }
                path.to_owned()
            }
            Err(cause) => return Err(FileError::while_doing("look at it")(cause)),
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let dir = authority::create_dir(folder).map_err(FileError::while_doing("open its folder"))?;
        let turn = take_turn(&dir).map_err(FileError::while_doing("lock its folder"))?;
        let mut file = Self { path, dir, found: None, exposed: Vec::new(), _turn: turn };
        file.found = file.read()?;
        file.exposed = file.exposure()?;
        Ok(file)
    }

    /// Looks who else could change the file. One of somebody else is not changed at all.
    fn exposure(&self) -> Result<Vec<String>, FileError> {
        let folder = self.dir.dir_metadata().map_err(FileError::while_doing("look at its folder"))?;
        let found = self.found.as_ref().map(|found| (self.path(), found.ownership));
        let caller = authority::caller();
        if let Some((_, Ownership { uid, .. })) = found.filter(|(_, found)| found.uid != 0 && found.uid != caller.uid())
        {
            return Err(FileError::Foreign { uid });
        }
        let above = self.path.parent().map(|above| (above, Ownership::from(&folder)));
        let checked = found.into_iter().chain(above).filter_map(|(path, found)| {
            let untrusted = caller.check(found).err()?;
            let (path, remedy) = (path.display(), untrusted.remedy());
            let whose =
                if matches!(untrusted, Untrusted::Foreign { .. }) { "" } else { &format!("; run: {remedy} {path}") };
            Some(format!("{path}: {untrusted}, and whoever may write there chooses what the client starts{whose}"))
        });
        Ok(checked.collect())
    }

    /// What to say about who else could change it.
    pub(super) fn exposed(&self) -> &[String] {
        &self.exposed
    }

    /// Where it really is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it; nothing when it doesn't exist.
    pub(super) fn text(&self) -> &str {
        self.found.as_ref().map_or("", |found| &found.text)
    }

    /// Puts `text` in its place. Returns where the old content is now, when there was any.
    pub(super) fn replace(&self, text: &str) -> Result<Option<PathBuf>, FileError> {
        let mut new = TempFile::new(&self.dir).map_err(FileError::while_doing("write beside it"))?;
        let mode = self.found.as_ref().map_or(NEW_MODE, |found| found.mode);
        let written = new
            .write_all(&self.found.as_ref().map_or_else(|| text.as_bytes().to_owned(), |found| found.bytes(text)))
            .and_then(|()| new.as_file().set_permissions(Permissions::from_mode(mode)))
            .and_then(|()| new.as_file().sync_all());
        written.map_err(FileError::while_doing("write beside it"))?;
        let now = self.read()?;
        if now.as_ref().map(|found| &found.text) != self.found.as_ref().map(|found| &found.text) {
            return Err(FileError::Changed);
        }
        let backup = self.found.as_ref().map(|found| self.back_up(found)).transpose()?;
        new.replace(self.name()).map_err(FileError::while_doing("replace it"))?;
        Ok(backup)
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    fn read(&self) -> Result<Option<Found>, FileError> {
        let mut options = OpenOptions::new();
        // Never waits for a pipe; a link here came after the look.
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
        Ok(Some(Found { marked, text, mode, ownership: Ownership::from(&metadata) }))
    }

    /// Writes the old content under a name that nothing has: an older backup is never touched.
    fn back_up(&self, found: &Found) -> Result<PathBuf, FileError> {
        let failed = || FileError::while_doing("write a backup beside it");
        for number in 1..=BACKUPS {
            let mut name = self.name().to_owned();
            name.push(format!(".smcp-backup-{number}"));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(found.mode);
            match self.dir.open_with(&name, &options) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed()(error)),
                Ok(mut backup) => {
                    backup.write_all(&found.bytes(&found.text)).and_then(|()| backup.sync_all()).map_err(failed())?;
                    return Ok(self.path.with_file_name(name));
                }
            }
        }
        Err(FileError::Backups)
    }
}

/// Waits until no other smcp has the folder. A lock of the folder leaves no file behind; where the file system has no
/// locks, the look before the swap has to do.
fn take_turn(dir: &Dir) -> io::Result<File> {
    // The handle itself only names the folder; a lock needs one that is open for reading.
    let folder = dir.open_with(".", OpenOptions::new().read(true))?.into_std();
    match folder.lock() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(folder),
        locked => locked.map(|()| folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a file in it, and what is there as handles.
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
