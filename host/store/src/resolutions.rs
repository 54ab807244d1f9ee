//! What registries have answered, kept in the cache for a day when they can't.
//!
//! `pipeline` keeps each answer whose bytes were verified, and `offline` reads them. Nothing here is approval: a kept
//! answer goes through the same checks and the same policies as a new one.
//!
//! `resolutions/<registry and package>/<version>.json`, both parts as SHA-256, so that nothing that a registry says
//! becomes a path. A document is believed only as far as it is ours: written by this user or by root (who fills the caches
//! of images), writable by nobody else, about what was asked for, and from the past. Anything else counts as absent.

mod document;

use std::io;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use cap_std::fs::Dir;
use cap_std::fs::File;

use crate::blobs::StoreAccess;
use crate::draft;
use crate::draft::FileDraft;
use crate::draft::is_hex;
use crate::file::open_file;
use crate::file::read_at_most;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use crate::resolutions::document::ResolutionDocument;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::registry::Registry;

/// Where the answers are, in a cache.
pub(crate) const FOLDER: &str = "resolutions";
/// How the name of an answer ends.
const SUFFIX: &str = ".json";

/// An answer of a registry, and when it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The answer.
    pub resolution: Resolution,
    /// When, in seconds since the Unix epoch.
    pub at: u64,
}

/// An answer in the store, and where it is.
#[derive(Debug)]
pub(crate) struct AnswerFile {
    /// What is there; `None` when it can't be believed.
    pub(crate) answer: Option<KeptAnswer>,
    folder: String,
    name: String,
}

/// The answers that a cache has kept.
#[derive(Debug)]
pub struct Resolutions {
    root: Dir,
    guard: FolderGuard,
}

impl Resolutions {
    /// Those of the cache in `dir`, which is at `path`. Nothing is looked at yet.
    pub fn new(dir: Dir, path: &Path, caller: Caller) -> Self {
        Self { root: dir, guard: FolderGuard::new(caller, path) }
    }

