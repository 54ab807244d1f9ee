//! Limits of running the cases of a policy.
//!
//! Those of one case file are part of its format (`Limits` in `sdk/cases`).

const MIB: usize = 1024 * 1024;

/// Entries of a folder of cases that are looked at: a hundred times as many files as an author keeps.
pub const ENTRIES: usize = 10_000;
/// Case files that are run together.
pub const FILES: usize = 1_000;
/// Case files that are run together, bytes: all are read before the first case is run.
pub const TEXT: usize = 32 * MIB;
/// The facts of all cases that are run together, bytes of JSON: all of them are held at once.
pub const FACTS: usize = 128 * MIB;
/// Entries of a project's folder that are looked at for its component.
pub const PROJECT_ENTRIES: usize = 10_000;
/// Failing cases, and files, that people are shown, at most: with three lines each they fill a screen.
pub const SHOWN: usize = 6;
/// Differences of one case that people are shown, at most.
pub const DIFFERENCES_SHOWN: usize = 6;
/// A file with the settings of one policy, bytes: the most that settings may have as JSON, and as much again for comments
/// and white space.
pub const SETTINGS_FILE: usize = 2 * MIB;
