//! smcp starts an MCP server only after every security policy has allowed it.
//!
//! ```text
//! config ──► package ──► request ──► policy ──► decide ──► report ──► launch
//!  YAML       exact       what a      load,      modes,     say it,    start the
//!  to rules   bytes       policy is   evaluate   AND        ask it     cleared one
//!                         told
//! ```
//!
//! A stage takes and returns [`model`] types and knows nothing of its neighbours; [`pipeline`] alone knows the order.
//! `docs/architecture.md` has the law, and `tests/architecture.rs` enforces it.

#![deny(clippy::undocumented_unsafe_blocks)]

pub mod authority;
pub mod model;

pub mod config;
pub mod decide;
pub mod launch;
pub mod package;
pub mod policy;
pub mod report;
pub mod request;
pub mod serve;

pub mod audit;

pub mod pipeline;

pub mod cli;
