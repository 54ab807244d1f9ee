//! The warning in the MCP stream: what clients get, byte for byte.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

mod defects;
mod dodges;
mod oracle;
mod properties;
mod session;
mod support;
