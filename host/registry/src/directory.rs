//! A registry in a directory: versions are documents, files are blobs.
//!
//! `docs/registry.md` has the layout. A user who can write there decides what runs, within the policies. Its documents
//! are checked as strictly as those of a remote registry.

mod catalog;
mod listed;
mod served;
mod statements;
pub(crate) mod trust;

pub use crate::directory::catalog::Listed;
pub use crate::directory::listed::ListedServers;
pub use crate::directory::listed::ServerQuery;

use std::borrow::Borrow;
use std::io;
use std::io::Read;

use cap_std::fs::Dir;

use crate::Artifact;
use crate::RegistryClient;
use crate::document;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Status;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;
use smcp_store::blobs::Blobs;
use smcp_store::file::open_file;

/// The folder of the resolve documents.
pub(crate) const PACKAGES: &str = "packages";
/// The end of a resolve document's name.
pub(crate) const SUFFIX: &str = ".json";
/// The most versions or packages that a message lists.
const LISTED: usize = 10;
/// The Jaro-Winkler similarity from which a name is suggested for another one; 1 is equal.
const ALIKE: f64 = 0.85;

/// A registry in a directory.
#[derive(Debug)]
pub struct DirectoryRegistry {
    dir: Dir,
    blobs: Blobs,
    location: Registry,
}

impl DirectoryRegistry {
    /// The registry in `dir`, which messages and answers call `location`.
    ///
    /// # Errors
    /// When the system can't open another handle of the directory.
    pub fn new(dir: Dir, location: Registry) -> Result<Self, PackageError> {
        let handle = dir.try_clone().map_err(|cause| PackageError::unreachable(&location, cause))?;
        Ok(Self { dir, blobs: Blobs::shared(handle), location })
    }

    /// The directory itself, for publishing.
    pub(crate) const fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The store of its blobs.
    pub(crate) const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Returns a converter of I/O errors while `doing` something.
    pub(crate) fn failed(&self, doing: impl Into<String>) -> impl FnOnce(io::Error) -> PackageError {
        let (registry, doing) = (self.location.clone(), doing.into());
        move |cause| RegistryProblem::Unusable { doing, cause }.of(&registry)
    }

    /// Reads the entry of one version; `None` when there is none.
    pub(crate) fn entry(&self, id: &PackageId, version: &Version) -> Result<Option<Resolution>, PackageError> {
        Ok(self.entry_text(id, version)?.map(|(entry, _)| entry))
    }

    /// Reads the entry of one version, and returns its text too.
    fn entry_text(&self, id: &PackageId, version: &Version) -> Result<Option<(Resolution, Vec<u8>)>, PackageError> {
        let path = entry_path(id, version);
        let Some(bytes) = self.read(&path, id)? else { return Ok(None) };
        let entry = self.parse_entry(&path, &bytes, id, version)?;
        Ok(Some((entry, bytes)))
    }

    /// Reads the text of an entry; `None` when there is none.
    fn read(&self, path: &str, id: &PackageId) -> Result<Option<Vec<u8>>, PackageError> {
        let Some(file) = open_file(&self.dir, path).map_err(self.failed(format!("open `{path}`")))? else {
            return Ok(None);
        };
        trust::check_entry(&self.dir, id, path, &file).map_err(self.failed(format!("rely on `{path}`")))?;
        let limit = limits::RESOLVE;
        let Some(bytes) = bounded::read_within(file, limit, 0).map_err(self.failed(format!("read `{path}`")))? else {
            let problem = SafeText::new(&format!("`{path}` has more than {limit} bytes, the most that is read"));
            return Err(VersionProblem::Document(problem).of(id));
        };
        Ok(Some(bytes))
    }

    /// Parses an entry. An error names its file.
    fn parse_entry(
        &self,
        path: &str,
        bytes: &[u8],
        id: &PackageId,
        version: &Version,
    ) -> Result<Resolution, PackageError> {
        let wanted = PackageRef { id: id.clone(), selector: Selector::Exact(version.clone()) };
        document::read(bytes, &wanted, &self.location).map_err(|error| {
            let PackageError::Version(mut error) = error else { return error };
            if let VersionProblem::Document(problem) = &mut error.problem {
                *problem = SafeText::new(&format!("`{path}`: {problem}"));
            }
            PackageError::Version(error)
        })
    }

    /// Lists the versions of a package by the names of their files, highest first; empty when there is no such package.
    fn versions(&self, id: &PackageId) -> Result<Vec<Version>, PackageError> {
        let path = format!("{PACKAGES}/{}/{}", id.org, id.name);
        let names = list(&self.dir, &path).map_err(self.failed(format!("list `{path}`")))?;
        let mut versions: Vec<Version> =
            names.iter().filter_map(|name| name.strip_suffix(SUFFIX)?.parse().ok()).collect();
        versions.sort_by_cached_key(|version| std::cmp::Reverse((version.semver(), version.as_str().to_owned())));
        Ok(versions)
    }

