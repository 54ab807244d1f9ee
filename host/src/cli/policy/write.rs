//! Writes files whole: a reader sees the old content or the new one.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io;
use std::io::Read as _;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::Permissions;
use cap_tempfile::TempFile;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_model::bounded;

/// Writes a file, or another one in its place. Where `old` is given, the file must still have that content. A link is
/// followed, and stays a link.
pub(in crate::cli) fn write_whole(path: &Path, old: Option<&[u8]>, new: &[u8]) -> io::Result<()> {
    write_by(path, old, &mut |file| file.write_all(new))
}

/// Does the same with what `write` writes.
pub(in crate::cli) fn write_by(
    path: &Path,
    old: Option<&[u8]>,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let real = match authority::resolve(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && old.is_none() => path.to_path_buf(),
        resolved => resolved?,
    };
    let (dir, name) = folder_of(&real)?;
    let permissions = permissions(&dir, &name)?;
    let mut file = TempFile::new(&dir)?;
    write(&mut file)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    if let Some(old) = old {
        let now = bounded::read_within(dir.open(&name)?, old.len(), old.len())?;
        if now.as_deref() != Some(old) {
            return Err(io::Error::other("it has changed meanwhile; try again"));
        }
    }
    file.replace(&name)
}

/// Refuses a file for output that smcp itself keeps: the audit log with all that is beside it, the configuration, and what is
/// in the cache, whether it is there yet or not. Every command that writes a file of a given name asks.
pub(in crate::cli) fn refuse_state(app: &App, output: &Path) -> Result<(), Failure> {
    let path = app.path(output)?;
    // What can't be looked at is told when it is written.
    let Ok(at) = FileAt::of(&path) else { return Ok(()) };
    match app.state_files().iter().find(|state| at.is_in(state)) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(anyhow::anyhow!(
            "{} would be written over what smcp keeps: its audit log, configuration, keys or cache\n  → name another file",
            output.display()
        ))),
    }
}

/// Files that smcp keeps.
#[derive(Debug)]
pub(in crate::cli) enum StateFile {
    /// One file.
    File(PathBuf),
    /// An audit log, with its lock, what was put aside, and its folder of running servers.
    Log(PathBuf),
    /// A folder, with all that is in it.
    Folder(PathBuf),
}

/// Where a file is, or would be: the folder, and those that it is in, each by device and number.
struct FileAt {
    name: OsString,
    real: Option<(u64, u64)>,
    folders: Vec<((u64, u64), OsString)>,
}

impl FileAt {
    fn of(path: &Path) -> io::Result<Self> {
        let path = match authority::resolve(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
            resolved => resolved?,
        };
        // Its folder may be there under another name.
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder = authority::resolve(folder).unwrap_or_else(|_| folder.to_path_buf());
        let name = path.file_name().unwrap_or_default().to_owned();
        let mut folders = Vec::new();
        let mut below = name.clone();
        for folder in folder.ancestors() {
            if let Some(identity) = folder_identity(folder) {
                folders.push((identity, below));
            }
            below = folder.file_name().unwrap_or_default().to_owned();
        }
        Ok(Self { real: identity(&path), name, folders })
    }

    fn is_in(&self, state: &StateFile) -> bool {
        match state {
            StateFile::File(file) => {
                let is_it = |folder: &Path| self.is_directly_in(folder) && file.file_name() == Some(&self.name);
                file.parent().is_some_and(is_it) || (self.real.is_some() && identity(file) == self.real)
            }
            StateFile::Folder(folder) => {
                folder_identity(folder).is_some_and(|folder| self.folders.iter().any(|(it, _)| *it == folder))
            }
            StateFile::Log(log) => {
                let real = authority::resolve(log).unwrap_or_else(|_| log.clone());
                let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else { return false };
                let Some(folder) = folder_identity(folder) else { return false };
                // The name in the folder of the log: its own, or that of a folder that it is in.
                let named = self.folders.iter().find(|(it, _)| *it == folder).map(|(_, name)| name.to_string_lossy());
                named.is_some_and(|found| smcp_audit::is_of_log(&name.to_string_lossy(), &found))
                    || (self.real.is_some() && is_linked(&real, self.real))
            }
        }
    }

    fn is_directly_in(&self, folder: &Path) -> bool {
        folder_identity(folder).is_some_and(|folder| self.folders.first().is_some_and(|(it, _)| *it == folder))
    }
}

/// Whether a file of a log is this one under another name.
fn is_linked(log: &Path, file: Option<(u64, u64)>) -> bool {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else { return false };
    let name = name.to_string_lossy();
    let names = authority::names_in(folder).into_iter();
    let mut ours = names.filter(|found| smcp_audit::is_of_log(&name, &found.to_string_lossy()));
    ours.any(|found| identity(&folder.join(found)) == file)
}

fn folder_identity(folder: &Path) -> Option<(u64, u64)> {
    let metadata = authority::open_dir(folder).ok()?.dir_metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Refuses a file for output that the same command reads, under whatever name, or that smcp keeps.
pub(in crate::cli) fn refuse_input(app: &App, output: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    refuse_state(app, output)?;
    let path = app.path(output)?;
    match inputs.iter().find(|input| is_same_file(input, &path)) {
        None => Ok(()),
        Some(input) => Err(Failure::usage(anyhow::anyhow!(
            "{} would be written over {}, which is read\n  → name another file",
            output.display(),
            input.display()
        ))),
    }
}

/// Refuses a file for output where something of another kind is: sources, a configuration. What is empty is what
/// `mktemp` makes.
pub(in crate::cli) fn refuse_other(app: &App, output: &Path, magic: &[u8], kind: &str) -> Result<(), Failure> {
    refuse_state(app, output)?;
    let is_other = |path: &Path| {
        let (dir, name) = folder_of(&authority::resolve(path)?)?;
        if !dir.symlink_metadata(&name)?.is_file() {
            return Ok(false);
        }
        let mut start = Vec::new();
        let length = u64::try_from(magic.len()).map_err(io::Error::other)?;
        dir.open(&name)?.take(length).read_to_end(&mut start)?;
        io::Result::Ok(!start.is_empty() && start != magic)
    };
    // What can't be read is told when it is written.
    if is_other(&app.path(output)?).unwrap_or(false) {
        let output = output.display();
        return Err(Failure::usage(anyhow::anyhow!(
            "{output} is there and is no {kind}, so it is not replaced\n  → name another file"
        )));
    }
    Ok(())
}

/// Whether two paths lead to one file, which is there.
pub(in crate::cli) fn is_same_file(one: &Path, other: &Path) -> bool {
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Returns the device and the number of a file, links followed; `None` where there is none.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let (dir, name) = folder_of(&authority::resolve(path).ok()?).ok()?;
    let metadata = dir.symlink_metadata(name).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

pub(in crate::cli) fn folder_of(path: &Path) -> io::Result<(Dir, PathBuf)> {
    let name = path.file_name().map(OsStr::to_owned).ok_or_else(|| io::Error::other("it names no file"))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("/"));
    Ok((authority::open_dir(folder)?, PathBuf::from(name)))
}

/// Returns the permissions of an existing file.
fn permissions(dir: &Dir, name: &Path) -> io::Result<Option<Permissions>> {
    match dir.symlink_metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is not a regular file")),
        metadata => Ok(Some(metadata?.permissions())),
    }
}
