//! What a package is made of: manifests and bundles, read and written.
//!
//! Before it bytes were had, from a registry or from an author's directory; after it a manifest is a value and a bundle
//! is a folder that a server can be started in. What is read here is hostile until its shape is checked, and no name in
//! it becomes a path unparsed. Nothing is known here of where bytes come from.
//!
//! ```text
//! bytes ──manifest::read──► Manifest            directory ──pack::survey──► Survey ──pack──► bytes
//! bytes ──unpack──► Unpacked, a folder of its own
//! ```

mod error;
pub mod manifest;
pub mod pack;
#[cfg(test)]
mod testing;
mod unpack;

pub use crate::error::BundleError;
pub use crate::error::BundleErrorKind;
pub use crate::error::UnpackError;
pub use crate::unpack::ArchiveError;
pub use crate::unpack::LeftBehind;
pub use crate::unpack::Unpacked;
pub use crate::unpack::unpack;
