//! A registry that is a directory: versions as documents, files as blobs.
//!
//! `docs/registry.md` has the layout. Whoever can write there decides what runs, within the policies: its documents
//! are read as carefully as those of a registry far away.

mod served;
pub(super) mod trust;

use std::collections::BTreeSet;
use std::io;
use std::io::Read;

use cap_std::fs::Dir;

use crate::model::deadline::Deadline;
use crate::model::digest::Digest;
use crate::model::facts::Status;
use crate::model::limits;
use crate::model::name::PackageId;
use crate::model::name::PackageWord;
use crate::model::package::PackageRef;
use crate::model::package::Resolution;
use crate::model::package::Selector;
use crate::model::package::Version;
use crate::model::registry::Registry;
use crate::model::text::SafeText;
use crate::package::Artifact;
use crate::package::RegistryClient;
use crate::package::blobs::Blobs;
use crate::package::blobs::open_file;
use crate::package::document;
use crate::package::error::PackageError;

pub use crate::package::directory::served::Listed;

/// Where the resolve documents are.
pub(super) const PACKAGES: &str = "packages";
/// How a resolve document's name ends.
pub(super) const SUFFIX: &str = ".json";
/// How many versions or packages a message lists.
const LISTED: usize = 10;
/// How alike two names must be for one to be suggested for the other; 1 is equal.
const ALIKE: f64 = 0.85;

/// A directory as a registry.
#[derive(Debug)]
pub struct DirectoryRegistry {
    dir: Dir,
    blobs: Blobs,
    location: Registry,
}

impl DirectoryRegistry {
    /// The registry in `dir`, which everybody calls `location`.
    ///
    /// # Errors
    /// When the system can't keep another handle to the directory.
    pub fn new(dir: Dir, location: Registry) -> Result<Self, PackageError> {
        let again = dir.try_clone().map_err(|cause| PackageError::Registry {
            registry: location.to_string(),
            doing: "open it".to_owned(),
            cause,
        })?;
        Ok(Self { dir, blobs: Blobs::shared(again), location })
    }

    /// The directory itself, for publishing.
    pub(super) const fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Its blobs.
    pub(super) const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// What turns a failure while `doing` something into ours.
    pub(super) fn failed(&self, doing: impl Into<String>) -> impl FnOnce(io::Error) -> PackageError {
        let (registry, doing) = (self.location.to_string(), doing.into());
        move |cause| PackageError::Registry { registry, doing, cause }
    }

    /// The entry of one version; `None` when there is none.
    pub(super) fn entry(&self, id: &PackageId, version: &Version) -> Result<Option<Resolution>, PackageError> {
        Ok(self.entry_text(id, version)?.map(|(entry, _)| entry))
    }

