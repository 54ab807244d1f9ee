//! Answers the client of a launch that started nothing.

use crate::System;
use smcp_launch as launch;
use smcp_launch::Patience;
use smcp_launch::Streams;
use smcp_model::client_error::ClientError;

/// Answers the requests of the client on standard input with an error, until it leaves or asks nothing more. Only for a
/// launch that started no server: a server that was started owns both streams.
pub fn refuse(system: &System, error: &ClientError) {
    // Without a standard input there is no client.
    let Ok(input) = (system.stdin)() else { return };
    if let Err(cause) = launch::refuse(error, Streams::inherited(input), Patience::default()) {
        tracing::debug!(%cause, "the client can't be told why nothing was started");
    }
}
