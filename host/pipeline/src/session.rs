//! Opens the places that a configuration names, each once.
//!
//! They are the registry, the cache, the audit log, the tokens and the components. No other part of the pipeline opens
//! anything: the stages get a [`Session`] and what it has opened.

pub(crate) mod access;
mod components;
pub(crate) mod found;
mod log;
mod runs;
pub(crate) mod sets;
pub(crate) mod signatures;
pub(crate) mod statements;

pub use components::unreadable;
pub use signatures::beside;
pub use signatures::documents_beside;

use std::cell::OnceCell;
use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::path::Path;

use crate::PipelineError;
use crate::SharedHost;
use crate::System;
use crate::check_clock;
use crate::policies;
use smcp_authority as authority;
use smcp_code::CodePlaces;
use smcp_code::SystemFiles;
use smcp_config::Config;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::oci::OciPlace;
use smcp_model::progress::Progress;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryUrl;
use smcp_model::text::SafeText;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_registry::DirectoryRegistry;
use smcp_registry::HttpRegistry;
use smcp_registry::OciRegistry;
use smcp_registry::OfficialRegistry;
use smcp_registry::PackageError;
use smcp_registry::RegistryClient;
use smcp_store::Cache;
use smcp_store::Resolutions;
use smcp_store::StoreError;

/// smcp's folder in the user's home.
const FOLDER: &str = ".mcp";
/// The notice that policies are compiled at each start.
pub(crate) const COMPILED_EACH_TIME: &str = "compiled-each-time";

