//! Finds out which files of a directory are packed, before any byte is written.
//!
//! Everything that can't be packed is reported at once, with the remedy. Excluded files are not examined.

use std::io;

use cap_std::fs::Dir;
use cap_std::fs::DirEntry;
use cap_std::fs::FileType;
use cap_std::fs::FileTypeExt as _;
use cap_std::fs::Metadata;
use cap_std::fs::MetadataExt as _;

use crate::error::BundleError;
use crate::error::BundleErrorKind;
use crate::manifest::MANIFEST;
use crate::pack::patterns;
use crate::pack::patterns::Pattern;
use crate::pack::refusal::Refusals;
use crate::pack::secrets::secret;
use crate::unpack::ArchiveError;
use crate::unpack::EntryKind;
use crate::unpack::EntryName;
use crate::unpack::EntryTree;
use smcp_model::bounded;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;

/// The file of patterns for excluded files, at the root of the directory.
const IGNORE: &str = ".smcpignore";

/// The entries to pack, in order, and the excluded ones.
#[derive(Debug, Default)]
pub struct Survey {
    /// Paths and their kinds; a folder comes before its contents.
    pub(super) entries: Vec<(String, EntryKind)>,
    /// The excluded paths, up to the limit of the list.
    pub left_out: Vec<SafeText>,
    /// The number of excluded paths.
    pub left_out_count: usize,
}

impl Survey {
    /// Whether a regular file with this path is packed.
    pub fn has_file(&self, path: &str) -> bool {
        self.entries.iter().any(|(packed, kind)| packed == path && *kind == EntryKind::File)
    }
}

/// The directory to pack, and which of its files.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// The directory.
    pub dir: &'s Dir,
    /// Patterns of excluded files, in addition to its `.smcpignore`.
    pub exclude: &'s [Pattern],
    /// Whether to pack files that look like secrets.
    pub include_secrets: bool,
}

/// Examines everything in a directory, for the package with this label. `registry` may be inside the directory; `None` when
/// it is no directory.
///
/// # Errors
/// When something can't be read, when something may not be packed (the error lists all of it), or when the directory is
/// the registry itself.
pub fn survey(source: &Source<'_>, registry: Option<&Dir>, label: &str) -> Result<Survey, BundleError> {
    let dir = source.dir;
    let unreadable = |path: &str, cause| unreadable(label, path, cause);
    let registry = registry.map(Dir::dir_metadata).transpose().map_err(|cause| unreadable("", cause))?;
    let itself = dir.dir_metadata().map_err(|cause| unreadable("", cause))?;
    if registry.as_ref().is_some_and(|registry| is_same(&itself, registry)) {
        return Err(refused(label, "its directory is the registry itself; pack the directory of the package"));
    }
    let mut patterns = ignore_patterns(dir, label)?;
    patterns.extend(source.exclude.iter().cloned());
    let mut surveying = Surveying {
        survey: Survey::default(),
        refusals: Refusals::default(),
        tree: EntryTree::default(),
        patterns,
        registry,
        include_secrets: source.include_secrets,
        label,
    };
    surveying.folder(dir, &[])?;
    let Surveying { survey, refusals, .. } = surveying;
    refusals.settle(label).map(|()| survey)
}

/// Reads the patterns of the directory's own file.
fn ignore_patterns(dir: &Dir, label: &str) -> Result<Vec<Pattern>, BundleError> {
    let failed = |cause| unreadable(label, IGNORE, cause);
    let Some(file) = open_file(dir, IGNORE).map_err(failed)? else { return Ok(Vec::new()) };
    let problem = |problem: &str| refused(label, &format!("its `{IGNORE}`: {}", SafeText::new(problem)));
    let Some(bytes) = bounded::read_within(file, limits::PATTERN_FILE, 0).map_err(failed)? else {
        return Err(problem(&format!("it has more than {} bytes", limits::PATTERN_FILE)));
    };
    patterns::read(&bytes).map_err(|text| problem(&text))
}

struct Surveying<'s> {
    survey: Survey,
    refusals: Refusals,
    tree: EntryTree,
    patterns: Vec<Pattern>,
    registry: Option<Metadata>,
    include_secrets: bool,
    label: &'s str,
}

impl Surveying<'_> {
    /// Examines everything in `dir`, whose path has these parts.
    fn folder(&mut self, dir: &Dir, above: &[&str]) -> Result<(), BundleError> {
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

    fn entry(&mut self, dir: &Dir, above: &[&str], name: &str, entry: &DirEntry) -> Result<(), BundleError> {
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
            self.refusals.kind(&path, type_name(kind));
            return Ok(());
        };
        if let Err(problem) = self.admit(&path, packed) {
            // Beyond this count the rest need not be examined.
            if matches!(problem, ArchiveError::TooManyEntries { .. }) {
                return Err(refused(self.label, &problem.to_string()));
            }
            self.refusals.name(&path, &problem.to_string());
            return Ok(());
        }
        match packed {
            EntryKind::File => self.survey.entries.push((path, EntryKind::File)),
            EntryKind::Folder => {
                let inside = entry.open_dir().map_err(|error| failed(self.label, error))?;
                let metadata = inside.dir_metadata().map_err(|error| failed(self.label, error))?;
                // Earlier bundles are not part of the new one.
                if self.registry.as_ref().is_some_and(|registry| is_same(&metadata, registry)) {
                    self.leave_out(&path, true);
                    return Ok(());
                }
                self.survey.entries.push((path, EntryKind::Folder));
                self.folder(&inside, &parts)?;
            }
        }
        Ok(())
    }

    fn admit(&mut self, path: &str, kind: EntryKind) -> Result<(), ArchiveError> {
        let parsed = EntryName::parse(path.as_bytes())?;
        self.tree.count()?;
        self.tree.insert(&parsed, kind).map(drop)
    }

    fn is_left_out(&self, parts: &[&str], is_folder: bool) -> bool {
        let decisive = self.patterns.iter().rev().find(|pattern| pattern.fits(parts, is_folder));
        match parts {
            // Publishing needs the manifest; nothing reads the ignore file afterwards.
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

fn packed_as(kind: FileType) -> Option<EntryKind> {
    if kind.is_dir() { Some(EntryKind::Folder) } else { kind.is_file().then_some(EntryKind::File) }
}

fn type_name(kind: FileType) -> &'static str {
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

fn refused(label: &str, problem: &str) -> BundleError {
    BundleErrorKind::Unpublishable(problem.to_owned()).of(label)
}

/// Makes the error about an unreadable file or folder of the directory; an empty path is the directory itself.
pub fn unreadable(label: &str, path: &str, cause: io::Error) -> BundleError {
    let path = SafeText::new(if path.is_empty() { "." } else { path });
    BundleErrorKind::UnreadableSource { path, cause }.of(label)
}
