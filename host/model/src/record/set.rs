//! The policy sets of a recorded decision.
//!
//! A set is named by its version and digest: with its archive, its rules can be put in force again.

use crate::digest::Digest;
use crate::policy::LayerName;
use crate::text::SafeText;

/// A policy set that was in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SetRecord {
    /// Its layer.
    pub layer: LayerName,
    /// Where it came from.
    pub source: SafeText,
    /// The number of its version.
    pub version: u64,
    /// The digest of its archive.
    pub digest: Digest,
    /// Who has signed it; absent when nobody need to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SafeText>,
}
