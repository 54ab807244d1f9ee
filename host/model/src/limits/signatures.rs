//! Limits of signatures of policies.

use crate::limits::KIB;
use crate::limits::MIB;

/// Signers in one list: a company has a handful.
pub const SIGNERS: usize = 64;
/// An identity or issuer, bytes: the longest that certificates have are addresses of workflows.
pub const IDENTITY: usize = 2 * KIB;
/// Signatures of one form that a registry lists for one artefact, and are read.
pub const DOCUMENTS: usize = 16;
/// A minisign signature, bytes: four lines, of which two are comments.
pub const MINISIGN: usize = 16 * KIB;
/// A sigstore bundle, bytes: a certificate chain, an entry of a log and its proof are some ten KiB.
pub const SIGSTORE_BUNDLE: usize = MIB;
/// A file with a public or secret key, bytes.
pub const KEY_FILE: usize = 16 * KIB;
/// A trusted root, bytes: Sigstore's public one has 7 KiB.
pub const TRUSTED_ROOT: usize = MIB;
/// A password of a secret key, bytes.
pub const PASSWORD: usize = KIB;