    /// The entry of one version, and its text.
    fn entry_text(&self, id: &PackageId, version: &Version) -> Result<Option<(Resolution, Vec<u8>)>, PackageError> {
        let path = format!("{PACKAGES}/{}/{}/{version}{SUFFIX}", id.org, id.name);
        let wanted = PackageRef { id: id.clone(), selector: Selector::Exact(version.clone()) };
        let Some(file) = open_file(&self.dir, &path).map_err(self.failed(format!("open `{path}`")))? else {
            return Ok(None);
        };
        trust::check_entry(&self.dir, id, &path, &file).map_err(self.failed(format!("rely on `{path}`")))?;
        let limit = limits::RESOLVE;
        let mut bytes = Vec::new();
        let mut limited = file.take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1));
        limited.read_to_end(&mut bytes).map_err(self.failed(format!("read `{path}`")))?;
        if bytes.len() > limit {
            let problem = SafeText::new(&format!("`{path}` has more than {limit} bytes, the most that is read"));
            return Err(PackageError::Document { subject: wanted.to_string(), problem });
        }
        let entry = document::read(&bytes, &wanted, &self.location)?;
        Ok(Some((entry, bytes)))
    }

    /// Every version of a package by name, highest first; none when the package isn't there.
    fn versions(&self, id: &PackageId) -> Result<Vec<Version>, PackageError> {
        let path = format!("{PACKAGES}/{}/{}", id.org, id.name);
        let names = list(&self.dir, &path).map_err(self.failed(format!("list `{path}`")))?;
        let mut versions: Vec<Version> =
            names.iter().filter_map(|name| name.strip_suffix(SUFFIX)?.parse().ok()).collect();
        versions.sort_by_cached_key(|version| std::cmp::Reverse((version.semver(), version.as_str().to_owned())));
        Ok(versions)
    }

    fn every_entry(&self, id: &PackageId, deadline: &Deadline) -> Result<Vec<Resolution>, PackageError> {
        let mut entries = Vec::new();
        for version in self.versions(id)? {
            deadline.check()?;
            entries.extend(self.entry(id, &version)?);
        }
        Ok(entries)
    }

    fn latest(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        let published = self.every_entry(&wanted.id, deadline)?.into_iter().filter_map(|entry| {
            let semver = entry.version.semver()?;
            (entry.facts.status == Some(Status::Published)).then_some((semver, entry))
        });
        match published.max_by(|(one, _), (other, _)| one.cmp(other)) {
            Some((_, entry)) => Ok(entry),
            None => Err(self.missing(wanted)?),
        }
    }

    fn by_digest(&self, wanted: &PackageRef, digest: &Digest, deadline: &Deadline) -> Result<Resolution, PackageError> {
        let mut entries = self.every_entry(&wanted.id, deadline)?;
        entries.retain(|entry| entry.manifest_digest == *digest || entry.bundle_digest == *digest);
        if entries.len() > 1 {
            return Err(PackageError::AmbiguousDigest {
                id: wanted.id.clone(),
                digest: *digest,
                versions: entries.iter().map(|entry| entry.version.to_string()).collect::<Vec<_>>().join(", "),
            });
        }
        match entries.pop() {
            Some(entry) => Ok(entry),
            None => Err(self.missing(wanted)?),
        }
    }

    /// The error for something that isn't there, with what there is instead.
    fn missing(&self, wanted: &PackageRef) -> Result<PackageError, PackageError> {
        let (id, registry) = (wanted.id.clone(), self.location.to_string());
        let versions = self.versions(&id)?;
        if versions.is_empty() {
            return Ok(PackageError::NoSuchPackage { hint: self.similar(&id)?, id, registry });
        }
        let hint = format!("it has: {}", shorten(versions.iter().map(Version::to_string)));
        let hint = match &wanted.selector {
            Selector::Exact(_) | Selector::Digest(_) => hint,
            Selector::Latest => format!("`latest` is the highest SemVer with status `published`\n  {hint}"),
        };
        Ok(PackageError::NoSuchVersion { id, wanted: wanted.selector.to_string(), registry, hint })
    }

    /// Which packages somebody may have meant, or which there are.
    fn similar(&self, id: &PackageId) -> Result<String, PackageError> {
        let wanted = id.to_string();
        let known = self.packages().map_err(self.failed("list its packages"))?;
        if known.is_empty() {
            return Ok(format!("it has no packages at all: is there a `{PACKAGES}` folder in it?"));
        }
        let mut near: Vec<(f64, &String)> = known
            .iter()
            .map(|name| (strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase()), name))
            .filter(|(alike, _)| *alike >= ALIKE)
            .collect();
        near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        Ok(match near.first() {
            Some((_, name)) => format!("did you mean {name}?"),
            None => format!("it has: {}", shorten(known.into_iter())),
        })
    }

    fn packages(&self) -> io::Result<BTreeSet<String>> {
        let mut ids = BTreeSet::new();
        let words = |names: Vec<String>| names.into_iter().filter_map(|name| name.parse::<PackageWord>().ok());
        for org in words(list(&self.dir, PACKAGES)?) {
            for name in words(list(&self.dir, &format!("{PACKAGES}/{org}"))?) {
                ids.insert(format!("{org}/{name}"));
                if ids.len() >= limits::SUGGESTIONS {
                    return Ok(ids);
                }
            }
        }
        Ok(ids)
    }
}

impl RegistryClient for DirectoryRegistry {
    fn resolve(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        deadline.check()?;
        match &wanted.selector {
            Selector::Exact(version) => match self.entry(&wanted.id, version)? {
                Some(entry) => Ok(entry),
                None => Err(self.missing(wanted)?),
            },
            Selector::Latest => self.latest(wanted, deadline),
            Selector::Digest(digest) => self.by_digest(wanted, digest, deadline),
        }
    }

    fn artifact(
        &self,
        _: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        deadline.check()?;
        match self.blobs.open(digest).map_err(self.failed(format!("open the {artifact} {digest}")))? {
            Some(file) => Ok(Box::new(file)),
            None => Err(PackageError::MissingBlob { registry: self.location.to_string(), artifact, digest: *digest }),
        }
    }

    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError> {
        deadline.check()?;
        trust::check(&self.dir).map_err(self.failed("rely on it"))?;
        list(&self.dir, PACKAGES).map(drop).map_err(self.failed("list its packages"))
    }

    fn registry(&self) -> &Registry {
        &self.location
    }
}

/// The names in a folder that are text; none when there is no such folder.
fn list(dir: &Dir, path: &str) -> io::Result<Vec<String>> {
    let entries = match dir.read_dir(path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

fn shorten(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let listed = names.take(LISTED).collect::<Vec<_>>().join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}

#[cfg(test)]
mod tests;
