//! Resolves paths as people write them, by one rule everywhere.
//!
//! The rule holds for the configuration, registries and the command line.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// A text is not a path that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is empty.
    #[error("a path can't be empty")]
    Empty,
    /// It contains a NUL character.
    #[error("a path has no NUL character")]
    Nul,
    /// It starts with `~`, and the home folder is not known.
    #[error("`~` stands for HOME, which is not an absolute path")]
    NoHome,
    /// It starts with `~` and the name of a user.
    #[error("the home of another user is not looked up; write the whole path, or `./~…` for a name that starts so")]
    OtherHome,
    /// It contains a variable that a shell would replace.
    #[error("`{path}`: variables are not expanded; write the whole path, or `~/…`")]
    Variable {
        /// The path as it was written.
        path: String,
    },
    /// It is relative, and the folder that it would start from is not known.
    #[error("`{path}` is relative, and the current folder can't be found")]
    Relative {
        /// The path as it was written.
        path: String,
    },
}

/// Returns the absolute path that `path` means: `~` and `~/…` start from `home`, a relative path from `base`. A `base`
/// that is not absolute means that the current folder can't be found, for example because it was removed.
///
/// The result has no `.` and `..`, which are resolved by the text alone: the path that is shown is the path that is
/// opened and compared.
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
    let written = || path.display().to_string();
    if has_variable(&path.to_string_lossy()) {
        return Err(PathError::Variable { path: written() });
    }
    let joined = match path.strip_prefix("~") {
        Ok(rest) => home.ok_or(PathError::NoHome)?.join(rest),
        Err(_) if bytes.starts_with(b"~") => return Err(PathError::OtherHome),
        Err(_) => base.join(path),
    };
    if joined.is_absolute() { Ok(without_dots(&joined)) } else { Err(PathError::Relative { path: written() }) }
}

/// Whether a path looks like one with a variable to be replaced: `$HOME/x`, `${X}`, `%X%`. One that starts with `./` is
/// taken literally.
fn has_variable(path: &str) -> bool {
    // Shorter names are bytes of an encoded name: `%C3%A9`.
    let name = |text: &str| {
        text.len() > 2
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_()".contains(&byte))
    };
    if path.starts_with("./") {
        return false;
    }
    let percent = path.split('%').collect::<Vec<_>>();
    let inner = percent.get(1..percent.len().saturating_sub(1)).unwrap_or_default();
    path.starts_with('$') || path.contains("${") || inner.iter().any(|between| name(between))
}

/// The path without `.` and `..`.
fn without_dots(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // The parent of the root is the root.
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => resolved.push(component),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_by_one_rule() {
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
            ("./$x", Ok("/base/dir/$x")),
            ("./${x}/%TEMP%", Ok("/base/dir/${x}/%TEMP%")),
            ("100%/a%", Ok("/base/dir/100%/a%")),
            ("50% of x%y", Ok("/base/dir/50% of x%y")),
            ("caf%C3%A9%20x", Ok("/base/dir/caf%C3%A9%20x")),
        ];
        for (text, expected) in cases {
            let read = absolute(Path::new(text), Path::new("/base/dir"), Some(Path::new("/home/me")));
            assert_eq!(read, expected.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn a_path_with_a_variable_is_refused() {
        for text in ["$HOME/x", "$X", "/srv/${X}/y", "${HOME}/x", "%APPDATA%/x", "C:/%ProgramFiles(x86)%/x"] {
            let read = absolute(Path::new(text), Path::new("/base"), Some(Path::new("/home/me")));
            assert_eq!(read, Err(PathError::Variable { path: text.to_owned() }));
        }
    }

    #[test]
    fn without_a_current_folder_there_are_absolute_paths_only() {
        let read = |text| absolute(Path::new(text), Path::new(""), Some(Path::new("/home/me")));
        for text in ["x", "./x", "../x", "."] {
            let error = read(text).unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` is relative, and the current folder can't be found"));
        }
        assert_eq!(read("/x"), Ok("/x".into()));
        assert_eq!(read("~/x"), Ok("/home/me/x".into()));
    }

    #[test]
    fn without_a_home_there_is_no_tilde() {
        let read = |text| absolute(Path::new(text), Path::new("/base"), None);
        assert_eq!(read("~/x"), Err(PathError::NoHome));
        assert_eq!(read("~x"), Err(PathError::OtherHome));
        assert_eq!(read("x"), Ok("/base/x".into()));
    }
}
