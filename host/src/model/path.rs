//! Paths as people write them: one reading for all.
//!
//! In the configuration, for a registry, on the command line.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// A text names no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is empty.
    #[error("a path can't be empty")]
    Empty,
    /// It has a NUL character.
    #[error("a path has no NUL character")]
    Nul,
    /// It starts with `~`, and there is no home.
    #[error("`~` stands for HOME, which is not an absolute path")]
    NoHome,
    /// It starts with `~` and the name of a user.
    #[error("the home of another user is not looked up; write the whole path, or `./~…` for a name that starts so")]
    OtherHome,
}

/// The absolute path that `path` means: `~` and `~/…` from `home`, a relative one from `base`, which is absolute.
///
/// It has no `.` and `..`, which are resolved by the text alone: what is shown is what is opened and compared.
///
/// # Errors
/// See [`PathError`].
pub fn absolute(path: &Path, base: &Path, home: Option<&Path>) -> Result<PathBuf, PathError> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(PathError::Empty);
    }
    if bytes.contains(&0) {
        return Err(PathError::Nul);
    }
    let joined = match path.strip_prefix("~") {
        Ok(rest) => home.ok_or(PathError::NoHome)?.join(rest),
        Err(_) if bytes.starts_with(b"~") => return Err(PathError::OtherHome),
        Err(_) => base.join(path),
    };
    Ok(plain(&joined))
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // Above the root there is only the root.
            Component::ParentDir => drop(plain.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(component),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_in_one_way() {
        let cases = [
            ("", Err(PathError::Empty)),
            ("a\0b", Err(PathError::Nul)),
            ("/srv/x/", Ok("/srv/x")),
            ("x", Ok("/base/dir/x")),
            ("./x//y/.", Ok("/base/dir/x/y")),
            (".", Ok("/base/dir")),
            ("../x", Ok("/base/x")),
            ("../../../../x", Ok("/x")),
            ("x/../../y", Ok("/base/y")),
            ("~", Ok("/home/me")),
            ("~/", Ok("/home/me")),
            ("~/x", Ok("/home/me/x")),
            ("~//x", Ok("/home/me/x")),
            ("~/../you/x", Ok("/home/you/x")),
            ("~you/x", Err(PathError::OtherHome)),
            ("~~", Err(PathError::OtherHome)),
            ("./~you", Ok("/base/dir/~you")),
            ("x/~", Ok("/base/dir/x/~")),
        ];
        for (text, expected) in cases {
            let read = absolute(Path::new(text), Path::new("/base/dir"), Some(Path::new("/home/me")));
            assert_eq!(read, expected.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn without_a_home_there_is_no_tilde() {
        let read = |text| absolute(Path::new(text), Path::new("/base"), None);
        assert_eq!(read("~/x"), Err(PathError::NoHome));
        assert_eq!(read("~x"), Err(PathError::OtherHome));
        assert_eq!(read("x"), Ok("/base/x".into()));
    }
}
