//! Whether the bytes of a component may count: the one place that says so.
//!
//! Bytes that have just arrived come here before they are kept, bytes of the cache at each start.

use smcp_model::digest::Digest;
use smcp_model::policy::PolicySpec;
use smcp_policy::PinMismatch;

/// A component from elsewhere that does not count yet.
#[derive(Debug)]
pub(crate) struct UnverifiedComponent<'c> {
    /// Its bytes.
    pub(crate) bytes: &'c [u8],
    /// Their digest.
    pub(crate) digest: Digest,
    /// The digest of the manifest that was asked for; `None` for a file behind a URL.
    pub(crate) manifest: Option<Digest>,
}

/// Verifies a component when it arrives, before it is kept, and again at each start.
///
/// # Errors
/// When it is not the one that its policy's configuration means.
pub(crate) fn verify(spec: &PolicySpec, component: &UnverifiedComponent<'_>) -> Result<(), PinMismatch> {
    let UnverifiedComponent { bytes, digest, manifest } = component;
    tracing::debug!(policy = %spec.name, %digest, ?manifest, size = bytes.len(), "verifying");
    PinMismatch::of(spec, *digest).map_or(Ok(()), Err)
}
