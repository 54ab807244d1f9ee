//! How long a policy is measured, and what its figures are held against.

use std::time::Duration;

/// How often loads and calls take turns: what the machine does for a moment is in the figures of one round alone.
pub const ROUNDS: usize = 5;
/// Loads of one round, each with the first call after it: a hundred in all.
pub const LOADS: usize = 20;
/// Further calls of one round: of ten thousand in all, the 99th percentile has a hundred above it.
pub const CALLS: usize = 2_000;
/// Loads and calls of one round, however slow they are: ten in all, since fewer have no median that means anything.
pub const LEAST: usize = 2;
/// The time for the loads of one round, for a second in all; one that is under way is finished.
pub const LOAD_TIME: Duration = Duration::from_millis(200);
/// The time for the further calls of one round, for two seconds in all; one that is under way is finished.
pub const CALL_TIME: Duration = Duration::from_millis(400);
/// By how many percent a figure may be above that of the base unless the user says otherwise. Twelve measurements of one
/// policy, on two cores with six processes that wanted them, had minima within 9 % and medians within 20 %: minima are
/// compared, and more than twice their spread is allowed.
pub const TOLERANCE: u16 = 25;
/// The most percent that a user may allow: eleven times as much is no comparison any more.
pub const TOLERANCE_CEILING: u16 = 1_000;
/// A file with the figures of one policy, bytes: some twenty times what is written.
pub const BASE: usize = 64 * 1024;
