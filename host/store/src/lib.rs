//! Files that smcp keeps and relies on: by digest, for one run, or as answers.
//!
//! Before it is `model`; after it is everything that keeps files: bundles, credentials, registries. A store knows
//! digests and folders. It doesn't know where bytes come from, and what it holds is never approval: bytes are verified
//! each time they are used. All files are reached through the handles of the caller.
//!
//! ```text
//! ~/.mcp/cache ──Cache──► blobs, by digest      who runs one holds a Lease
//!                    ├──► runs, one RunFolder each, removed when the run has ended
//!                    └──► resolutions, for the day when nobody can be asked
//! ```

pub mod blobs;
mod cache;
pub mod draft;
mod error;
pub mod file;
pub mod folder;
mod lock;
mod resolutions;
mod runs;
pub mod stream;
#[cfg(test)]
mod testing;

pub use crate::cache::Cache;
pub use crate::cache::Lease;
pub use crate::error::CacheTargetError;
pub use crate::error::FolderError;
pub use crate::error::FolderProblem;
pub use crate::error::FolderPurpose;
pub use crate::error::StoreError;
pub use crate::resolutions::KeptAnswer;
pub use crate::resolutions::Resolutions;
pub use crate::resolutions::has_digest;
pub use crate::runs::RunFolder;
pub use crate::runs::Runs;
