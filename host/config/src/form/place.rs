//! Forms of places: paths, registries, and the sources of policies.

use std::path::Path;
use std::path::PathBuf;

use crate::form::Base;
use crate::form::RefusalReason;
use smcp_model::path::PathError;
use smcp_model::path::absolute;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryError;
use smcp_model::source::RemoteAddress;
use smcp_model::source::SetSource;

/// Returns an absolute path; a relative one starts at the directory of the file.
pub(crate) fn path(text: &str, base: Base<'_>) -> Result<PathBuf, RefusalReason> {
    // An address is not a path, and a directory of that name is never meant.
    if text.contains("://") {
        return Err(Some("an address is no path"));
    }
    if is_image(text) {
        return Err(Some("an artefact in a registry is no path; a folder of that name is `./…`"));
    }
    absolute(Path::new(text), base.directory, base.home).map_err(|error| match error {
        PathError::Variable { .. } => Some(VARIABLE),
        PathError::NoHome => Some("`~` stands for HOME, which is not an absolute path"),
        PathError::OtherHome => Some("the home of another user is not looked up"),
        PathError::Empty | PathError::Nul | PathError::Relative { .. } => None,
    })
}

const VARIABLE: &str = "variables are not expanded";
const IMAGE: &str = "an artefact in a registry is `oci://…`; a folder of that name is `./…`";

/// The component of a policy, as a file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenSource {
    /// On this machine, by its absolute path.
    File(PathBuf),
    /// Elsewhere.
    Remote(RemoteAddress),
}

/// Returns the source of a component: an address, or an absolute path.
pub(crate) fn source(text: &str, base: Base<'_>) -> Result<WrittenSource, RefusalReason> {
    if text.contains("://") {
        return RemoteAddress::read(text).map(WrittenSource::Remote).map_err(Some);
    }
    if is_image(text) {
        return Err(Some(IMAGE));
    }
    path(text, base).map(WrittenSource::File)
}

/// Returns the source of a policy set: an address, or an absolute path.
pub(crate) fn set_source(text: &str, base: Base<'_>) -> Result<SetSource, RefusalReason> {
    if text.contains("://") {
        return RemoteAddress::read_set(text).map(SetSource::Remote).map_err(Some);
    }
    if is_image(text) {
        return Err(Some(IMAGE));
    }
    path(text, base).map(SetSource::File)
}

/// Whether a text looks like an image in a registry: `ghcr.io/org/name:1`.
fn is_image(text: &str) -> bool {
    let Some((host, rest)) = text.split_once('/') else { return false };
    let is_host = !host.starts_with('.') && host.contains(['.', ':']);
    is_host && rest.rsplit('/').next().is_some_and(|last| last.contains([':', '@']))
}

/// Returns a registry; a relative directory starts at that of the file.
pub(crate) fn registry(text: &str, base: Base<'_>) -> Result<Registry, RefusalReason> {
    Registry::from_text(text, base.directory, base.home).map_err(|error| match error {
        RegistryError::Neither { .. } => None,
        RegistryError::Oci { problem, .. } => Some(problem),
        RegistryError::Official { .. } => Some("the API of a registry like the official one begins at https://…/v0.1"),
        RegistryError::NoScheme { .. } => {
            Some("it has no scheme: write https://… for a registry behind a URL, or ./… for a folder of that name")
        }
        RegistryError::Path(_) => Some(VARIABLE),
    })
}
