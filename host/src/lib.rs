//! The command line of smcp.
//!
//! smcp starts an MCP server only after every security policy has allowed it.
//!
//! ```text
//! config ──► package ──► request ──► policy ──► decide ──► report ──► launch
//!  YAML       exact       what a      load,      modes,     say it,    start the
//!  to rules   bytes       policy is   evaluate   AND        ask it     cleared one
//!                         told
//! ```
//!
//! A stage takes and returns types of `smcp-model` and knows nothing of its neighbours; only `smcp-pipeline` knows the
//! order. Each stage is a crate, so that its manifest says what it may use: `docs/architecture.md` has the table.

pub mod cli;
