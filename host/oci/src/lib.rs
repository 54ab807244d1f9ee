//! Artefacts in registries of images; and a file behind a URL.
//!
//! `http` comes before: it says where a connection may go, and what is tried again. `pipeline` comes after, and keeps what
//! came. A registry decides nothing: bytes are compared with the digest by which they were asked for, or get their own;
//! a log-in goes to the registry and to a token service of its own house, a token to the registry alone.
//!
//! ```text
//! OciReference ──manifest──► FetchedManifest ──wasm::layer_of──► Descriptor ──blob──► bytes
//!                               ▲    └──package::parts_of──► manifest document, bundle
//!          referrers(digest) ───┤
//!               tags, a tag ────┘            push_blob, push_manifest, push_referrer
//! ```

mod artefact;
mod challenge;
mod client;
mod docker;
mod document;
mod entry;
mod error;
mod file;
mod helper;
mod listing;
pub mod package;
mod pull;
mod push;
mod referrers;
pub mod set;
mod token;
pub mod wasm;

pub use crate::client::FindLogIn;
pub use crate::client::OciClient;
pub use crate::docker::DockerConfig;
pub use crate::docker::DockerLogIn;
pub use crate::document::Descriptor;
pub use crate::document::IMAGE_INDEX;
pub use crate::document::IMAGE_MANIFEST;
pub use crate::document::ImageManifest;
pub use crate::error::LogInProblem;
pub use crate::error::OciError;
pub use crate::file::get as get_file;
pub use crate::helper::ask as ask_helper;
pub use crate::pull::FetchedManifest;
pub use crate::pull::OpenedBlob;
pub use crate::push::Pushed;
pub use crate::referrers::Referrer;
