//! From a reference to verified bytes: ask the registry, fill the cache.

use crate::authority;
use crate::config::Config;
use crate::model::deadline::Deadline;
use crate::model::facts::Status;
use crate::model::package::PackageRef;
use crate::model::package::ResolvedPackage;
use crate::model::registry::Registry;
use crate::model::request::Subject;
use crate::package;
use crate::package::Cache;
use crate::package::DirectoryRegistry;
use crate::package::PackageError;
use crate::package::RegistryClient as _;
use crate::package::Resolution;
use crate::pipeline::Stop;

/// A package that its registry knows; nothing of it was downloaded yet.
#[derive(Debug)]
pub struct Resolved {
    registry: DirectoryRegistry,
    resolution: Resolution,
}

/// Asks the registry which package is meant.
///
/// # Errors
/// [`Stop::Package`] when the registry can't be asked, or has no such package.
pub fn resolve(config: &Config, reference: &PackageRef, deadline: &Deadline) -> Result<Resolved, Stop> {
    let registry = open_registry(config.registry())?;
    let resolution = registry.resolve(reference, deadline)?;
    tracing::info!(%reference, version = %resolution.version, registry = %resolution.registry, "resolved");
    Ok(Resolved { registry, resolution })
}

impl Resolved {
    /// The registry's answer.
    pub const fn resolution(&self) -> &Resolution {
        &self.resolution
    }

    /// What the registry says of the version's state.
    pub const fn status(&self) -> Option<&Status> {
        self.resolution.facts.status.as_ref()
    }

    /// What is known so far, as a subject.
    pub fn subject(&self) -> Subject {
        let known = &self.resolution;
        Subject {
            org: known.id.org.to_string(),
            name: known.id.name.to_string(),
            version: known.version.to_string(),
            registry: Some(known.registry.clone()),
            facts: known.facts.clone(),
            manifest_digest: Some(known.manifest_digest.to_string()),
            bundle_digest: Some(known.bundle_digest.to_string()),
            ..Subject::default()
        }
    }

    /// Downloads and verifies the manifest and the bundle.
    ///
    /// # Errors
    /// [`Stop::Package`] when something is not what it should be, and [`Stop::Local`] when the cache can't be used.
    pub fn fetch(&self, config: &Config, deadline: &Deadline) -> Result<ResolvedPackage, Stop> {
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
