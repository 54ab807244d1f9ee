//! The audit log: a chain of records of decisions, starts and ends.
//!
//! `pipeline` writes a record before it acts, and one after the act; `cli/audit` reads the log. Each line is a JSON
//! object with the digest of the line before it. Under a lock, a line is written whole and made durable. However a
//! writer is killed, no acknowledged record is lost, and the chain goes on.
//!
//! ```text
//! log_folder ──► end ──► audit_log ──► heads      snapshot ──► verify, read
//!  safe           last     append,      to syslog   the files    check the chain;
//!  files          record   rotate                   at present   find records
//!                            │
//!                         running: servers without a recorded end
//! ```

mod end;
mod error;
mod follow;
mod glance;
mod heads;
mod audit_log;
mod names;
mod log_folder;
mod part;
mod read;
mod record;
mod running;
mod snapshot;
mod verify;

pub use audit_log::AuditLog;
pub use audit_log::Clock;
pub use error::AuditError;
pub use follow::FollowError;
pub use follow::LogCursor;
pub use follow::LogFollower;
pub use names::is_of_log;
pub use part::LineKey;
pub use read::RecordKey;
pub use read::mentions;
pub use read::newest;
pub use record::NewRecord;
pub use running::Abandoned;
pub use running::About;
pub use running::RunningNote;
pub use snapshot::LogFile;
pub use snapshot::Snapshot;
pub use verify::KnownLog;
pub use verify::WalkedLine;
pub use verify::verify;
pub use verify::walk;
