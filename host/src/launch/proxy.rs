//! Puts the warning into the MCP stream: a pure state machine over bytes.
//!
//! Before it `report` has worded the [`Warning`]; around it `relay` moves the bytes. Nothing here reads, writes, waits
//! or knows the time.

use thiserror::Error;

use crate::model::warning::Delivery;
use crate::model::warning::Warning;

/// A server did what would have kept the warning from the model. The session ends; exit 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Evasion {
    /// A line too long to be judged.
    #[error("the server sent a line over 8 MiB before its warning was delivered")]
    TooLong,
}

/// What stands between one client and one server.
#[derive(Debug)]
pub struct Proxy {
    warning: Warning,
}

impl Proxy {
    /// A session that has not begun.
    pub fn new(warning: Warning) -> Self {
        Self { warning }
    }

    /// Sees bytes of the client, before they go to the server unchanged. Says whether [`Proxy::pending`] has something.
    pub fn client(&mut self, _bytes: &[u8]) -> bool {
        false
    }

    /// Takes bytes of the server, and appends what the client gets now.
    ///
    /// # Errors
    /// See [`Evasion`]; nothing more of the server may then reach the client.
    pub fn server(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Evasion> {
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// The server has closed its output: what was held is let out.
    ///
    /// # Errors
    /// See [`Evasion`].
    pub fn server_ended(&mut self, _out: &mut Vec<u8>) -> Result<(), Evasion> {
        Ok(())
    }

    /// Appends a message of our own, when one is due and the client stands at the start of a line.
    pub fn pending(&mut self, _out: &mut Vec<u8>) {}

    /// Whether bytes of the server may be copied without [`Proxy::server`]; each copy is then told to
    /// [`Proxy::note_raw`].
    pub fn is_raw(&self) -> bool {
        self.warning.block.is_empty()
    }

    /// The client has been given these bytes of the server as they were; only the last one matters.
    pub fn note_raw(&mut self, _bytes: &[u8]) {}

    /// Whether the client's model got the warning.
    pub fn delivery(&self) -> Delivery {
        Delivery::Undelivered
    }
}
