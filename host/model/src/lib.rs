//! The shared vocabulary: types that keep their invariants, with no I/O.
//!
//! Every stage takes and returns these types and knows nothing of its neighbours. Text from outside becomes one of them
//! at the edge and is not turned back into text in between.

pub mod access;
pub mod audit;
pub mod bench;
pub mod bounded;
pub mod cache;
pub mod client_error;
pub mod content;
pub mod day;
pub mod deadline;
pub mod decision;
pub mod diagnosis;
pub mod digest;
pub mod encoding;
pub mod endpoint;
pub mod error_chain;
pub mod examination;
pub mod exception;
pub mod exit;
pub mod facts;
pub mod facts_document;
pub mod fetches;
pub mod guarded;
pub mod json;
pub mod limits;
pub mod lock;
pub mod log_in;
pub mod manifest;
pub mod mode;
pub mod name;
pub mod near;
pub mod number;
pub mod oci;
pub mod ownership;
pub mod package;
pub mod path;
pub mod policy;
pub mod progress;
pub mod record;
pub mod registry;
pub mod request;
mod schema;
pub mod secret;
pub mod signer;
pub mod size;
pub mod source;
pub mod suspect;
pub mod text;
pub mod time;
pub mod unambiguous;
mod unseen;
pub mod verdict;
pub mod visible;
pub mod warning;
mod word;
