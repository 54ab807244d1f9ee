//! What a policy set may have, and how long the last good one may be used.

use std::time::Duration;

use crate::limits::POLICIES_CEILING;

const MIB: usize = 1024 * 1024;

/// The archive of a set, bytes: it is held in memory while it is checked. A few components of languages with a runtime
/// compress to a third of their size.
pub const ARCHIVE: usize = 64 * MIB;
/// All files of a set together, bytes: eight of the largest components that are allowed by default.
pub const UNPACKED: u64 = 256 * MIB as u64;
/// Entries of the archive: `set.yaml`, and for each policy that a layer may have a file, a component and their headers.
pub const ENTRIES: usize = 4 * POLICIES_CEILING;
/// The largest version: programs that read JSON keep whole numbers exactly up to here.
pub const VERSION: usize = 9_007_199_254_740_991;
/// How often a set is looked for, by default.
pub const REFRESH_DEFAULT: Duration = Duration::from_secs(60 * 60);
/// The longest time between two looks that a configuration may ask for: longer ones would defeat what sets are for.
pub const REFRESH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the last good set stays in force without a look that succeeds, by default: a week of holidays.
pub const MAX_AGE_DEFAULT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The longest that a configuration may ask for.
pub const MAX_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// `~/.mcp/seen.json`, bytes: a few sets have a few hundred each, the signed statements of later versions more.
pub const SEEN: usize = 4 * MIB;
/// How old the noted time becomes before a start that has nothing else to note writes it again: one small write an hour.
pub const TIME_NOTED: Duration = Duration::from_secs(60 * 60);
/// How long another smcp may take to note what it has seen: it writes two small files.
pub const LOCK: Duration = Duration::from_secs(10);
/// How long the copy of a set stays that is in force no more: another smcp may just be reading it.
pub const COPY_STAYS: Duration = Duration::from_secs(24 * 60 * 60);
/// The kept signatures and manifests of one set, bytes: as many of the largest as are read, written as JSON.
pub const PROOF: usize = 48 * MIB;
/// The time for getting one set ahead: the largest archive over a slow line.
pub const PULL_AHEAD: Duration = Duration::from_secs(10 * 60);
