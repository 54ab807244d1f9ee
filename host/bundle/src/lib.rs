//! Manifests and bundles, the two parts of a package: reads and writes them.
//!
//! The bytes come from a registry or from an author's directory; this crate does not know which. It turns a manifest
//! into a value and a bundle into a folder in which a server can start. All input is hostile until its shape is
//! checked, and no name in it becomes a path unparsed.
//!
//! ```text
//! bytes ──manifest::read──► Manifest            directory ──pack::survey──► Survey ──pack──► bytes
//! bytes ──mcpb──► the same of an MCP bundle
//! bytes ──unpack──► Unpacked, a folder of its own, or a tree ──kept──► Unpacked again, once it is checked
//! ```

mod error;
pub mod manifest;
pub mod mcpb;
pub mod pack;
pub mod set;
mod unpack;

pub use crate::error::BundleError;
pub use crate::error::BundleErrorKind;
pub use crate::error::UnpackError;
pub use crate::unpack::ArchiveError;
pub use crate::unpack::BundleFolders;
pub use crate::unpack::Keeper;
pub use crate::unpack::Left;
pub use crate::unpack::LeftBehind;
pub use crate::unpack::TreeFound;
pub use crate::unpack::Unpacked;
pub use crate::unpack::kept;
pub use crate::unpack::read_one;
pub use crate::unpack::read_set;
pub use crate::unpack::unpack;
