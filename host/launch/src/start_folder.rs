//! Where a server starts: the opened folder that was filled, and not its path.
//!
//! A path through folders that somebody else may rename can be made to lead elsewhere at any moment, a descriptor can't.
//! So the process enters the opened folder, and finds a program of the bundle from there.

use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;

/// A folder of the bundle, opened, and the program as it is called from there.
#[derive(Debug)]
pub(crate) struct StartFolder {
    pub(crate) dir: Dir,
    pub(crate) program: PathBuf,
}

impl StartFolder {
    /// The folder at `directory`, in the bundle that is at `root` and opened as `dir`. A program at a path in the bundle
    /// is one of the bundle; any other is the system's, and stays where it is.
    pub(crate) fn open(root: &Path, dir: &Dir, directory: &Path, program: PathBuf) -> io::Result<Self> {
        let inside = directory.strip_prefix(root).unwrap_or(Path::new(""));
        let dir = if inside.as_os_str().is_empty() { dir.try_clone()? } else { dir.open_dir(inside)? };
        // Elsewhere the process is started by the path of the folder, and has to find its program by its own.
        let own = program.strip_prefix(root).ok().filter(|_| cfg!(target_os = "linux"));
        let program = own.map_or_else(|| program.clone(), |own| called(inside, own));
        Ok(Self { dir, program })
    }
}

/// How a file of the bundle is called from one of its folders; with a slash, so that nobody looks for it on PATH.
fn called(from: &Path, file: &Path) -> PathBuf {
    let mut path = PathBuf::from(".");
    path.extend(from.components().filter(|part| matches!(part, Component::Normal(_))).map(|_| ".."));
    path.join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_bundle_is_called_from_where_it_starts() {
        for (from, file, expected) in [
            ("", "server", "./server"),
            ("", "bin/tool", "./bin/tool"),
            ("data", "server", "./../server"),
            ("a/b", "bin/tool", "./../../bin/tool"),
            ("bin", "bin/tool", "./../bin/tool"),
        ] {
            assert_eq!(called(Path::new(from), Path::new(file)), Path::new(expected), "{from} {file}");
        }
    }
}