/// The configuration and the system of one command, and what that command has opened.
pub struct Session {
    config: Config,
    system: System,
    cache: OnceCell<Cache>,
    answers: OnceCell<Resolutions>,
    host: SharedHost,
    policies: OnceCell<Vec<PolicySet>>,
    /// What is to be said of policies that are elsewhere.
    of_sources: RefCell<Vec<Notice>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, system, cache, answers: _, host: _, policies: _, of_sources: _ } = self;
        f.debug_struct("Session")
            .field("config", config)
            .field("system", system)
            .field("cache", cache)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Makes a session in which nothing is open yet: each place is opened when it is first needed.
    pub const fn new(config: Config, system: System, host: SharedHost) -> Self {
        Self {
            config,
            system,
            cache: OnceCell::new(),
            answers: OnceCell::new(),
            host,
            policies: OnceCell::new(),
            of_sources: RefCell::new(Vec::new()),
        }
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What the system gave this process.
    pub const fn system(&self) -> &System {
        &self.system
    }

    /// Opens the configured registry. No request is sent, and no connection made, before it is used.
    ///
    /// # Errors
    /// [`PipelineError::Package`] when its directory can't be opened, or its token can't be read;
    /// [`PipelineError::Clock`].
    pub(crate) fn registry(&self) -> Result<Box<dyn RegistryClient>, PipelineError> {
        let registry = self.config.registry();
        match registry {
            Registry::Directory(path) => {
                // What is used is the directory that was compared with those that the layers trust: without a link on
                // the way. The other way to open it says what is wrong with a path that leads nowhere.
                let dir = authority::open_dir_itself(path);
                let dir = dir.or_else(|cause| {
                    open_directory(registry, path)?;
                    Err(PipelineError::from(PackageError::unreachable(registry, cause)))
                })?;
                Ok(Box::new(DirectoryRegistry::new(dir, registry.clone())?))
            }
            Registry::Url(url) => Ok(Box::new(self.remote(url)?)),
            Registry::Official(url) => Ok(Box::new(self.official(url)?)),
            Registry::Oci(place) => Ok(Box::new(self.images(place)?)),
        }
    }

    /// Opens a registry behind a URL that the configuration or the command line names.
    ///
    /// # Errors
    /// [`PipelineError::Clock`]; when its token can't be read.
    pub(crate) fn remote(&self, url: &RegistryUrl) -> Result<HttpRegistry, PipelineError> {
        check_clock(&self.system)?;
        Ok(HttpRegistry::new(url.clone(), access::settings(self, url.endpoint())?))
    }

    /// Opens a registry like the official one that the configuration or the command line names.
    ///
    /// # Errors
    /// [`PipelineError::Clock`]; when its token can't be read.
    pub(crate) fn official(&self, url: &RegistryUrl) -> Result<OfficialRegistry, PipelineError> {
        check_clock(&self.system)?;
        let settings = access::settings(self, url.endpoint())?;
        Ok(OfficialRegistry::new(url.clone(), settings, self.system.now()))
    }

    /// Opens a registry of images that the configuration or the command line names.
    ///
    /// # Errors
    /// [`PipelineError::Clock`].
    pub(crate) fn images(&self, place: &OciPlace) -> Result<OciRegistry, PipelineError> {
        check_clock(&self.system)?;
        let (system, host) = (self.system.clone(), place.host().clone());
        let find_log_in = Box::new(move || access::log_in_for(&system, &host));
        Ok(OciRegistry::new(place.clone(), access::settings_of_images(self), find_log_in))
    }

    /// Returns the cache; makes it when it does not exist yet.
    ///
    /// # Errors
    /// [`PipelineError::NoCache`] when there is no place for it; [`PipelineError::Package`] when it can't be opened, or
    /// is not safe to use.
    pub(crate) fn cache(&self) -> Result<&Cache, PipelineError> {
        if let Some(cache) = self.cache.get() {
            return Ok(cache);
        }
        let path = self.config.cache_dir().ok_or(PipelineError::NoCache)?;
        let dir = authority::create_dir(path).map_err(|cause| StoreError::no_cache(path, cause))?;
        let cache = Cache::new(dir, path, self.system.caller)?;
        Ok(self.cache.get_or_init(|| cache))
    }

    /// Returns the registries' answers in the cache; `None` when there is no cache yet.
    pub(crate) fn kept_answers(&self) -> Option<&Resolutions> {
        if let Some(answers) = self.answers.get() {
            return Some(answers);
        }
        let path = self.config.cache_dir()?;
        let dir = authority::open_dir(path).ok()?;
        Some(self.answers.get_or_init(|| Resolutions::new(dir, path, self.system.caller)))
    }

    /// Returns the sandbox that policies are evaluated in; makes it when there is none yet.
    ///
    /// # Errors
    /// [`PipelineError::Host`] when the system lacks what it needs.
    pub fn host(&self) -> Result<&PolicyHost, PipelineError> {
        Ok(self.host.get(self.system.compilation, Some(self.code_places()))?)
    }

    /// Where compiled code is kept.
    pub(crate) fn code_places(&self) -> CodePlaces {
        CodePlaces {
            cache: self.config.cache_dir().map(Path::to_path_buf),
            key: self.system.home().map(|home| home.join(FOLDER)),
            caller: self.system.caller,
            open: authority::open_dir,
            make: authority::create_dir,
            clock: self.system.clock,
        }
    }

    /// Opens the system's compiled files, to fill them.
    ///
    /// # Errors
    /// [`PipelineError::SystemCode`] when they can't be made, or another user than root could change them.
    pub(crate) fn system_code(&self) -> Result<SystemFiles, PipelineError> {
        let opened = authority::open_dir(Path::new("/")).and_then(|root| SystemFiles::fill(&root));
        opened.map_err(PipelineError::SystemCode)
    }

    /// Returns the notice that policies are compiled at each start, because their code can't be kept.
    pub(crate) fn not_kept(&self) -> Option<Notice> {
        self.host.not_kept().map(|why| Notice {
            code: COMPILED_EACH_TIME,
            message: SafeText::new(&format!(
                "policies were compiled for this start, and will be for the next: their code can't be kept: {why}"
            )),
        })
    }

    /// Notes what is to be said of a policy that is elsewhere.
    pub(crate) fn note_of_source(&self, notice: Option<Notice>) {
        self.of_sources.borrow_mut().extend(notice);
    }

    /// Returns what is to be said of policies that are elsewhere.
    pub(crate) fn notes_of_sources(&self) -> Vec<Notice> {
        self.of_sources.borrow().clone()
    }

    /// Returns why compiled code can't be kept.
    pub(crate) fn not_kept_because(&self) -> SafeText {
        self.host.not_kept().unwrap_or_else(|| SafeText::new("it was gone when it was looked for"))
    }

    /// Returns the policies of each layer, in the order of the layers. Loads them once, when they are first needed; what
    /// has to be compiled for it must be finished by `deadline`.
    ///
    /// # Errors
    /// Those of reading and binding them: a wrong pin, a file that another user could have written, no sandbox; that
    /// compiling takes too long.
    pub(crate) fn policies(
        &self,
        deadline: &Deadline,
        progress: &mut dyn Progress,
    ) -> Result<&[PolicySet], PipelineError> {
        if let Some(policies) = self.policies.get() {
            return Ok(policies);
        }
        let loaded = policies::load(self, deadline, progress)?;
        Ok(self.policies.get_or_init(|| loaded))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.system.lasting {
            // One by one, that takes a tenth of the time in which they judge.
            mem::forget((self.policies.take(), self.host.clone()));
        }
    }
}

/// Opens the registry in the directory at `path`.
///
/// # Errors
/// [`PipelineError::Package`] when it can't be opened.
pub fn open_directory(registry: &Registry, path: &Path) -> Result<DirectoryRegistry, PipelineError> {
    let dir = authority::open_dir(path).map_err(|cause| PackageError::unreachable(registry, cause))?;
    Ok(DirectoryRegistry::new(dir, registry.clone())?)
}
