//! The folder that a server starts in, by its descriptor and not by its path.
//!
//! Another user who may rename a folder of the path can make the path lead elsewhere at any moment; a descriptor stays.
//! So the process enters the opened folder, and finds a program of the bundle from there.

use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;

/// An opened folder of the bundle, and the program's path relative to it.
#[derive(Debug)]
pub(crate) struct StartFolder {
    pub(crate) dir: Dir,
    pub(crate) program: PathBuf,
}

impl StartFolder {
    /// Opens the folder at `directory` in the bundle, whose path is `root` and whose descriptor is `dir`. The path of a
    /// program in the bundle becomes relative to that folder; the path of any other program stays.
    pub(crate) fn open(root: &Path, dir: &Dir, directory: &Path, program: PathBuf) -> io::Result<Self> {
        let inside = directory.strip_prefix(root).unwrap_or(Path::new(""));
        let dir = if inside.as_os_str().is_empty() { dir.try_clone()? } else { dir.open_dir(inside)? };
        // On other systems the process starts by the path of the folder, and finds its program by its full path.
        let own = program.strip_prefix(root).ok().filter(|_| cfg!(target_os = "linux"));
        let program = own.map_or_else(|| program.clone(), |own| called(inside, own));
        Ok(Self { dir, program })
    }
}

/// The path of a file of the bundle, seen from one of its folders. It has a slash, so that PATH is not searched for it.
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
