//! The system's compiled files: root writes them, every user reads them.
//!
//! Their owner is the proof. The path is constant: no option, variable or file moves it. Each folder on the way belongs
//! to root, can be written by root alone, and is not a link.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use cap_std::fs::Dir;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use crate::entry;
use smcp_model::digest::Digest;
use smcp_model::ownership::Caller;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_policy::CodeStore;
use smcp_policy::Kept;
use smcp_store::CompiledFiles;
use smcp_store::access::StoreAccess;
use smcp_store::folder;
use smcp_store::folder::FolderGuard;

/// The folders from the root to the files.
const WAY: [&str; 4] = ["var", "cache", "smcp", "compiled"];
/// The system's owner.
const ROOT: Caller = Caller::new(0, || None);

/// The path of the files, for messages.
pub const SYSTEM_FOLDER: &str = "/var/cache/smcp/compiled";

/// The system's compiled files, to be filled by root: `smcp policy compile --system`.
#[derive(Debug)]
pub struct SystemFiles {
    files: CompiledFiles,
    engine: Digest,
    problem: Mutex<Option<SafeText>>,
}

impl SystemFiles {
    /// Opens the files below `root`, the folder `/`, and makes the last two folders if they are missing.
    ///
    /// # Errors
    /// When the caller is not root, a folder can't be made, or one on the way could be changed by another user.
    pub fn fill(root: &Dir) -> io::Result<Self> {
        let files = walk(root, ROOT, true)?.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { files, engine: smcp_policy::engine_key(), problem: Mutex::default() })
    }

    /// Why code that was compiled could not be kept; `None` when all was kept.
    pub fn problem(&self) -> Option<SafeText> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CodeStore for SystemFiles {
    fn find(&self, digest: Digest, _: LayerName) -> Option<Kept> {
        find(&self.files, digest, self.engine)
    }

    fn keep(&self, digest: Digest, kept: &Kept) {
        let kept = self.files.write(&digest, &self.engine, |draft| {
            // Every user reads them, whatever root's umask is.
            draft.file().set_permissions(Permissions::from_mode(StoreAccess::Readable.file_mode()))?;
            entry::write(draft, entry::OF_THE_SYSTEM, &digest, &self.engine, kept)
        });
        if let Err(error) = kept {
            tracing::info!(%digest, %error, "the compiled code can't be kept");
            let problem = SafeText::new(&format!("{SYSTEM_FOLDER}: {error}"));
            self.problem.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
        }
    }
}

/// Opens the files below `root`; `None` when there are none, or they are not to be trusted.
pub(crate) fn open(root: &Dir, owner: Caller) -> Option<CompiledFiles> {
    walk(root, owner, false).unwrap_or_else(|error| {
        tracing::info!(%error, "{SYSTEM_FOLDER} is not used");
        None
    })
}

/// Looks for a component's code in the system's files.
pub(crate) fn find(files: &CompiledFiles, component: Digest, engine: Digest) -> Option<Kept> {
    crate::store::look(files, entry::OF_THE_SYSTEM, component, engine)
}

fn walk(root: &Dir, owner: Caller, make: bool) -> io::Result<Option<CompiledFiles>> {
    let mut guard = FolderGuard::new(owner, &PathBuf::from("/"));
    let mut dir = root.try_clone()?;
    guard.check(&dir)?;
    for (depth, name) in WAY.into_iter().enumerate() {
        if make && depth >= 2 && guard.open(&dir, name)?.is_none() {
            folder::create(&dir, name, StoreAccess::Readable)?;
            dir.set_permissions(name, Permissions::from_mode(StoreAccess::Readable.folder_mode()))?;
        }
        let Some((inner, inner_guard)) = guard.open(&dir, name)? else { return Ok(None) };
        (dir, guard) = (inner, inner_guard);
    }
    Ok(Some(CompiledFiles::shared(dir, guard)))
}

/// The owner of the system's files: root.
pub(crate) const fn owner() -> Caller {
    ROOT
}

#[cfg(test)]
mod tests;
