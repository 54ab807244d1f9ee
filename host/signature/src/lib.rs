//! Signatures of bytes: their worth under a rule, and how they are made.
//!
//! Before it something has brought bytes and detached signatures: files, or a registry. After it the bytes are used, or
//! not. Nothing here opens or fetches anything, and nothing here computes what an attacker could gain by: ring and webpki
//! verify; this crate finds what is to be verified, and asks whether it is about these bytes.

mod bundle;
mod certificate;
mod chain;
mod der;
mod entry;
mod flaw;
mod json;
mod keyless;
mod log;
pub mod minisign;
mod promise;
mod public_key;
mod root;
mod rule;
pub mod secret_key;
#[cfg(test)]
mod tests;
mod timestamp;

pub use crate::public_key::PublicKeyError;
pub use crate::root::RootsError;
pub use crate::rule::LoadedRule;
pub use crate::rule::ReadSignerFile;
pub use crate::rule::SignatureDocument;
pub use crate::rule::SignatureForm;
pub use crate::rule::SignerFileError;
pub use crate::rule::Standing;
pub use crate::rule::Unsigned;
pub use crate::rule::Vouched;
pub use crate::rule::statement_in;
