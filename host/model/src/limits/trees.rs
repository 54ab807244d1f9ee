//! Limits of the folders that servers start in: kept trees, and those of runs.

use super::KIB;
use super::MIB;

/// The index of a tree, bytes: 100,000 entries have a third of it. A bundle that needs more is unpacked at each start.
pub const INDEX: usize = 64 * MIB;
/// Files that one thread checks at a time; a tree with fewer is checked without further threads.
pub const SHARE: usize = 64;
/// The bytes that the diagnosis writes into the folder of a run: more than a full file system accepts.
pub const RUN_PROBE: usize = 64 * KIB;
/// The threads that check one tree, at most: more of them wait for each other in the kernel.
pub const THREADS: usize = 8;