    /// Checks the folder of all answers, if it is there.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.folder().map(drop)
    }

    /// The folder of all answers; `None` when it isn't there.
    fn folder(&self) -> io::Result<Option<(Dir, FolderGuard)>> {
        self.guard.check(&self.root)?;
        self.guard.open(&self.root, FOLDER)
    }

    /// The folder of one registry's package; `None` when it isn't there.
    fn subfolder(&self, name: &str) -> io::Result<Option<Dir>> {
        let Some((all, guard)) = self.folder()? else { return Ok(None) };
        Ok(guard.open(&all, name)?.map(|(folder, _)| folder))
    }

    /// Keeps an answer that was asked for at `at`. The same answer is written again only when it has aged a little, and
    /// one that was asked for later stays: a download that took long does not undo a "no" that somebody heard meanwhile.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, resolution: &Resolution, at: u64, now: u64) -> io::Result<()> {
        let (folder, name) = (folder_of(&resolution.registry, &resolution.id), name_of(&resolution.version));
        let known = self.subfolder(&folder)?.and_then(|folder| self.read(&folder, &name, now));
        if let Some(kept) = known
            && (kept.at > at
                || kept.resolution == *resolution && at.saturating_sub(kept.at) < limits::RESOLUTION_RENEWED.as_secs())
        {
            return Ok(());
        }
        self.guard.check(&self.root)?;
        let (all, guard) = self.guard.make(&self.root, FOLDER)?;
        let (folder, _) = guard.make(&all, &folder)?;
        let mut draft = FileDraft::new(&folder, StoreAccess::Private)?;
        draft.write_all(&ResolutionDocument::of(resolution, at).to_bytes()?)?;
        draft.keep(&name)
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
    pub fn of_version(&self, registry: &Registry, id: &PackageId, version: &Version, now: u64) -> Option<KeptAnswer> {
        let folder = self.usable(&folder_of(registry, id))?;
        let kept = self.read(&folder, &name_of(version), now)?;
        let found = &kept.resolution;
        (found.registry == *registry && found.id == *id && found.version == *version).then_some(kept)
    }

    /// How far in the future the answer lies that would be used if the clock were right; none when there is none.
    pub fn ahead(&self, registry: &Registry, wanted: &PackageRef, now: u64) -> Option<(String, Duration)> {
        let meant = match &wanted.selector {
            Selector::Exact(version) => {
                self.of_version(registry, &wanted.id, version, u64::MAX).into_iter().collect::<Vec<_>>()
            }
            Selector::Digest(_) | Selector::Latest => self.of_package(registry, &wanted.id, u64::MAX),
        };
        let fits = |kept: &&KeptAnswer| match &wanted.selector {
            Selector::Digest(digest) => has_digest(&kept.resolution, digest),
            Selector::Exact(_) | Selector::Latest => true,
        };
        let nearest = meant.iter().filter(fits).min_by_key(|kept| kept.at)?;
        let ahead = nearest.at.checked_sub(now).filter(|ahead| *ahead > limits::CLOCK_TOLERANCE.as_secs())?;
        Some((nearest.resolution.label(), Duration::from_secs(ahead)))
    }

    /// The answers about one package, newest first.
    pub fn of_package(&self, registry: &Registry, id: &PackageId, now: u64) -> Vec<KeptAnswer> {
        let Some(folder) = self.usable(&folder_of(registry, id)) else { return Vec::new() };
        let names = names(&folder, is_document).unwrap_or_default();
        let mut found: Vec<KeptAnswer> = names.iter().filter_map(|name| self.read(&folder, name, now)).collect();
        found.retain(|kept| kept.resolution.registry == *registry && kept.resolution.id == *id);
        found.sort_by_key(|kept| std::cmp::Reverse(kept.at));
        found
    }

    /// Every document of the store.
    pub(crate) fn all(&self, now: u64) -> io::Result<Vec<AnswerFile>> {
        let Some((all, guard)) = self.folder()? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for folder in names(&all, is_folder)? {
            let Some((documents, _)) = guard.open(&all, &folder)? else { continue };
            for name in names(&documents, is_document)? {
                let answer = self.read(&documents, &name, now).filter(|kept| {
                    let Resolution { registry, id, version, .. } = &kept.resolution;
                    folder == folder_of(registry, id) && name == name_of(version)
                });
                found.push(AnswerFile { answer, folder: folder.clone(), name });
                if found.len() >= limits::RESOLUTIONS_READ {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// Removes a document, and its folder when it was the last one there.
    pub(crate) fn remove(&self, file: &AnswerFile) -> io::Result<()> {
        self.remove_file(&file.folder, &file.name)
    }

    fn remove_file(&self, folder: &str, name: &str) -> io::Result<()> {
        let Some((all, guard)) = self.folder()? else { return Ok(()) };
        let Some((documents, _)) = guard.open(&all, folder)? else { return Ok(()) };
        match documents.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // A folder with something in it stays; an empty one that stays does no harm.
        drop(all.remove_dir(folder));
        Ok(())
    }

    /// The folder of one registry's package, when it is there and can be relied on.
    fn usable(&self, name: &str) -> Option<Dir> {
        self.subfolder(name).unwrap_or_else(|problem| {
            tracing::warn!(%name, %problem, "the kept answers of a registry are not used");
            None
        })
    }

    fn read(&self, folder: &Dir, name: &str, now: u64) -> Option<KeptAnswer> {
        // A clock that was put right by seconds makes nothing unknown.
        let latest = now.saturating_add(limits::CLOCK_TOLERANCE.as_secs());
        let read = open_file(folder, name).and_then(|file| file.map(|file| self.read_own(file)).transpose());
        let problem = match read {
            Ok(None) => return None,
            Err(error) => error.to_string(),
            Ok(Some(bytes)) => match ResolutionDocument::read(&bytes) {
                Ok(kept) if kept.at <= latest => return Some(kept),
                Ok(_) => "it is from the future".to_owned(),
                Err(problem) => problem,
            },
        };
        tracing::warn!(%name, %problem, "a kept answer of a registry is not used");
        None
    }

    /// Reads a file that nobody but this user, or root, can have written. Facts, unlike bytes, have no digest to be held
    /// against.
    fn read_own(&self, file: File) -> io::Result<Vec<u8>> {
        let found = Ownership::from(&file.metadata()?);
        let untrusted = |problem| io::Error::new(io::ErrorKind::PermissionDenied, problem);
        self.guard.caller().check(found).map_err(untrusted)?;
        let too_long = || {
            let message = format!("it has more than {} bytes", limits::RESOLUTION_KEPT);
            io::Error::new(io::ErrorKind::FileTooLarge, message)
        };
        read_at_most(file, limits::RESOLUTION_KEPT)?.ok_or_else(too_long)
    }
}

/// The first name in the folder of all answers, or in one of its folders, that is none of ours.
pub(crate) fn foreign(all: &Dir) -> io::Result<Option<String>> {
    if let Some(found) = first_unknown(all, is_folder)? {
        return Ok(Some(found));
    }
    for folder in names(all, is_folder)? {
        let found = first_unknown(&all.open_dir(&folder)?, |name| is_document(name) || draft::is_name(name))?;
        if let Some(found) = found {
            return Ok(Some(format!("{folder}/{found}")));
        }
    }
    Ok(None)
}

fn is_folder(name: &str) -> bool {
    is_hex(name, 64)
}

fn is_document(name: &str) -> bool {
    name.strip_suffix(SUFFIX).is_some_and(|hex| is_hex(hex, 64))
}

/// The names in a folder that are ours, as many as are looked at.
fn names(folder: &Dir, is_ours: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let names = folder.entries()?.map(|entry| Ok(entry?.file_name().into_string().ok().filter(|name| is_ours(name))));
    names.filter_map(Result::transpose).take(limits::RESOLUTIONS_READ).collect()
}

/// Whether a digest is that of an answer's manifest or bundle.
pub fn has_digest(resolution: &Resolution, digest: &Digest) -> bool {
    resolution.manifest_digest == *digest || resolution.bundle_digest == *digest
}

fn folder_of(registry: &Registry, id: &PackageId) -> String {
    let (kind, place) = match registry {
        Registry::Url(url) => ("url", url.as_str().as_bytes()),
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
