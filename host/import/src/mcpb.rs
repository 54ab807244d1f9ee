//! MCP bundles: zip archives with a manifest of their own, for desktop clients.
//!
//! `bundle` reads them. Their files lie below `mcpb/` in our bundle, beside our manifest.

use std::io::Write as _;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use serde_json::Value;

use crate::error::ImportError;
use crate::imported::ImportRequest;
use crate::imported::Imported;
use crate::imported::ManifestDraft;
use crate::imported::Scratch;
use crate::lock::ImportLock;
use crate::platform::LockPlatform;
use smcp_bundle::mcpb::KIND;
use smcp_bundle::mcpb::McpbArchive;
use smcp_bundle::mcpb::McpbDraft;
use smcp_bundle::mcpb::McpbError;
use smcp_bundle::mcpb::ZipEntry;
use smcp_model::digest::Digest;
use smcp_model::text::SafeText;

/// The folder of its files in our bundle.
const FOLDER: &str = "mcpb";

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
        if kind != KIND {
            return Err(ImportError::lock(format!("it is of {kind}:{name} {version}")));
        }
        if *integrity != found.to_string() {
            return Err(ImportError::integrity(format!(
                "the MCP bundle is not that of the lock: expected {integrity}, found {found}"
            )));
        }
    }
    let archive = McpbArchive::read(bytes)?;
    let McpbDraft { name, version, description, repository, license, runtime, command, env, variables, mut remarks } =
        archive.draft(Some(FOLDER))?;
    if let Some(lock) = request.lock.filter(|lock| (&lock.name, &lock.version) != (&name, &version)) {
        return Err(ImportError::integrity(format!(
            "the MCP bundle is {name} {version}, and the lock says that it is {} {}",
            lock.name, lock.version
        )));
    }
    let root = scratch.folder("tree")?;
    let folder = root.create_dir(FOLDER).and_then(|()| root.open_dir(FOLDER));
    let folder = folder.map_err(ImportError::scratch("make a folder"))?;
    archive.entries().iter().try_for_each(|entry| write(entry, &folder))?;
    let lock = ImportLock {
        kind: KIND.to_owned(),
        name,
        version,
        integrity: found.to_string(),
        bin: None,
        extras: Vec::new(),
        platform: LockPlatform::current(),
        packages: Vec::new(),
    };
    let is_list = |about: &Value| about.get("list").and_then(Value::as_bool).unwrap_or_default();
    for (name, _) in variables.iter().filter(|(_, about)| is_list(about)) {
        remarks.push(SafeText::new(&format!(r#"{name} takes a list in JSON, such as {name}='["one","two"]'"#)));
    }
    let draft = ManifestDraft {
        description,
        repository,
        license,
        runtime,
        native: runtime == "binary",
        command,
        env,
        workdir: Some(FOLDER),
        variables,
        remarks,
        ..ManifestDraft::default()
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
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(if entry.is_executable { 0o755 } else { 0o644 });
    let mut file = folder.open_with(&entry.name, &options).map_err(&failed)?;
    entry.unpack(&mut |piece| file.write_all(piece).map_err(&failed))
}

#[cfg(test)]
mod tests;
