//! What registries have answered, kept in the cache for a day when they can't.
//!
//! `pipeline` keeps each answer whose bytes were verified, and `offline` reads them. Nothing here is approval: a kept
//! answer goes through the same checks and the same policies as a new one.
//!
//! `resolutions/<registry and package>/<version>.json`, both parts as SHA-256, so that nothing that a registry says
//! becomes a path. A document is believed only as far as it is ours: written by this user, writable by nobody else,
//! about what was asked for, and from the past. Anything else counts as absent.

mod form;

use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use cap_tempfile::TempFile;

use crate::model::digest::Digest;
use crate::model::limits;
use crate::model::name::PackageId;
use crate::model::package::PackageRef;
use crate::model::package::Resolution;
use crate::model::package::Selector;
use crate::model::package::Version;
use crate::model::registry::Registry;
use crate::package::blobs::Access;
use crate::package::blobs::create_folder;
use crate::package::blobs::keep;
use crate::package::blobs::open_file;
use crate::package::resolutions::form::Form;

/// Where the answers are, in a cache.
const FOLDER: &str = "resolutions";
/// How the name of an answer ends.
const SUFFIX: &str = ".json";

/// An answer of a registry, and when it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The answer.
    pub(super) resolution: Resolution,
    /// When, in seconds since the Unix epoch.
    pub(super) at: u64,
}

/// An answer in the store, and where it is.
#[derive(Debug)]
pub(super) struct Filed {
    /// What is there; `None` when it can't be believed.
    pub(super) kept: Option<Kept>,
    folder: String,
    name: String,
}

/// The answers that a cache has kept.
#[derive(Debug)]
pub struct Resolutions {
    root: Dir,
}

impl Resolutions {
    /// Those of the cache in `dir`.
    pub const fn new(dir: Dir) -> Self {
        Self { root: dir }
    }

