//! What of a directory is packed, before a byte of it is written.
//!
//! Everything that can't be packed is named at once, with the way out. What is left out on purpose is not looked at.

use std::io;
use std::io::Read as _;

use cap_std::fs::Dir;
use cap_std::fs::DirEntry;
use cap_std::fs::FileType;
use cap_std::fs::FileTypeExt as _;
use cap_std::fs::Metadata;
use cap_std::fs::MetadataExt as _;

use crate::blobs::open_file;
use crate::error::PackageError;
use crate::publish::MANIFEST;
use crate::publish::PublishRequest;
use crate::publish::patterns;
use crate::publish::patterns::Pattern;
use crate::publish::refusal::Refusals;
use crate::publish::secrets::secret;
use crate::unpack::ArchiveError;
use crate::unpack::EntryName;
use crate::unpack::Kind;
use crate::unpack::Tree;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// Patterns of what is left out, at the root of the directory.
const IGNORE: &str = ".smcpignore";

/// What is packed, in order, and what is not.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Paths and what they are; folders before what is in them.
    pub(super) entries: Vec<(String, Kind)>,
    /// What was left out, as far as it is listed.
    pub(super) left_out: Vec<SafeText>,
    /// How much was left out.
    pub(super) left_out_count: usize,
}

/// Looks at everything in the directory of a request, which `registry` may lie in.
pub(super) fn survey(request: &PublishRequest, registry: &Dir, label: &str) -> Result<Survey, PackageError> {
    let dir = &request.bundle_dir;
    let unreadable = |path: &str, cause| unreadable(label, path, cause);
    let registry = registry.dir_metadata().map_err(|cause| unreadable("", cause))?;
    let itself = dir.dir_metadata().map_err(|cause| unreadable("", cause))?;
    if is_same(&itself, &registry) {
        return Err(refused(label, "its directory is the registry itself; pack the directory of the package"));
    }
    let mut patterns = ignored(dir, label)?;
    patterns.extend(request.exclude.iter().cloned());
    let mut surveying = Surveying {
        survey: Survey::default(),
        refusals: Refusals::default(),
        tree: Tree::default(),
        patterns,
        registry,
        include_secrets: request.include_secrets,
        label,
    };
    surveying.folder(dir, &[])?;
    let Surveying { survey, refusals, .. } = surveying;
    refusals.settle(label).map(|()| survey)
}

/// The patterns of the directory's own file.
fn ignored(dir: &Dir, label: &str) -> Result<Vec<Pattern>, PackageError> {
    let failed = |cause| unreadable(label, IGNORE, cause);
    let Some(file) = open_file(dir, IGNORE).map_err(failed)? else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let limit = u64::try_from(limits::PATTERN_FILE).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let problem = |problem: &str| refused(label, &format!("its `{IGNORE}`: {}", SafeText::new(problem)));
    if bytes.len() > limits::PATTERN_FILE {
        return Err(problem(&format!("it has more than {} bytes", limits::PATTERN_FILE)));
    }
    patterns::read(&bytes).map_err(|text| problem(&text))
}

struct Surveying<'s> {
    survey: Survey,
    refusals: Refusals,
    tree: Tree,
    patterns: Vec<Pattern>,
    registry: Metadata,
    include_secrets: bool,
    label: &'s str,
}

impl Surveying<'_> {
    /// Looks at everything in `dir`, whose path has these parts.
    fn folder(&mut self, dir: &Dir, above: &[&str]) -> Result<(), PackageError> {
        let failed = |error| unreadable(self.label, &above.join("/"), error);
        let mut entries = Vec::new();
        for entry in dir.entries().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            match entry.file_name().into_string() {
                Ok(name) => entries.push((name, entry)),
                Err(name) => self.refusals.name(&path(above, &name.to_string_lossy()), "its name is not UTF-8"),
            }
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.into_iter().try_for_each(|(name, entry)| self.entry(dir, above, &name, &entry))
    }

    fn entry(&mut self, dir: &Dir, above: &[&str], name: &str, entry: &DirEntry) -> Result<(), PackageError> {
        let path = path(above, name);
        let failed = |label: &str, error| unreadable(label, &path, error);
        let kind = entry.file_type().map_err(|error| failed(self.label, error))?;
        let parts: Vec<&str> = above.iter().copied().chain([name]).collect();
        if self.is_left_out(&parts, kind.is_dir()) {
            self.leave_out(&path, kind.is_dir());
            return Ok(());
        }
        let why = secret(dir, above, name, kind.is_file()).map_err(|error| failed(self.label, error))?;
        if let Some(why) = why.filter(|_| !self.include_secrets) {
            self.refusals.secret(&shown(&path, kind.is_dir()), why);
            return Ok(());
        }
        let Some(packed) = packed_as(kind) else {
            self.refusals.kind(&path, what(kind));
            return Ok(());
        };
        if let Err(problem) = self.admit(&path, packed) {
            // Beyond this count nothing is worth looking at.
            if matches!(problem, ArchiveError::TooManyEntries { .. }) {
                return Err(refused(self.label, &problem.to_string()));
            }
            self.refusals.name(&path, &problem.to_string());
            return Ok(());
        }
        match packed {
            Kind::File => self.survey.entries.push((path, Kind::File)),
            Kind::Folder => {
                let inside = entry.open_dir().map_err(|error| failed(self.label, error))?;
                let metadata = inside.dir_metadata().map_err(|error| failed(self.label, error))?;
                // What was published is no part of what is published.
                if is_same(&metadata, &self.registry) {
                    self.leave_out(&path, true);
                    return Ok(());
                }
                self.survey.entries.push((path, Kind::Folder));
                self.folder(&inside, &parts)?;
            }
        }
        Ok(())
    }

    fn admit(&mut self, path: &str, kind: Kind) -> Result<(), ArchiveError> {
        let parsed = EntryName::parse(path.as_bytes())?;
        self.tree.count()?;
        self.tree.insert(&parsed, kind).map(drop)
    }

    fn is_left_out(&self, parts: &[&str], is_folder: bool) -> bool {
        let decisive = self.patterns.iter().rev().find(|pattern| pattern.fits(parts, is_folder));
        match parts {
            // Without the one nothing can be published, and the other has done its work.
            [MANIFEST] => false,
            [IGNORE] => true,
            _ => decisive.is_some_and(|pattern| !pattern.takes_in()),
        }
    }

    fn leave_out(&mut self, path: &str, is_folder: bool) {
        if self.survey.left_out.len() < limits::PUBLISH_LISTED {
            self.survey.left_out.push(SafeText::new(&shown(path, is_folder)));
        }
        self.survey.left_out_count = self.survey.left_out_count.saturating_add(1);
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn path(above: &[&str], name: &str) -> String {
    above.iter().copied().chain([name]).collect::<Vec<_>>().join("/")
}

fn shown(path: &str, is_folder: bool) -> String {
    format!("{path}{}", if is_folder { "/" } else { "" })
}

fn packed_as(kind: FileType) -> Option<Kind> {
    if kind.is_dir() { Some(Kind::Folder) } else { kind.is_file().then_some(Kind::File) }
}

fn what(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn refused(label: &str, problem: &str) -> PackageError {
    PackageError::Unpublishable { label: label.to_owned(), problem: problem.to_owned() }
}

/// A file or folder of the directory that can't be read; without a path, the directory itself.
pub(super) fn unreadable(label: &str, path: &str, cause: io::Error) -> PackageError {
    let path = SafeText::new(if path.is_empty() { "." } else { path });
    PackageError::UnreadableSource { label: label.to_owned(), path, cause }
}
