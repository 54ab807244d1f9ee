//! Looks up a command without a slash on PATH.
//!
//! As a shell does, but only in absolute directories: a relative one would depend on where smcp was started, and let
//! the content of a folder choose the program. The message of a failure lists what was searched, because a client that
//! a desktop started has another PATH than a terminal.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use crate::IsProgram;
use crate::error::LaunchError;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// The advice. It comes before the list of directories, which may be long.
const HELP: &str =
    "install it, or name its folder: --env PATH=… (a client on a desktop has a shorter PATH than a terminal)";

/// The directories in which a command was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched {
    /// Whether there was a PATH at all.
    set: bool,
    searched: ShownDirectories,
    skipped: ShownDirectories,
}

/// The first few directories of a list, and how many there are besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ShownDirectories {
    shown: Vec<SafeText>,
    more: usize,
}

/// Finds the file of a command.
pub(crate) fn on_path(
    command: &str,
    search_path: Option<&OsStr>,
    is_program: IsProgram,
) -> Result<PathBuf, LaunchError> {
    let mut any = false;
    let mut sought = Searched {
        set: search_path.is_some(),
        searched: ShownDirectories::default(),
        skipped: ShownDirectories::default(),
    };
    for directory in search_path.map(std::env::split_paths).into_iter().flatten() {
        if !directory.is_absolute() {
            sought.skipped.add(&directory);
            continue;
        }
        sought.searched.add(&directory);
        let candidate = directory.join(command);
        match is_program(&candidate) {
            Some(true) => return Ok(candidate),
            Some(false) => any = true,
            None => {}
        }
    }
    let command = SafeText::quoted(command);
    Err(if any { LaunchError::NotExecutable { command } } else { LaunchError::NotOnPath { command, searched: sought } })
}

impl ShownDirectories {
    fn add(&mut self, directory: &Path) {
        if self.shown.len() < limits::PATH_SHOWN {
            let text = directory.to_string_lossy();
            self.shown.push(SafeText::quoted(if text.is_empty() { "(the empty part)" } else { &text }));
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

impl fmt::Display for ShownDirectories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.shown.iter().map(SafeText::as_str).collect();
        f.write_str(&shown.join(", "))?;
        if self.more > 0 { write!(f, " and {} more", self.more) } else { Ok(()) }
    }
}

impl fmt::Display for Searched {
    /// The end of a message's first line, and the lines behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.set {
            f.write_str(", which is not set")?;
        }
        write!(f, "\n  {HELP}")?;
        if !self.searched.shown.is_empty() {
            write!(f, "\n  searched: {}", self.searched)?;
        }
        if !self.skipped.shown.is_empty() {
            write!(f, "\n  skipped, because only absolute directories are searched: {}", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(path: Option<&str>) -> String {
        on_path("node", path.map(OsStr::new), |_| None).unwrap_err().to_string()
    }

    #[test]
    fn what_was_searched_and_what_was_skipped_is_said() {
        let skipped = "skipped, because only absolute directories are searched";
        let cases = [
            (None, format!(", which is not set\n  {HELP}")),
            (Some("/usr/bin:/bin"), format!("\n  {HELP}\n  searched: /usr/bin, /bin")),
            (
                Some("/bin:~/bin::tools:../x\u{1b}"),
                format!("\n  {HELP}\n  searched: /bin\n  {skipped}: ~/bin, (the empty part), tools, ../x\\u{{1b}}"),
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(message(path), format!("the server's command `node` was not found on PATH{expected}"));
        }
        let many = (0..100).map(|number| format!("/{number}")).collect::<Vec<_>>().join(":");
        assert!(message(Some(&many)).ends_with("/22, /23 and 76 more"), "{}", message(Some(&many)));
    }
}
