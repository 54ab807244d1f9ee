//! Makes packages of servers that are started otherwise today: npm, PyPI, MCPB.
//!
//! The command line comes before: it says which, and gives a scratch folder. `registry` comes after, and publishes what lies
//! in that folder then. Nothing of a package is run here: npm and pip install without scripts, and an MCPB is read by rules
//! under which two readers can't see two things in it.
//!
//! ```text
//! source ──npm──► tree   ─┐
//!        ──pypi─► lib/    ├─► Imported: files, manifest.json, source.json ──registry──► a version
//!        ──mcpb─► mcpb/  ─┘
//! ```
//!
//! `source.json` is what went in, by name and integrity. It is also the lock by which the same is made again.

mod error;
mod imported;
mod lock;
pub mod mcpb;
mod npm;
mod platform;
mod program;
mod pypi;
mod source;

pub use crate::error::ImportError;
pub use crate::imported::ImportRequest;
pub use crate::imported::Imported;
pub use crate::imported::Scratch;
pub use crate::lock::ImportLock;
pub use crate::lock::ImportLockError;
pub use crate::lock::LockedPackage;
pub use crate::lock::SOURCE_FILE;
pub use crate::platform::LockPlatform;
pub use crate::program::ClientProgramError;
pub use crate::source::ImportSource;
pub use crate::source::ImportSourceError;
pub use crate::source::McpbPlace;

use smcp_model::progress::Progress;

/// Makes a package of a source of npm or PyPI, in the scratch folder.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    request: &ImportRequest<'_>,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<Imported, ImportError> {
    match request.source {
        ImportSource::Npm { name, wanted } => npm::import(name, wanted.as_deref(), request, scratch, progress),
        ImportSource::Pypi { name, extras, version } => {
            pypi::import(&pypi::WantedPackage { name, extras, version: version.as_deref() }, request, scratch, progress)
        }
        ImportSource::Mcpb { .. } => Err(ImportError::NoBytes),
    }
}
