//! Limits of registries like the official one.

use std::time::Duration;

use super::KIB;
use super::MIB;

/// A page of a list, bytes: a hundred servers with everything that a publisher may write, or a small registry's whole list.
pub const PAGE: usize = 8 * MIB;
/// Servers or versions that are asked for at once: the most that the official registry gives.
pub const LISTED_AT_ONCE: usize = 100;
/// Pages that are read: with thirty on each, twice what the official registry has.
pub const PAGES: usize = 1_000;
/// Servers or versions that are read: ten times as many as the official registry has.
pub const LISTED: usize = 100_000;
/// A cursor, bytes: a name and a version, encoded.
pub const CURSOR: usize = 2 * KIB;
/// A server's name, bytes: the schema's own limit.
pub const NAME: usize = 200;
/// A version, bytes: the schema's own limit.
pub const VERSION: usize = 255;
/// Packages of a version: one of each kind for each system, and more.
pub const PACKAGES: usize = 64;
/// What is kept of all versions of one server while one is chosen, bytes: some thousand versions.
pub const VERSIONS: usize = 64 * MIB;
/// The time for a list of servers: some hundreds of questions.
pub const LIST: Duration = Duration::from_secs(10 * 60);
