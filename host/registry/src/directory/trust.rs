//! Checks that not all users can write to a registry directory.
//!
//! A user who names a directory as the registry trusts its owner, and its group, since a team publishes together. A file
//! that all users can write can't be trusted.

use std::io;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;

use crate::directory::PACKAGES;
use smcp_model::name::PackageId;

/// The mode bit with which all users may write. The sticky bit prevents them from renaming, not from adding a version.
const EVERYBODY_WRITES: u32 = 0o002;

/// Checks the registry itself, and the folder of all packages, if it exists.
pub(crate) fn check(registry: &Dir) -> io::Result<()> {
    check_as("it", registry)
}

fn check_as(name: &str, registry: &Dir) -> io::Result<()> {
    check_mode(name, registry.dir_metadata()?.mode())?;
    match registry.metadata(PACKAGES) {
        Ok(found) => check_mode(&format!("`{PACKAGES}`"), found.mode()),
        // Reading an entry reports the problem.
        Err(_) => Ok(()),
    }
}

/// Checks every folder on the path to a package's entry, and the entry's file.
pub(super) fn check_entry(registry: &Dir, id: &PackageId, path: &str, file: &File) -> io::Result<()> {
    check_as("the registry's folder", registry)?;
    for folder in [format!("{PACKAGES}/{}", id.org), format!("{PACKAGES}/{}/{}", id.org, id.name)] {
        check_mode(&format!("`{folder}`"), registry.metadata(&folder)?.mode())?;
    }
    check_mode(&format!("`{path}`"), file.metadata()?.mode())
}

fn check_mode(what: &str, mode: u32) -> io::Result<()> {
    if mode & EVERYBODY_WRITES == 0 {
        return Ok(());
    }
    let message = format!(
        "everybody may write to {what} (mode {:04o}), so anybody could have written it; chmod o-w helps",
        mode & 0o7777
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}
