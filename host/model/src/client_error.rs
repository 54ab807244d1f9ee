//! What a client is told when no server was started for it (spec section 7).

use serde_json::Value;

/// The error that every request of such a client is answered with. Made by `report`, sent by `launch`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientError {
    /// -31000 minus the exit code.
    pub code: i32,
    /// Why, and what helps: one line of at most [`CLIENT_MESSAGE`](crate::limits::CLIENT_MESSAGE) bytes.
    pub message: String,
    /// The decision, or a short document where there is none.
    pub data: Value,
}
