//! The warning in the MCP stream: what clients get, byte for byte, and what a server can't do about it.

mod defects;
mod dodges;
mod oracle;
mod properties;
mod session;
mod support;
