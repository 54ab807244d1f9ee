//! Stores files: by digest, for one run, or as kept answers of registries.
//!
//! `model` comes before; every crate that stores files comes after: bundles, credentials, registries. A store knows
//! digests and folders, and not where the bytes come from. It holds bytes, never approval: they are verified each time
//! they are used. All files are reached through handles that the caller opened.
//!
//! ```text
//! ~/.mcp/cache ──Cache──► blobs, by digest      a run holds a Lease on its own
//!                    ├──► compiled code, by component and engine
//!                    ├──► runs, one RunFolder each, removed when the run has ended
//!                    ├──► trees, unpacked bundles that stay, one KeptTree each
//!                    └──► resolutions, for a time when the registry can't be reached
//!
//! ~/.mcp/data ───DataFolders──► one DataFolder for each package, which its server writes to
//! ```

pub mod access;
pub mod blobs;
mod cache;
pub mod compiled;
pub mod draft;
mod error;
pub mod file;
pub mod folder;
mod removal;
mod resolutions;
mod runs;
mod server_data;
mod sources;
pub mod stream;
#[cfg(test)]
mod testing;
mod trees;

pub use crate::cache::Cache;
pub use crate::cache::Lease;
pub use crate::compiled::CompiledFiles;
pub use crate::error::FolderError;
pub use crate::error::FolderProblem;
pub use crate::error::FolderPurpose;
pub use crate::error::RemovalTargetError;
pub use crate::error::StoreError;
pub use crate::resolutions::KeptAnswer;
pub use crate::resolutions::Resolutions;
pub use crate::runs::RunFolder;
pub use crate::runs::Runs;
pub use crate::server_data::DataFolder;
pub use crate::server_data::DataFolders;
pub use crate::sources::SourceNote;
pub use crate::sources::SourceNotes;
pub use crate::trees::KeptTree;
pub use crate::trees::Seal;
pub use crate::trees::Trees;
