//! A file system for tests: a map that also has broken and forbidden files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::Files;
use smcp_model::guarded::Folder;
use smcp_model::guarded::Guarded;
use smcp_model::guarded::GuardedNames;
use smcp_model::guarded::ReadError;
use smcp_model::ownership::Owners;
use smcp_model::ownership::Untrusted;
use smcp_model::suspect::Suspect;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    /// A file with this text.
    File(&'static str),
    /// A file that may not be read.
    Unreadable,
    /// A file of this many bytes.
    Large(usize),
    /// A pipe or a device.
    Pipe,
    /// A folder; the map has what is below it too.
    Folder,
    /// A folder that may be searched, but not listed.
    Unlisted,
    /// A folder that may not be searched.
    Closed,
    /// A link that leads nowhere.
    Dangling,
    /// A link that leads to itself.
    Loop,
}

/// The file system. Folders above the paths in the map exist too.
#[derive(Debug, Default)]
pub(super) struct FakeFiles {
    things: BTreeMap<PathBuf, Thing>,
    writable_by_others: Vec<PathBuf>,
    owned_by_the_user: Vec<PathBuf>,
    /// The owner of the home, when that is not the caller.
    pub(super) owner_of_home: Option<u32>,
}

impl FakeFiles {
    /// Returns a file system with these paths, and the folders above them.
    pub(super) fn new(things: &[(&str, Thing)]) -> Self {
        let mut all = BTreeMap::from([(PathBuf::from("/"), Thing::Folder)]);
        for (path, thing) in things {
            for above in Path::new(path).ancestors().skip(1) {
                all.entry(above.to_owned()).or_insert(Thing::Folder);
            }
            all.insert(PathBuf::from(path), *thing);
        }
        Self { things: all, ..Self::default() }
    }

    /// Returns the same, with a path that other users may write to.
    pub(super) fn writable(mut self, path: &str) -> Self {
        self.writable_by_others.push(PathBuf::from(path));
        self
    }

    /// Returns the same, with a path that belongs to the user; all others belong to root.
    pub(super) fn owned(mut self, path: &str) -> Self {
        self.owned_by_the_user.push(PathBuf::from(path));
        self
    }

    /// Returns what others could have changed on the way to a path.
    fn suspects(&self, path: &Path, folder: Folder, owners: Owners) -> Vec<Suspect> {
        // `Folder::Any` allows a folder that others may write to, such as a sticky one of root.
        let counts = |suspect: &&PathBuf| path.starts_with(suspect) && (folder == Folder::Own || *suspect == path);
        let suspect = |path: &PathBuf, why| Suspect { path: path.clone(), why, uid: 1000, is_link: false };
        let writable = self.writable_by_others.iter().filter(counts);
        let foreign = self.owned_by_the_user.iter().filter(|owned| owners == Owners::Root && path.starts_with(owned));
        writable
            .map(|path| suspect(path, Untrusted::OthersWrite { mode: 0o777 }))
            .chain(foreign.map(|path| suspect(path, Untrusted::Foreign { uid: 1000 })))
            .collect()
    }

    /// Returns what is at a path. An error comes from the first part of the path that is not a folder.
    fn at(&self, path: &Path) -> io::Result<Thing> {
        let mut above: Vec<_> = path.ancestors().skip(1).collect();
        above.reverse();
        for folder in above {
            match self.things.get(folder) {
                Some(Thing::Folder | Thing::Unlisted) => {}
                Some(Thing::Closed) => return Err(io::ErrorKind::PermissionDenied.into()),
                Some(Thing::Loop) => return Err(looping()),
                Some(Thing::Dangling) | None => return Err(io::ErrorKind::NotFound.into()),
                Some(Thing::File(_) | Thing::Unreadable | Thing::Large(_) | Thing::Pipe) => {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
            }
        }
        self.things.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn looping() -> io::Error {
    io::Error::other("Too many levels of symbolic links")
}

impl Files for FakeFiles {
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        match self.at(folder)? {
            Thing::Folder | Thing::Closed => {
                let below = self.things.keys().filter(|path| path.parent() == Some(folder));
                Ok(below.filter_map(|path| path.file_name().map(ToOwned::to_owned)).collect())
            }
            Thing::Unlisted => Err(io::ErrorKind::PermissionDenied.into()),
            Thing::Dangling => Err(io::ErrorKind::NotFound.into()),
            Thing::Loop => Err(looping()),
            Thing::File(_) | Thing::Unreadable | Thing::Large(_) | Thing::Pipe => {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.at(path) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                let above = path.ancestors().skip(1).find_map(|above| self.things.get(above));
                if above == Some(&Thing::Dangling) { Err(io::ErrorKind::NotFound.into()) } else { Ok(false) }
            }
            Err(error) => Err(error),
        }
    }

    fn names_guarded(&self, path: &Path, folder: Folder, owners: Owners) -> GuardedNames {
        GuardedNames { names: self.names(path), suspects: self.suspects(path, folder, owners) }
    }

    fn read_guarded(&self, path: &Path, limit: usize, folder: Folder, owners: Owners) -> Guarded {
        let bytes = match self.at(path) {
            Ok(Thing::File(text)) => Ok(text.as_bytes().to_vec()),
            Ok(Thing::Large(size)) if size <= limit => Ok(vec![b'#'; size]),
            Ok(Thing::Large(_)) => Err(ReadError::TooLarge { limit }),
            Ok(Thing::Unreadable) => Err(io::Error::from(io::ErrorKind::PermissionDenied).into()),
            Ok(Thing::Dangling) => Err(io::Error::from(io::ErrorKind::NotFound).into()),
            Ok(Thing::Loop) => Err(looping().into()),
            Ok(Thing::Pipe | Thing::Folder | Thing::Unlisted | Thing::Closed) => Err(ReadError::NotAFile),
            Err(error) => Err(error.into()),
        };
        Guarded { bytes, suspects: self.suspects(path, folder, owners) }
    }

    fn foreign_owner(&self, path: &Path) -> Option<u32> {
        self.owner_of_home.filter(|_| path == Path::new("/home/me"))
    }
}
