//! From a reference to verified bytes: ask the registry, fill the cache.

use std::path::Path;

use crate::authority;
use crate::config::Config;
use crate::decide::Vouched;
use crate::model::deadline::Deadline;
use crate::model::facts::Facts;
use crate::model::package::PackageRef;
use crate::model::package::Resolution;
use crate::model::package::ResolvedPackage;
use crate::model::progress::Progress;
use crate::model::registry::Registry;
use crate::package;
use crate::package::Cache;
use crate::package::DirectoryRegistry;
use crate::package::HttpRegistry;
use crate::package::PackageError;
use crate::package::RegistryClient;
use crate::pipeline::Stop;
use crate::pipeline::access;

/// A package that its registry knows; nothing of it was downloaded yet.
#[derive(Debug)]
pub(super) struct Resolved {
    registry: Box<dyn RegistryClient>,
    resolution: Resolution,
}

/// Asks the registry which package is meant.
///
/// # Errors
/// [`Stop::Package`] when the registry can't be asked, or has no such package.
pub(super) fn resolve(config: &Config, reference: &PackageRef, deadline: &Deadline) -> Result<Resolved, Stop> {
    let registry = open_registry(config)?;
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
    pub(super) fn fetch(
        &self,
        config: &Config,
        deadline: &Deadline,
        progress: &mut dyn Progress,
    ) -> Result<ResolvedPackage, Stop> {
        Ok(package::fetch(&*self.registry, &open_cache(config)?, &self.resolution, deadline, progress)?)
    }
}

/// The registry of the configuration. Nothing is asked, and no connection made, before it is used.
///
/// # Errors
/// [`Stop::Package`] when its directory can't be opened, or the token for it can't be read.
pub fn open_registry(config: &Config) -> Result<Box<dyn RegistryClient>, Stop> {
    let registry = config.registry();
    match registry {
        Registry::Directory(path) => Ok(Box::new(open_directory(registry, path)?)),
        Registry::Url(url) => {
            let no_endpoint = || Stop::Order(format!("`{url}` is no address of a registry"));
            let endpoint = registry.endpoint().ok_or_else(no_endpoint)?;
            let settings = access::settings(config, &endpoint)?;
            Ok(Box::new(HttpRegistry::new(registry.clone(), settings).ok_or_else(no_endpoint)?))
        }
    }
}

/// The registry in the directory at `path`.
///
/// # Errors
/// [`Stop::Package`] when it can't be opened.
pub fn open_directory(registry: &Registry, path: &Path) -> Result<DirectoryRegistry, Stop> {
    let dir = authority::open_dir(path).map_err(|cause| PackageError::unreachable(registry, cause))?;
    Ok(DirectoryRegistry::new(dir, registry.clone())?)
}

/// The cache, made when it is not there yet.
pub(super) fn open_cache(config: &Config) -> Result<Cache, Stop> {
    let path = config.cache_dir().ok_or(Stop::NoCache)?;
    let dir = authority::create_dir(path).map_err(|cause| Stop::local("open the cache", path, cause))?;
    Ok(Cache::new(dir, path)?)
}
