//! Answers of registries, kept for when the registry can't be reached.
//!
//! `pipeline` keeps each answer whose bytes were verified, and `offline` reads them. Nothing here is approval: a kept
//! answer goes through the same checks and the same policies as a new one.
//!
//! The files are `resolutions/<registry and package>/<version>.json`, both parts as SHA-256, so that no text of a
//! registry becomes a path. A document is used only if this user or root (who fills the caches of images) wrote it, no
//! other user can write it, it is about the wanted package, and it is from the past. Any other counts as absent.

mod document;

use std::io;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use cap_std::fs::Dir;
use cap_std::fs::File;

use crate::access::StoreAccess;
use crate::draft;
use crate::draft::FileDraft;
use crate::draft::is_hex;
use crate::file::open_file;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use crate::resolutions::document::ResolutionDocument;
use smcp_model::bounded;
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
use smcp_model::statement::ArrivedStatements;

/// The folder of the answers, in a cache.
pub(crate) const FOLDER: &str = "resolutions";
/// The end of the name of an answer's file.
const SUFFIX: &str = ".json";

/// An answer of a registry, and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The answer.
    pub resolution: Resolution,
    /// The signed statements about the version; `None` when they were not asked for.
    pub statements: Option<ArrivedStatements>,
    /// The time of the request, in seconds since the Unix epoch.
    pub at: u64,
}

/// A file of the store, and the answer in it.
#[derive(Debug)]
pub(crate) struct AnswerFile {
    /// The answer; `None` when it can't be trusted.
    pub(crate) answer: Option<KeptAnswer>,
    folder: String,
    name: String,
}

/// The kept answers of a cache.
#[derive(Debug)]
pub struct Resolutions {
    root: Dir,
    guard: FolderGuard,
}

impl Resolutions {
    /// The kept answers of the cache in `dir`, which is at `path`. Nothing is opened yet.
    pub fn new(dir: Dir, path: &Path, caller: Caller) -> Self {
        Self { root: dir, guard: FolderGuard::new(caller, path) }
    }

    /// Opens the folder of all answers; `None` when it does not exist.
    fn folder(&self) -> io::Result<Option<(Dir, FolderGuard)>> {
        self.guard.check(&self.root)?;
        self.guard.open(&self.root, FOLDER)
    }

    /// Opens the folder of one package of a registry; `None` when it does not exist.
    fn subfolder(&self, name: &str) -> io::Result<Option<Dir>> {
        let Some((all, guard)) = self.folder()? else { return Ok(None) };
        Ok(guard.open(&all, name)?.map(|(folder, _)| folder))
    }

    /// Keeps the answer to a request of the time `at`, in which no signed statements were asked for.
    ///
    /// # Errors
    /// As [`keep_with`](Self::keep_with).
    pub fn keep(&self, resolution: &Resolution, at: u64, now: u64) -> io::Result<()> {
        self.keep_with(resolution, None, at, now)
    }

