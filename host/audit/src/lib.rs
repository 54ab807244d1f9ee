//! The audit log: what was decided, started and ended, in a chain of records.
//!
//! `pipeline` writes it, before and after what it records; `cli/audit` reads it. One JSON object a line, each with the
//! digest of the line before it. A line is written whole and made durable under a lock, or it is not there: whatever
//! kills a writer, no record that was acknowledged is lost, and the chain goes on.
//!
//! ```text
//! place ──► end ──► journal ──► heads        snapshot ──► verify, read
//!  safe      where    append,    to syslog    what is     does the chain
//!  files     it is    rotate                  there now   hold; what it says
//!                       │
//!                    running: which servers have started and not ended
//! ```

mod end;
mod error;
mod heads;
mod audit_log;
mod names;
mod log_folder;
mod read;
mod record;
mod running;
mod snapshot;
mod verify;

pub use audit_log::AuditLog;
pub use audit_log::Clock;
pub use error::AuditError;
pub use read::FoundRecord;
pub use read::newest;
pub use record::NewRecord;
pub use running::Abandoned;
pub use running::About;
pub use running::Running;
pub use snapshot::LogFile;
pub use snapshot::Snapshot;
pub use verify::Bounds;
pub use verify::verify;

/// Which document every record is.
const SCHEMA: &str = "smcp.audit/1";
