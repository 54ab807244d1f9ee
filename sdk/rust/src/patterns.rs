//! Patterns for lists of what is allowed: hosts, packages, paths, versions.
//!
//! Here is where policies are got round, so each reads what is asked for strictly and covers nothing that it can't read.
//! They are for allowing. What a pattern doesn't cover is not thereby something else: never use one to let through
//! whatever a list of forbidden things doesn't have.

mod host;
mod package;
mod path;
mod version;

pub use host::HostPattern;
pub use package::PackagePattern;
pub use path::PathPattern;
pub use version::VersionRange;

#[cfg(test)]
mod tests;
