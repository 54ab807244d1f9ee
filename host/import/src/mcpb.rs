//! MCP bundles: zip archives with a manifest of their own, for desktop clients.
//!
//! The archive is read strictly: one in which two readers could see two things is refused, whatever either would see. Its
//! files lie below `mcpb/` in our bundle, beside our manifest.

mod manifest;
mod names;
mod zip;

use std::io::Write as _;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;

use crate::error::ImportError;
use crate::error::safe_lines;
use crate::imported::ImportRequest;
use crate::imported::Imported;
use crate::imported::Scratch;
use crate::lock::ImportLock;
use crate::mcpb::manifest::McpbManifest;
use crate::mcpb::zip::ZipEntry;
use crate::platform::LockPlatform;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;

/// The folder of its files in our bundle.
pub(crate) const FOLDER: &str = "mcpb";
/// Its manifest, in its root.
const MANIFEST: &str = "manifest.json";

/// Why an MCP bundle can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpbError {
    /// It is not the one that was meant.
    #[error("the MCP bundle is not the one that was meant: expected {expected}, found {found}")]
    Digest {
        /// As given.
        expected: Digest,
        /// Of the bytes.
        found: Digest,
    },
    /// Its archive is damaged, or could be read in two ways.
    #[error("the MCP bundle's archive is refused: {0}")]
    Archive(String),
    /// Its manifest is not valid.
    #[error("the MCP bundle's manifest.json is not valid: {0}")]
    Manifest(String),
    /// It can't be started here.
    #[error("the MCP bundle can't be used: {0}")]
    Unfit(String),
}

impl McpbError {
    fn archive(problem: impl AsRef<str>) -> Self {
        Self::Archive(safe_lines(problem.as_ref()))
    }

    fn manifest(problem: impl AsRef<str>) -> Self {
        Self::Manifest(safe_lines(problem.as_ref()))
    }

    fn unfit(problem: impl AsRef<str>) -> Self {
        Self::Unfit(safe_lines(problem.as_ref()))
    }

    /// What it is for the exit code.
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Digest { .. } | Self::Archive(_) | Self::Manifest(_) => ExitKind::Integrity,
            Self::Unfit(_) => ExitKind::Usage,
        }
    }
}

/// Makes a package of the bytes of an MCP bundle, in the scratch folder. `expected` is its digest, when somebody has said it.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    bytes: &[u8],
    expected: Option<&Digest>,
    request: &ImportRequest<'_>,
    scratch: &Scratch<'_>,
) -> Result<Imported, ImportError> {
    let found = Digest::of(bytes);
    if let Some(expected) = expected.filter(|expected| **expected != found) {
        return Err(McpbError::Digest { expected: *expected, found }.into());
    }
    if let Some(lock) = request.lock {
        let ImportLock { kind, name, version, integrity, .. } = lock;
        if kind != "mcpb" {
            return Err(ImportError::lock(format!("it is of {kind}:{name} {version}")));
        }
        if *integrity != found.to_string() {
            return Err(ImportError::integrity(format!(
                "the MCP bundle is not that of the lock: expected {integrity}, found {found}"
            )));
        }
    }
    let entries = zip::entries(bytes)?;
    let of_manifest = entries.iter().find(|entry| entry.name == MANIFEST && !entry.is_folder);
    let text = of_manifest.ok_or_else(|| McpbError::archive("it has no manifest.json in its root"))?.contents()?;
    let manifest = McpbManifest::read(&text)?;
    let (draft, name, version) = manifest.draft(&entries)?;
    if let Some(lock) = request.lock.filter(|lock| (&lock.name, &lock.version) != (&name, &version)) {
        return Err(ImportError::integrity(format!(
            "the MCP bundle is {name} {version}, and the lock says that it is {} {}",
            lock.name, lock.version
        )));
    }
    let root = scratch.folder("tree")?;
    let folder = root.create_dir(FOLDER).and_then(|()| root.open_dir(FOLDER));
    let folder = folder.map_err(ImportError::scratch("make a folder"))?;
    entries.iter().try_for_each(|entry| write(entry, &folder))?;
    let lock = ImportLock {
        kind: "mcpb".to_owned(),
        name,
        version,
        integrity: found.to_string(),
        bin: None,
        extras: Vec::new(),
        platform: LockPlatform::current(),
        packages: Vec::new(),
    };
    draft.finish(request, lock, root)
}

fn write(entry: &ZipEntry<'_>, folder: &Dir) -> Result<(), ImportError> {
    let failed = ImportError::scratch("write a file of the MCP bundle");
    if entry.is_folder {
        return folder.create_dir_all(&entry.name).map_err(failed);
    }
    if let Some((above, _)) = entry.name.rsplit_once('/') {
        folder.create_dir_all(above).map_err(&failed)?;
    }
    let contents = entry.contents()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(if entry.is_executable { 0o755 } else { 0o644 });
    let mut file = folder.open_with(&entry.name, &options).map_err(&failed)?;
    file.write_all(&contents).map_err(&failed)
}

#[cfg(test)]
mod tests;
