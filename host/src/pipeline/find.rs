//! From a reference to verified bytes: the registry is asked, the cache is filled.

use crate::authority;
use crate::config::Config;
use crate::decide::Vouched;
use crate::model::deadline::Deadline;
use crate::model::facts::Facts;
use crate::model::package::PackageRef;
use crate::model::package::Resolution;
use crate::model::package::ResolvedPackage;
use crate::model::registry::Registry;
use crate::package;
use crate::package::Cache;
use crate::package::DirectoryRegistry;
use crate::package::PackageError;
use crate::package::RegistryClient as _;
use crate::pipeline::Stop;

/// A package that its registry knows; nothing of it was downloaded yet.
#[derive(Debug)]
pub(super) struct Resolved {
    registry: DirectoryRegistry,
    resolution: Resolution,
}

/// Asks the registry which package is meant.
///
/// # Errors
/// [`Stop::Package`] when the registry can't be asked, or has no such package.
pub(super) fn resolve(config: &Config, reference: &PackageRef, deadline: &Deadline) -> Result<Resolved, Stop> {
    let registry = open_registry(config.registry())?;
    let resolution = registry.resolve(reference, deadline)?;
    tracing::info!(%reference, version = %resolution.version, registry = %resolution.registry, "resolved");
    Ok(Resolved { registry, resolution })
}

impl Vouched for Resolved {
    fn facts(&self) -> &Facts {
        &self.resolution.facts
    }
}

impl Resolved {
    /// The registry's answer.
    pub(super) const fn resolution(&self) -> &Resolution {
        &self.resolution
    }

    /// Downloads and verifies the manifest and the bundle.
    ///
    /// # Errors
    /// [`Stop::Package`] when something is not what it should be, and [`Stop::Local`] when the cache can't be used.
    pub(super) fn fetch(&self, config: &Config, deadline: &Deadline) -> Result<ResolvedPackage, Stop> {
        Ok(package::fetch(&self.registry, &open_cache(config)?, &self.resolution, deadline)?)
    }
}

/// A registry that can be asked. Those behind a URL come with a later version, and saying so is all this one does.
pub fn open_registry(registry: &Registry) -> Result<DirectoryRegistry, Stop> {
    match registry {
        Registry::Directory(path) => {
            let dir = authority::open_dir(path).map_err(|cause| PackageError::unreachable(registry, cause))?;
            Ok(DirectoryRegistry::new(dir, registry.clone())?)
        }
        Registry::Url(_) => Err(PackageError::Unsupported { registry: registry.to_string() }.into()),
    }
}

/// The cache, made when it is not there yet.
pub(super) fn open_cache(config: &Config) -> Result<Cache, Stop> {
    let path = config.cache_dir().ok_or(Stop::NoCache)?;
    let dir = authority::create_dir(path).map_err(|cause| Stop::local("open the cache", path, cause))?;
    Ok(Cache::new(dir, path)?)
}
