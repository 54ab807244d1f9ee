//! The limits of compiling components, and of what is kept of it (spec 8, 9).

use std::time::Duration;

use crate::limits::PolicyLimits;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A core module of which `policy build` makes a component, bytes: with names and debugging information one of Go or Rust
/// has tens of megabytes, of which a component keeps none.
pub const MODULE_FILE: usize = 256 * MIB;
/// CPU time for one component: components of large languages need about ten seconds.
pub const CPU_TIME: Duration = Duration::from_secs(120);
/// CPU time after which a compiler is killed for good, if the signal at [`CPU_TIME`] did not end it.
pub const CPU_TIME_HARD: Duration = Duration::from_secs(125);
/// Wall-clock time for one component: on a busy machine four processes share a core, and a compiler that uses no CPU time
/// is stuck.
pub const WALL_TIME: Duration = Duration::from_secs(480);
/// Address space of a compiler, bytes: a Python component of 18 MB needs 340 MiB.
pub const MEMORY: u64 = 1024 * MIB as u64;
/// What a compiler hands back, bytes: four times the largest component, which is twice what was seen.
pub const CODE: usize = 4 * PolicyLimits::CEILING.component_size;
/// What a compiler may say before its code, bytes: a message and its remedy.
pub const REPLY: usize = 64 * KIB;
/// What is kept of a compiler's standard error, bytes: enough for the reason why it died.
pub const COMPLAINT: usize = 4 * KIB;
/// Time for a compiler to end after it has closed its output.
pub const END: Duration = Duration::from_secs(5);
/// The time after which a person is shown that something is being compiled.
pub const SHOWN: Duration = Duration::from_secs(1);
/// The time between two updates of the progress that is shown.
pub const TICK: Duration = Duration::from_millis(100);

/// Answers of `check-settings` that are kept with one component's code: more than a component has settings at a time.
pub const KEPT_SETTINGS: usize = 64;
/// Answers that are kept with one component's code, bytes: a description and the refusals of many settings.
pub const KEPT_NOTES: usize = 4 * MIB;
/// Compiled code in the cache, bytes: thirty components of a large language, or four thousand small ones.
pub const STORE: u64 = 1024 * MIB as u64;
/// The age that the last use of a compiled file reaches before it is written down again: it decides which files are
/// removed first, and a write at each start would cost more than it says.
pub const RENEWED: Duration = Duration::from_secs(60 * 60);
