//! Opens the folders that smcp relies on, and then checks their owner and mode.
//!
//! Every later access goes through the opened and checked handle.
//!
//! A folder that another user could change, or could have filled, is not used for files that run. Links are not followed
//! below the folder that the user names; the error names the link.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::DirBuilder;
use cap_std::fs::DirBuilderExt as _;
use cap_std::fs::Metadata;

use crate::access::StoreAccess;
use crate::error::FolderProblem;
use crate::error::StoreError;
use crate::file::open_folder_for_names;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;

/// Checks that only the caller, or root, can change a folder and the folders below it. Knows the folder's path.
#[derive(Debug, Clone)]
pub struct FolderGuard {
    caller: Caller,
    path: PathBuf,
}

impl FolderGuard {
    /// Makes the guard of the folder at the absolute `path`, on behalf of `caller`.
    pub fn new(caller: Caller, path: &Path) -> Self {
        Self { caller, path: path.to_path_buf() }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the guard of a folder inside of this one.
    pub fn inside(&self, name: &str) -> Self {
        Self { caller: self.caller, path: self.path.join(name) }
    }

    /// The user who runs smcp.
    pub const fn caller(&self) -> Caller {
        self.caller
    }

    /// Checks the opened folder.
    ///
    /// # Errors
    /// With a [`StoreError`] inside when another user could change its contents.
    pub fn check(&self, dir: &Dir) -> io::Result<()> {
        self.check_owner(&dir.dir_metadata()?)
    }

    fn check_owner(&self, found: &Metadata) -> io::Result<()> {
        let ownership = Ownership::from(found);
        let refused = |problem| StoreError::from(FolderProblem::Exposed(problem).at(&self.path));
        self.caller.check(ownership).map_err(|problem| io::Error::other(refused(problem)))
    }

    /// Opens a folder in `dir` and checks it; `None` when it does not exist.
    pub fn open(&self, dir: &Dir, name: &str) -> io::Result<Option<(Dir, Self)>> {
        let guard = self.inside(name);
        let folder = match open_folder_for_names(dir, name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(guard.refused(is_link(dir, Path::new(name)), name, error)),
            Ok(folder) => folder,
        };
        guard.check(&folder)?;
        Ok(Some((folder, guard)))
    }

    /// Looks at a folder in `dir`, if it exists, and finds what [`open`](Self::open) would refuse about it.
    pub(crate) fn look_at(&self, dir: &Dir, name: &str) -> io::Result<()> {
        let guard = self.inside(name);
        let found = match dir.symlink_metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        if !found.is_dir() {
            return Err(guard.refused(found.is_symlink(), name, io::ErrorKind::NotADirectory.into()));
        }
        guard.check_owner(&found)
    }

    /// Makes an error of what stands in a folder's place, or keeps it from being opened.
    fn refused(&self, is_link: bool, name: &str, error: io::Error) -> io::Error {
        let kind = error.kind();
        if is_link {
            io::Error::other(StoreError::from(FolderProblem::Link.at(&self.path)))
        } else if kind == io::ErrorKind::NotADirectory {
            io::Error::new(kind, format!("`{name}` in it is not a folder"))
        } else {
            error
        }
    }

    /// Opens a folder in `dir` and checks it. Makes it first if needed.
    pub fn make(&self, dir: &Dir, name: &str) -> io::Result<(Dir, Self)> {
        if let Some(opened) = self.open(dir, name)? {
            return Ok(opened);
        }
        create(dir, name, StoreAccess::Private)?;
        self.open(dir, name)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Makes a folder. An existing one stays as it is.
pub fn create(dir: &Dir, name: &str, access: StoreAccess) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(access.folder_mode());
    match dir.create_dir_with(name, &builder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The mode of a folder in which nobody makes, removes or renames anything.
pub const READ_ONLY: u32 = 0o500;

/// Makes an opened folder read-only.
pub fn make_read_only(dir: &Dir) -> io::Result<()> {
    // A handle of its own: the one of a folder may be good for names only.
    dir.open(".")?.into_std().set_permissions(PermissionsExt::from_mode(READ_ONLY))
}

/// Replaces an error about `path` in `dir` if the reason is a link in that path.
pub fn explain(dir: &Dir, path: &str, error: io::Error) -> io::Error {
    let mut above: Vec<&Path> = Path::new(path).ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    above.reverse();
    let Some(link) = above.into_iter().find(|part| is_link(dir, part)) else { return error };
    let thing = if link == Path::new(path) { "file" } else { "folder" };
    let message = format!(
        "`{}` is a link, and links are not followed there: put the {thing} itself in its place",
        link.display()
    );
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// Finds the first name in a folder for which `is_ours` is false.
pub(crate) fn first_unknown(dir: &Dir, is_ours: impl Fn(&str) -> bool) -> io::Result<Option<String>> {
    for entry in dir.entries()? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !is_ours(&name) {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

fn is_link(dir: &Dir, path: &Path) -> bool {
    dir.symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
