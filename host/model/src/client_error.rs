//! The error that a client gets when no server was started for it (section 7).

use serde_json::Value;

/// The answer to every request of such a client. Made by `report`, sent by `launch`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientError {
    /// -31000 minus the exit code.
    pub code: i32,
    /// The reason and the remedy: one line of at most [`CLIENT_MESSAGE`](crate::limits::CLIENT_MESSAGE) bytes.
    pub message: String,
    /// The decision, or a short document when there is no decision.
    pub data: Value,
}
