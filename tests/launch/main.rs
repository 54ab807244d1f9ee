//! The launch stage against real processes: `sh` servers, pipes, signals.
//!
//! Nothing here sleeps: a test waits for a line, for the end of a stream, or for a process. The end of a server's
//! standard output is the proof that its children are gone too, because each of them holds it open.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the client, the shell and the file system")]

mod bed;
mod closing;
mod ending;
#[cfg(target_os = "linux")]
mod life;
mod refusal;
mod relay;
mod relay_ending;
mod relay_warning;
mod start;
mod terminal;
#[cfg(target_os = "linux")]
#[path = "../support/witness.rs"]
mod witness;
