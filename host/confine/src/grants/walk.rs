//! Follows a path as the system does, and says where its links lie.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::grants::protected::of_kernel;

/// How many links the system follows in one path.
const LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// The path without a link. What isn't there is as it was named.
    pub(super) real: PathBuf,
    /// The links that were followed, each by a path without another link.
    pub(super) links: Vec<PathBuf>,
}

/// Follows an absolute path; `None` when its links have no end. `target` says what a link leads to.
pub(super) fn walk(path: &Path, target: fn(&Path) -> Option<PathBuf>) -> Option<Walked> {
    let mut real = PathBuf::from("/");
    let mut links = Vec::new();
    let mut left: VecDeque<OsString> = names(path).collect();
    while let Some(name) = left.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        real.push(name);
        if let Some(target) = target(&real) {
            links.push(real.clone());
            if links.len() > LINKS {
                return None;
            }
            real.pop();
            if target.is_absolute() {
                real = PathBuf::from("/");
            }
            left = names(&target).chain(left).collect();
        }
    }
    Some(Walked { real, links })
}

/// Whether a path leads through a link of the kernel's, which is another one for each process.
pub(super) fn through_kernel(path: &Path, target: fn(&Path) -> Option<PathBuf>) -> bool {
    walk(path, target).is_none_or(|walked| walked.links.iter().any(|link| of_kernel(link).is_some()))
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(_) | Component::ParentDir => Some(part.as_os_str().to_owned()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_wherever_they_stand() {
        let target: fn(&Path) -> Option<PathBuf> = |path| {
            let target = match path.to_str()? {
                "/a" => "/b/c",
                "/b/c" => "../d",
                "/loop" => "loop",
                _ => return None,
            };
            Some(PathBuf::from(target))
        };
        for (path, real, links) in [
            ("/x/y", "/x/y", &[][..]),
            ("/x/../y/.", "/y", &[]),
            ("/..", "/", &[]),
            ("/b/c/e", "/d/e", &["/b/c"]),
            ("/a/../e", "/e", &["/a", "/b/c"]),
        ] {
            let links = links.iter().map(PathBuf::from).collect();
            assert_eq!(walk(Path::new(path), target), Some(Walked { real: real.into(), links }), "{path}");
        }
        assert_eq!(walk(Path::new("/loop/x"), target), None);
    }
}
