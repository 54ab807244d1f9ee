//! Signatures under rules.

mod keyless;
mod minisign;
mod rules;
#[path = "../../../tests/support/sigstore.rs"]
mod sigstore;
mod standing;
