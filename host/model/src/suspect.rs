//! A file or folder on the path of rules that another user could write to.

use std::fmt;
use std::path::PathBuf;

use crate::ownership::Untrusted;

/// A file, folder or link on the path of a file of rules that another user could have changed, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Its path.
    pub path: PathBuf,
    /// Its wrong owner or mode.
    pub why: Untrusted,
    /// The user id of the caller, who should own it.
    pub uid: u32,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

impl Suspect {
    /// The command that repairs it, ready to be copied.
    pub fn remedy(&self) -> String {
        let path = quoted(&self.path.to_string_lossy());
        match self.why {
            // Without `-h` the target of the link would change its owner.
            Untrusted::Foreign { .. } if self.is_link => format!("{} -h {} {path}", self.why.remedy(), self.uid),
            Untrusted::Foreign { .. } => format!("{} {} {path}", self.why.remedy(), self.uid),
            Untrusted::OthersWrite { .. } | Untrusted::GroupWrites { .. } => format!("{} {path}", self.why.remedy()),
        }
    }

    /// The fault and the remedy, without the path. What somebody else may have written is not the caller's by the remedy alone.
    pub fn advice(&self) -> String {
        format!(
            "{}, and whoever can change rules decides what runs; look at what it holds, then run: {}",
            self.why,
            self.remedy()
        )
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.advice())
    }
}

/// Quotes a path for a shell.
fn quoted(path: &str) -> String {
    let needs_no_quotes = |character: char| character.is_alphanumeric() || "/._-+@,:=".contains(character);
    if path.chars().all(needs_no_quotes) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_can_be_copied() {
        let link = Suspect { path: "/l".into(), why: Untrusted::Foreign { uid: 7 }, uid: 1000, is_link: true };
        assert_eq!(link.remedy(), "chown -h 1000 /l");
        for (path, why, expected) in [
            ("/a/c.yaml", Untrusted::OthersWrite { mode: 0o666 }, "chmod go-w /a/c.yaml"),
            ("/a b/c", Untrusted::GroupWrites { mode: 0o664, gid: 5 }, "chmod g-w '/a b/c'"),
            ("/it's", Untrusted::Foreign { uid: 7 }, r"chown 1000 '/it'\''s'"),
        ] {
            assert_eq!(Suspect { path: path.into(), why, uid: 1000, is_link: false }.remedy(), expected);
        }
    }
}
