//! Patterns for lists of what is allowed: hosts, packages, paths, versions.
//!
//! Attackers try to get round policies here, so every pattern reads requests strictly, and covers nothing that it can't
//! read. Use patterns to allow. Never use one to forbid, and let through what it doesn't cover: a request in an unusual
//! form is covered by no pattern.

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