    /// Finds the highest published version, if there is one. Entries are read from the highest version down to the first
    /// published one, so a damaged entry is an error only if it could have been the answer itself.
    fn latest(&self, id: &PackageId, deadline: &Deadline) -> Result<Option<Resolution>, PackageError> {
        let versions = self.versions(id)?;
        for version in versions.iter().filter(|version| version.semver().is_some()) {
            deadline.check()?;
            let entry = self.entry(id, version)?;
            if let Some(entry) = entry.filter(|entry| entry.facts.status == Some(Status::Published)) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Finds the version with a digest. A damaged entry is an error only if its text contains the digest: otherwise it is
    /// about other files.
    fn by_digest(&self, wanted: &PackageRef, digest: &Digest, deadline: &Deadline) -> Result<Resolution, PackageError> {
        let mut entries = Vec::new();
        for version in self.versions(&wanted.id)? {
            deadline.check()?;
            let path = entry_path(&wanted.id, &version);
            let Some(text) = self.read(&path, &wanted.id)? else { continue };
            match self.parse_entry(&path, &text, &wanted.id, &version) {
                Ok(entry) => entries.push(entry),
                Err(error) if mentions(&text, digest) => return Err(error),
                Err(error) => tracing::warn!(%error, "a damaged entry is passed over"),
            }
        }
        entries.retain(|entry| entry.has_digest(digest));
        if entries.len() > 1 {
            let versions = entries.iter().map(|entry| entry.version.to_string()).collect::<Vec<_>>().join(", ");
            return Err(VersionProblem::AmbiguousDigest { digest: *digest, versions }.of(&wanted.id));
        }
        match entries.pop() {
            Some(entry) => Ok(entry),
            None => Err(self.missing(wanted)?),
        }
    }

    /// Makes the error for a missing package or version; it lists what there is instead.
    fn missing(&self, wanted: &PackageRef) -> Result<PackageError, PackageError> {
        let id = wanted.id.clone();
        let versions = self.versions(&id)?;
        if versions.is_empty() {
            return Ok(RegistryProblem::NoSuchPackage { hint: self.similar(&id)?, id }.of(&self.location));
        }
        let versions: Vec<&str> = versions.iter().map(Version::as_str).collect();
        let hint = format!("it has: {}", listed(&versions, versions.len()));
        let hint = match &wanted.selector {
            Selector::Exact(_) | Selector::Digest(_) => hint,
            Selector::Latest => format!("`latest` is the highest SemVer with status `published`\n  {hint}"),
        };
        Ok(RegistryProblem::NoSuchVersion { id, wanted: wanted.selector.to_string(), hint }.of(&self.location))
    }

    /// Makes the hint for a missing package: the most similar name, or the first names. At most [`limits::SUGGESTIONS`]
    /// packages are compared, in the order of their names.
    fn similar(&self, id: &PackageId) -> Result<String, PackageError> {
        let wanted = id.to_string().to_lowercase();
        let (mut first, mut known) = (Vec::new(), 0_usize);
        let mut nearest: Option<(f64, String)> = None;
        let mut packages = self.packages()?;
        for package in packages.by_ref().take(limits::SUGGESTIONS) {
            let name = package?.to_string();
            known = known.saturating_add(1);
            let alike = strsim::jaro_winkler(&wanted, &name.to_lowercase());
            if alike >= ALIKE && nearest.as_ref().is_none_or(|(best, _)| alike > *best) {
                nearest = Some((alike, name.clone()));
            }
            if first.len() < LISTED {
                first.push(name);
            }
        }
        Ok(match nearest {
            Some((_, name)) => format!("did you mean {name}?"),
            None if known == 0 => format!("it has no packages at all: is there a `{PACKAGES}` folder in it?"),
            // Not all were counted, so the total is unknown.
            None if packages.next().is_some() => format!("it has: {} and very many more", first.join(", ")),
            None => format!("it has: {}", listed(&first, known)),
        })
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
            Selector::Latest => match self.latest(&wanted.id, deadline)? {
                Some(entry) => Ok(entry),
                None => Err(self.missing(wanted)?),
            },
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
            None => Err(RegistryProblem::MissingBlob { artifact, digest: *digest }.of(&self.location)),
        }
    }

    fn statements(&self, resolution: &Resolution, deadline: &Deadline) -> Result<ArrivedStatements, PackageError> {
        deadline.check()?;
        self.arrived(&resolution.id, &resolution.version, &resolution.manifest_digest)
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

/// Lists the UTF-8 names in a folder; empty when there is no such folder.
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

/// The path of a version's entry.
fn entry_path(id: &PackageId, version: &Version) -> String {
    format!("{PACKAGES}/{}/{}/{version}{SUFFIX}", id.org, id.name)
}

/// Whether a text contains a digest.
fn mentions(text: &[u8], digest: &Digest) -> bool {
    let digits = digest.hex();
    text.windows(digits.len()).any(|part| part.eq_ignore_ascii_case(digits.as_bytes()))
}

/// Lists the first of the names that are there, and how many more of all `known` there are.
pub(crate) fn listed<S: Borrow<str>>(names: &[S], known: usize) -> String {
    let first = names.get(..LISTED).unwrap_or(names);
    let more = known.saturating_sub(first.len());
    let first = first.join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

#[cfg(test)]
mod tests;