    /// Keeps an answer that was asked for at `at`. The same answer is written again only when it has aged a little, and
    /// one that was asked for later stays: a download that took long does not undo a "no" that somebody heard meanwhile.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, resolution: &Resolution, at: u64, now: u64) -> io::Result<()> {
        let (folder, name) = (folder_of(&resolution.registry, &resolution.id), name_of(&resolution.version));
        if let Some(kept) = self.read(&folder, &name, now)
            && (kept.at > at
                || kept.resolution == *resolution && at.saturating_sub(kept.at) < limits::RESOLUTION_RENEWED.as_secs())
        {
            return Ok(());
        }
        let all = create_folder(&self.root, FOLDER, Access::Private)?;
        let folder = create_folder(&all, &folder, Access::Private)?;
        let mut draft = TempFile::new(&folder)?;
        draft.write_all(&Form::of(resolution, at).to_bytes()?)?;
        keep(&folder, draft, &name, Access::Private)
    }

    /// Forgets what was known of something that the registry doesn't have any more.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn forget(&self, registry: &Registry, wanted: &PackageRef, now: u64) -> io::Result<()> {
        match &wanted.selector {
            Selector::Exact(version) => self.remove_file(&folder_of(registry, &wanted.id), &name_of(version)),
            Selector::Digest(digest) => {
                let of_package = self.of_package(registry, &wanted.id, now);
                let stale = of_package.into_iter().filter(|kept| has_digest(&kept.resolution, digest));
                stale
                    .map(|kept| kept.resolution.version)
                    .try_for_each(|version| self.remove_file(&folder_of(registry, &wanted.id), &name_of(&version)))
            }
            Selector::Latest => Ok(()),
        }
    }

    /// The answer about one version; none when it can't be believed.
    pub(super) fn of_version(&self, registry: &Registry, id: &PackageId, version: &Version, now: u64) -> Option<Kept> {
        let kept = self.read(&folder_of(registry, id), &name_of(version), now)?;
        let found = &kept.resolution;
        (found.registry == *registry && found.id == *id && found.version == *version).then_some(kept)
    }

    /// How far in the future the answer lies that would be used if the clock were right; none when there is none.
    pub(super) fn ahead(&self, registry: &Registry, wanted: &PackageRef, now: u64) -> Option<(String, Duration)> {
        let meant = match &wanted.selector {
            Selector::Exact(version) => {
                self.of_version(registry, &wanted.id, version, u64::MAX).into_iter().collect::<Vec<_>>()
            }
            Selector::Digest(_) | Selector::Latest => self.of_package(registry, &wanted.id, u64::MAX),
        };
        let fits = |kept: &&Kept| match &wanted.selector {
            Selector::Digest(digest) => has_digest(&kept.resolution, digest),
            Selector::Exact(_) | Selector::Latest => true,
        };
        let nearest = meant.iter().filter(fits).min_by_key(|kept| kept.at)?;
        let ahead = nearest.at.checked_sub(now).filter(|ahead| *ahead > limits::CLOCK_TOLERANCE.as_secs())?;
        Some((nearest.resolution.label(), Duration::from_secs(ahead)))
    }

    /// The answers about one package, newest first.
    pub(super) fn of_package(&self, registry: &Registry, id: &PackageId, now: u64) -> Vec<Kept> {
        let folder = folder_of(registry, id);
        let names = self.names(&format!("{FOLDER}/{folder}")).unwrap_or_default();
        let mut found: Vec<Kept> = names.iter().filter_map(|name| self.read(&folder, name, now)).collect();
        found.retain(|kept| kept.resolution.registry == *registry && kept.resolution.id == *id);
        found.sort_by_key(|kept| std::cmp::Reverse(kept.at));
        found
    }

    /// Every document of the store.
    pub(super) fn all(&self, now: u64) -> io::Result<Vec<Filed>> {
        let mut found = Vec::new();
        for folder in self.names(FOLDER)? {
            for name in self.names(&format!("{FOLDER}/{folder}"))? {
                let kept = self.read(&folder, &name, now).filter(|kept| {
                    let Resolution { registry, id, version, .. } = &kept.resolution;
                    folder == folder_of(registry, id) && name == name_of(version)
                });
                found.push(Filed { kept, folder: folder.clone(), name });
                if found.len() >= limits::RESOLUTIONS_READ {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// Removes a document, and its folder when it was the last one there.
    pub(super) fn remove(&self, filed: &Filed) -> io::Result<()> {
        self.remove_file(&filed.folder, &filed.name)
    }

    fn remove_file(&self, folder: &str, name: &str) -> io::Result<()> {
        let folder = format!("{FOLDER}/{folder}");
        match self.root.remove_file(format!("{folder}/{name}")) {
            Err(error) if !is_absent(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // A folder with something in it stays; an empty one that stays does no harm.
        drop(self.root.remove_dir(folder));
        Ok(())
    }

    fn read(&self, folder: &str, name: &str, now: u64) -> Option<Kept> {
        let path = format!("{FOLDER}/{folder}/{name}");
        // A clock that was put right by seconds makes nothing unknown.
        let latest = now.saturating_add(limits::CLOCK_TOLERANCE.as_secs());
        let read = open_file(&self.root, &path).and_then(|file| file.map(read_own).transpose());
        let problem = match read {
            Ok(None) => return None,
            Err(error) => error.to_string(),
            Ok(Some(bytes)) => match Form::read(&bytes) {
                Ok(kept) if kept.at <= latest => return Some(kept),
                Ok(_) => "it is from the future".to_owned(),
                Err(problem) => problem,
            },
        };
        tracing::warn!(%path, %problem, "a kept answer of a registry is not used");
        None
    }

    fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = match self.root.read_dir(path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).take(limits::RESOLUTIONS_READ).collect()
    }
}

/// Whether a digest is that of an answer's manifest or bundle.
pub(super) fn has_digest(resolution: &Resolution, digest: &Digest) -> bool {
    resolution.manifest_digest == *digest || resolution.bundle_digest == *digest
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads a file that nobody but this user can have written. Facts, unlike bytes, have no digest to be held against.
fn read_own(file: File) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if metadata.uid() != nix::unistd::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others could have written it"));
    }
    let mut bytes = Vec::new();
    file.take(u64::try_from(limits::RESOLUTION_KEPT).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn folder_of(registry: &Registry, id: &PackageId) -> String {
    let (kind, place) = match registry {
        Registry::Url(url) => ("url", url.as_bytes()),
        Registry::Directory(path) => ("directory", path.as_os_str().as_bytes()),
    };
    // Neither a kind nor an id has a zero in it, so no two registries and packages run into one.
    Digest::of(&[kind.as_bytes(), b"\0", id.to_string().as_bytes(), b"\0", place].concat()).hex()
}

fn name_of(version: &Version) -> String {
    format!("{}{SUFFIX}", Digest::of(version.as_str().as_bytes()).hex())
}

#[cfg(test)]
mod tests;