    /// Keeps the answer to a request of the time `at`, and the signed statements that came with it. The same answer is
    /// written again only after [`limits::RESOLUTION_RENEWED`]. The answer to a later request stays: a run with a long
    /// download does not undo a "no" that another run got meanwhile. Where no statements were asked for, those about the
    /// same bytes stay.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep_with(
        &self,
        resolution: &Resolution,
        statements: Option<&ArrivedStatements>,
        at: u64,
        now: u64,
    ) -> io::Result<()> {
        let (folder, name) = (folder_of(&resolution.registry, &resolution.id), name_of(&resolution.version));
        let known = self.subfolder(&folder)?.and_then(|folder| self.read(&folder, &name, now));
        let same_bytes = known.as_ref().filter(|kept| {
            let digests = |resolution: &Resolution| (resolution.manifest_digest, resolution.bundle_digest);
            digests(&kept.resolution) == digests(resolution)
        });
        let statements = statements.or_else(|| same_bytes?.statements.as_ref());
        if let Some(kept) = &known {
            let is_same = kept.resolution == *resolution && kept.statements.as_ref() == statements;
            let is_recent = at.saturating_sub(kept.at) < limits::RESOLUTION_RENEWED.as_secs();
            if kept.at > at || is_same && is_recent {
                return Ok(());
            }
        }
        self.guard.check(&self.root)?;
        let (all, guard) = self.guard.make(&self.root, FOLDER)?;
        let (folder, _) = guard.make(&all, &folder)?;
        let mut draft = FileDraft::new(&folder, StoreAccess::Private)?;
        draft.write_all(&ResolutionDocument::of(resolution, statements, at).to_bytes()?)?;
        draft.keep(&name)
    }

    /// Removes the answers about a version that the registry no longer has.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn forget(&self, registry: &Registry, wanted: &PackageRef, now: u64) -> io::Result<()> {
        match &wanted.selector {
            Selector::Exact(version) => self.remove_file(&folder_of(registry, &wanted.id), &name_of(version)),
            Selector::Digest(digest) => {
                let of_package = self.of_package(registry, &wanted.id, now);
                let stale = of_package.into_iter().filter(|kept| kept.resolution.has_digest(digest));
                stale
                    .map(|kept| kept.resolution.version)
                    .try_for_each(|version| self.remove_file(&folder_of(registry, &wanted.id), &name_of(&version)))
            }
            Selector::Latest => Ok(()),
        }
    }

    /// Returns the answer about one version; `None` when there is none that can be trusted.
    pub fn of_version(&self, registry: &Registry, id: &PackageId, version: &Version, now: u64) -> Option<KeptAnswer> {
        let folder = self.usable(&folder_of(registry, id))?;
        let kept = self.read(&folder, &name_of(version), now)?;
        let answered = &kept.resolution;
        (answered.registry == *registry && answered.id == *id && answered.version == *version).then_some(kept)
    }

    /// Returns the label of the answer that only its time in the future excludes, and how far in the future that is.
    /// `None` when there is no such answer.
    pub fn ahead(&self, registry: &Registry, wanted: &PackageRef, now: u64) -> Option<(String, Duration)> {
        let meant = match &wanted.selector {
            Selector::Exact(version) => {
                self.of_version(registry, &wanted.id, version, u64::MAX).into_iter().collect::<Vec<_>>()
            }
            Selector::Digest(_) | Selector::Latest => self.of_package(registry, &wanted.id, u64::MAX),
        };
        let fits = |kept: &&KeptAnswer| match &wanted.selector {
            Selector::Digest(digest) => kept.resolution.has_digest(digest),
            Selector::Exact(_) | Selector::Latest => true,
        };
        let nearest = meant.iter().filter(fits).min_by_key(|kept| kept.at)?;
        let ahead = nearest.at.checked_sub(now).filter(|ahead| *ahead > limits::CLOCK_TOLERANCE.as_secs())?;
        Some((nearest.resolution.label(), Duration::from_secs(ahead)))
    }

    /// Returns the answers about one package, newest first.
    pub fn of_package(&self, registry: &Registry, id: &PackageId, now: u64) -> Vec<KeptAnswer> {
        let Some(folder) = self.usable(&folder_of(registry, id)) else { return Vec::new() };
        let names = names(&folder, is_document).unwrap_or_default();
        let mut answers: Vec<KeptAnswer> = names.iter().filter_map(|name| self.read(&folder, name, now)).collect();
        answers.retain(|kept| kept.resolution.registry == *registry && kept.resolution.id == *id);
        answers.sort_by_key(|kept| std::cmp::Reverse(kept.at));
        answers
    }

    /// Reads every document of the store, up to [`limits::RESOLUTIONS_READ`].
    pub(crate) fn all(&self, now: u64) -> io::Result<Vec<AnswerFile>> {
        let Some((all, guard)) = self.folder()? else { return Ok(Vec::new()) };
        let mut files = Vec::new();
        for folder in names(&all, is_folder)? {
            let Some((documents, _)) = guard.open(&all, &folder)? else { continue };
            for name in names(&documents, is_document)? {
                let answer = self.read(&documents, &name, now).filter(|kept| {
                    let Resolution { registry, id, version, .. } = &kept.resolution;
                    folder == folder_of(registry, id) && name == name_of(version)
                });
                files.push(AnswerFile { answer, folder: folder.clone(), name });
                if files.len() >= limits::RESOLUTIONS_READ {
                    return Ok(files);
                }
            }
        }
        Ok(files)
    }

    /// Removes a document, and its folder when that is empty then.
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
        // A folder with other files in it stays. An empty folder that can't be removed does no harm.
        drop(all.remove_dir(folder));
        Ok(())
    }

    /// Opens the folder of one package of a registry, if it exists and can be trusted.
    fn usable(&self, name: &str) -> Option<Dir> {
        self.subfolder(name).unwrap_or_else(|problem| {
            tracing::warn!(%name, %problem, "the kept answers of a registry are not used");
            None
        })
    }

    fn read(&self, folder: &Dir, name: &str, now: u64) -> Option<KeptAnswer> {
        // An answer stays usable after the clock was set back by a few seconds.
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

    /// Reads a file that only this user or root can have written. Facts, unlike bytes, have no digest to be checked with.
    fn read_own(&self, file: File) -> io::Result<Vec<u8>> {
        let ownership = Ownership::from(&file.metadata()?);
        let untrusted = |problem| io::Error::new(io::ErrorKind::PermissionDenied, problem);
        self.guard.caller().check(ownership).map_err(untrusted)?;
        let too_long = || {
            let message = format!("it has more than {} bytes", limits::RESOLUTION_KEPT);
            io::Error::new(io::ErrorKind::FileTooLarge, message)
        };
        bounded::read_within(file, limits::RESOLUTION_KEPT, 0)?.ok_or_else(too_long)
    }
}

/// Finds the first name in the folder of all answers, or in one of its folders, that is not one of ours.
pub(crate) fn foreign(all: &Dir) -> io::Result<Option<String>> {
    if let Some(name) = first_unknown(all, is_folder)? {
        return Ok(Some(name));
    }
    for folder in names(all, is_folder)? {
        let name = first_unknown(&all.open_dir(&folder)?, |name| is_document(name) || draft::is_name(name))?;
        if let Some(name) = name {
            return Ok(Some(format!("{folder}/{name}")));
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

/// Lists the names in a folder that are ours, up to [`limits::RESOLUTIONS_READ`].
fn names(folder: &Dir, is_ours: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let names = folder.entries()?.map(|entry| Ok(entry?.file_name().into_string().ok().filter(|name| is_ours(name))));
    names.filter_map(Result::transpose).take(limits::RESOLUTIONS_READ).collect()
}

fn folder_of(registry: &Registry, id: &PackageId) -> String {
    let (kind, place) = match registry {
        Registry::Url(url) => ("url", url.as_str().as_bytes().to_vec()),
        Registry::Official(url) => ("official", url.as_str().as_bytes().to_vec()),
        Registry::Oci(place) => ("oci", place.to_string().into_bytes()),
        Registry::Directory(path) => ("directory", path.as_os_str().as_bytes().to_vec()),
    };
    // A kind and an id have no zero byte, so two different registries or packages never give the same text.
    Digest::of(&[kind.as_bytes(), b"\0", id.to_string().as_bytes(), b"\0", &place].concat()).hex()
}

fn name_of(version: &Version) -> String {
    format!("{}{SUFFIX}", Digest::of(version.as_str().as_bytes()).hex())
}

#[cfg(test)]
mod tests;
