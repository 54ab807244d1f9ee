//! Limits of signed statements about packages.

use std::time::Duration;

use crate::limits::KIB;
use crate::limits::MIB;

/// A statement, bytes: two subjects and a dozen facts are less than two KiB.
pub const STATEMENT: usize = 16 * KIB;
/// A sigstore bundle with a statement, bytes: the statement, its copy in an entry of a log, certificates, time-stamps.
pub const BUNDLE: usize = 128 * KIB;
/// The word for an origin in a statement, bytes.
pub const ORIGIN: usize = 256;
/// The statements of one version that are read: publishers remove what newer ones replace.
pub const PER_VERSION: usize = 64;
/// All statements of one version with their signatures, bytes.
pub const TOTAL: usize = 4 * MIB;
/// What refers to a version's image and could be a statement, and is looked at: builds attach other bundles, too.
pub const ATTACHED: usize = 4 * PER_VERSION;
/// All of that, bytes.
pub const FETCHED: usize = 4 * TOTAL;
/// A registry's answer with all statements of one version, bytes: in Base64, and with the names of the fields.
pub const ANSWER: usize = 6 * MIB;
/// How long a statement may be valid, at most: a year.
pub const VALIDITY: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// How long a statement is valid when nothing else is said: long enough for a quarter, short enough for a lost key.
pub const EXPIRES_DEFAULT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// The largest sequence number: programs that read JSON keep whole numbers exactly up to here.
pub const SEQUENCE: u64 = 9_007_199_254_740_991;
/// The statements of one signer about one version that a registry directory keeps, newest first.
pub const KEPT_PER_SIGNER: usize = 8;
/// The versions of packages whose statements are remembered, for all layers together: each has some 300 bytes.
pub const SEEN: usize = 5_000;
/// The files in the folder of one version's statements in a registry directory that are looked at.
pub const FILES: usize = 4 * PER_VERSION;
