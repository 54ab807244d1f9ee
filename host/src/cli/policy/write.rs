//! Writes files whole: a reader sees the old content or the new one.

use std::ffi::OsStr;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::Permissions;
use cap_tempfile::TempFile;

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

fn folder_of(path: &Path) -> io::Result<(Dir, PathBuf)> {
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
