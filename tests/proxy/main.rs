//! The warning in the MCP stream: what clients get, byte for byte.

mod defects;
mod dodges;
mod oracle;
mod properties;
mod session;
mod support;
