//! From a reference to verified bytes: ask the registry, fill the cache.
//!
//! When the registry can't be asked, `offline` asks the cache what it said before.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::Stop;
use crate::access;
use crate::offline;
use smcp_authority as authority;
use smcp_config::Config;
use smcp_decide::Notice;
use smcp_decide::Vouched;
use smcp_model::deadline::Deadline;
use smcp_model::facts::Facts;
use smcp_model::limits;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::registry::Registry;
use smcp_package as package;
use smcp_package::Cache;
use smcp_package::DirectoryRegistry;
use smcp_package::HttpRegistry;
use smcp_package::Lease;
use smcp_package::PackageError;
use smcp_package::RegistryClient;

/// A package that its registry knows; nothing of it was downloaded yet.
pub(super) struct Resolved {
    client: Box<dyn RegistryClient>,
    resolution: Resolution,
    /// When the registry was asked, in seconds since the Unix epoch.
    at: u64,
    // INVARIANT: there when the client is the cache in place of the registry.
    notice: Option<Notice>,
}

/// Asks the registry which package is meant, and when it can't be asked, the cache.
///
/// # Errors
/// [`Stop::Package`] when the registry has no such package, or can't be asked and the cache does not help.
pub(super) fn resolve(config: &Config, reference: &PackageRef, deadline: &Deadline) -> Result<Resolved, Stop> {
    // Silence must not use up the time in which the cache could answer.
    let patience = offline::can_recall(config, reference).then(|| deadline.share(limits::RECALL_PATIENCE));
    let asked = ask(config, reference, patience.as_ref().unwrap_or(deadline));
    match asked.map_err(|stop| if patience.is_some() { silence(config, stop) } else { stop }) {
        Err(Stop::Package(outage)) if outage.is_outage() => {
            let at = authority::now();
            let recalled = offline::recall(config, reference, outage)?;
            let notice = Some(offline::notice(config, &recalled));
            Ok(Resolved { resolution: recalled.resolution.clone(), client: Box::new(recalled), at, notice })
        }
        answered => answered,
    }
}

/// A registry that has kept silent for as long as it was waited for is one that can't be asked.
fn silence(config: &Config, stop: Stop) -> Stop {
    let Stop::Package(PackageError::Timeout(expired) | PackageError::Silence { expired, .. }) = stop else {
        return stop;
    };
    Stop::Package(PackageError::Registry {
        registry: config.registry().to_string(),
        doing: "wait longer for its answer".to_owned(),
        cause: io::Error::new(io::ErrorKind::TimedOut, expired),
    })
}

/// Asks the registry itself which package is meant.
///
/// # Errors
/// [`Stop::Package`] when it can't be asked, or has no such package.
pub(super) fn ask(config: &Config, reference: &PackageRef, deadline: &Deadline) -> Result<Resolved, Stop> {
    let client = open_registry(config)?;
    // Before the question: facts may seem older than they are, and never younger.
    let at = authority::now();
    let resolution = client.resolve(reference, deadline).inspect_err(|error| {
        if error.is_absence() {
            offline::forget(config, reference);
        }
    })?;
    tracing::info!(%reference, version = %resolution.version, registry = %resolution.registry, "resolved");
    offline::note(config, &resolution, at);
    Ok(Resolved { client, resolution, at, notice: None })
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

    /// What is worth saying about where the answer comes from.
    pub(super) const fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Downloads and verifies the manifest and the bundle, which stay in the cache as long as the lease.
    ///
    /// # Errors
    /// [`Stop::Package`] when something is not what it should be, and [`Stop::Local`] when the cache can't be used.
    pub(super) fn fetch(
        &self,
        config: &Config,
        deadline: &Deadline,
        progress: &mut dyn Progress,
    ) -> Result<(ResolvedPackage, Lease), Stop> {
        let cache = open_cache(config)?;
        for _ in 0..limits::FETCH_ATTEMPTS {
            let package = package::fetch(self.client.as_ref(), &cache, &self.resolution, deadline, progress)?;
            if let Some(lease) = cache.lease(&package, deadline)? {
                if self.notice.is_none() {
                    offline::keep(&cache, &self.resolution, self.at);
                }
                return Ok((package, lease));
            }
            tracing::debug!("somebody empties the cache; the package is fetched again");
        }
        Err(Stop::CacheBusy)
    }
}

/// The registry of the configuration. Nothing is asked, and no connection made, before it is used.
///
/// # Errors
/// [`Stop::Package`] when its directory can't be opened, or the token for it can't be read; [`Stop::Clock`].
pub fn open_registry(config: &Config) -> Result<Box<dyn RegistryClient>, Stop> {
    let registry = config.registry();
    match registry {
        Registry::Directory(path) => Ok(Box::new(open_directory(registry, path)?)),
        Registry::Url(url) => {
            check_clock()?;
            Ok(Box::new(HttpRegistry::new(url.clone(), access::settings(config, url.endpoint())?)))
        }
    }
}

/// Whether the clock is one that times can be told by: the libraries that check certificates and that serve HTTP panic
/// otherwise, and no record could say when it was written.
///
/// # Errors
/// [`Stop::Clock`] when it stands before 1970.
pub fn check_clock() -> Result<(), Stop> {
    if authority::clock() < UNIX_EPOCH { Err(Stop::Clock) } else { Ok(()) }
}

/// Whether the registry of the configuration can be opened, and answers as a registry.
///
/// # Errors
/// [`Stop::Package`] when it does not answer, or with something else.
pub fn reach(config: &Config, deadline: &Deadline) -> Result<(), Stop> {
    Ok(open_registry(config)?.probe(deadline)?)
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
    let dir = authority::create_dir(path).map_err(|cause| PackageError::no_cache(path, cause))?;
    Ok(Cache::new(dir, path, authority::caller())?)
}
