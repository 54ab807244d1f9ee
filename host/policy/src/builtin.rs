//! The three components inside the binary, and the digests of their sources.

use smcp_model::digest::Digest;
use smcp_model::policy::BuiltIn;

/// A component that was compiled when this program was built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Embedded {
    /// The compiled code, made by our own build script.
    pub(super) code: &'static [u8],
    /// Digest of the `.wasm` that it was compiled from.
    pub(super) digest: Digest,
}

macro_rules! embedded {
    ($name:literal) => {
        Embedded {
            code: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".aot")),
            digest: Digest::from_sha256(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".sha256"))),
        }
    };
}

/// The embedded component of a built-in policy.
pub(super) const fn embedded(policy: BuiltIn) -> Embedded {
    match policy {
        BuiltIn::Origin => embedded!("origin"),
        BuiltIn::Certification => embedded!("certification"),
        BuiltIn::Score => embedded!("score"),
    }
}
