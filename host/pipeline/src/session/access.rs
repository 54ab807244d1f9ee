//! What requests to a registry need: token, proxy, and trusted certificates.

use std::path::PathBuf;

use crate::PipelineError;
use crate::Session;
use crate::System;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::ReadError;
use smcp_config::Authorities;
use smcp_config::Config;
use smcp_http::HttpSettings;
use smcp_http::ProxySettings;
use smcp_http::Trust;
use smcp_model::endpoint::Endpoint;
use smcp_model::endpoint::Scheme;
use smcp_model::limits;
use smcp_model::log_in::LogIn;
use smcp_model::oci::OciHost;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;
use smcp_model::secret::Secret;
use smcp_oci::DockerConfig;
use smcp_oci::DockerLogIn;
use smcp_oci::LogInProblem;
use smcp_oci::OciError;
use smcp_registry::Credentials;
use smcp_registry::PackageError;

/// A token for the configured registry, used in place of a stored one.
const TOKEN_VARIABLE: &str = "SMCP_REGISTRY_TOKEN";
/// The folder of docker's file, in place of `~/.docker`.
const DOCKER_VARIABLE: &str = "DOCKER_CONFIG";
/// The folder with stored tokens, below the user's home.
const FOLDER: &str = ".mcp";
/// The proxy for `https`, by the names that other tools use; the first that is set counts.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The hosts that are reached without the proxy.
const EXCEPT_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A file of certificate authorities that are trusted in place of the system's.
const CERTIFICATES_VARIABLE: &str = "SSL_CERT_FILE";
/// How much of that file is read to know its format, bytes.
const BEGINNING: usize = 1024;

/// Stores a token for the registry at `endpoint`; returns the path of the file.
///
/// # Errors
/// When there is no home to store it in, or the file can't be used.
pub fn log_in(system: &System, endpoint: &Endpoint, token: &Secret) -> Result<PathBuf, PipelineError> {
    let credentials = credentials_to_fill(system)?;
    credentials.store(endpoint, token).map_err(PackageError::from)?;
    Ok(credentials.path().to_path_buf())
}

fn credentials_to_fill(system: &System) -> Result<Credentials, PipelineError> {
    let path = folder(system).ok_or(PipelineError::NoHome)?;
    let dir = authority::create_dir(&path).map_err(|cause| PipelineError::local("keep a token", &path, cause))?;
    Ok(Credentials::new(dir, &path, system.caller))
}

/// Removes the stored token for the registry at `endpoint`; returns whether there was one.
///
/// # Errors
/// When the file can't be used.
pub fn log_out(system: &System, endpoint: &Endpoint) -> Result<bool, PipelineError> {
    let credentials = credentials(system)?;
    Ok(credentials.map_or(Ok(false), |kept| kept.forget(endpoint)).map_err(PackageError::from)?)
}

/// Stores a name and a token for a registry of images; returns the path of the file.
///
/// # Errors
/// As [`log_in`].
pub fn log_in_to_images(system: &System, host: &OciHost, user: &str, token: &Secret) -> Result<PathBuf, PipelineError> {
    let credentials = credentials_to_fill(system)?;
    credentials.store_log_in(host, user, token).map_err(PackageError::from)?;
    Ok(credentials.path().to_path_buf())
}

/// Removes the stored log-in for a registry of images; returns whether there was one.
///
/// # Errors
/// When the file can't be used.
pub fn log_out_of_images(system: &System, host: &OciHost) -> Result<bool, PipelineError> {
    let credentials = credentials(system)?;
    Ok(credentials.map_or(Ok(false), |kept| kept.forget_log_in(host)).map_err(PackageError::from)?)
}

/// Whether there is a token or a log-in for `registry`; for a report about what a run would do. Never returns the token.
///
/// # Errors
/// When the file with the tokens can't be used.
pub fn has_token(session: &Session, registry: &Registry) -> Result<bool, PipelineError> {
    match registry {
        Registry::Directory(_) => Ok(false),
        Registry::Url(url) | Registry::Official(url) => Ok(token(session, url.endpoint())?.is_some()),
        Registry::Oci(place) => {
            let host = place.host();
            let unusable = |problem| OciError::LogIn { host: host.to_string(), problem };
            Ok(log_in_for(session.system(), host).map_err(unusable).map_err(PackageError::from)?.is_some())
        }
    }
}

/// Returns the settings for requests to the registry at `endpoint`.
pub(super) fn settings(session: &Session, endpoint: &Endpoint) -> Result<HttpSettings, PipelineError> {
    let (config, system) = (session.config(), session.system());
    let token = token(session, endpoint)?;
    let mut login = format!("log in with: smcp login --registry {endpoint} --token -");
    if token.as_ref().and_then(Secret::expires_at).is_some_and(|end| end <= system.now()) {
        login.push_str("\n  the token has expired");
    }
    if variable_token(system)?.is_some() && !is_configured(config, endpoint) {
        let configured = config.configured_registry();
        login.push_str(&format!(
            "\n  {TOKEN_VARIABLE} is set and was not sent: it is for the registry of the configuration ({configured}), and \
             --registry names this one; name it as `registry_url` in the configuration, or log in"
        ));
    }
    let trust = trust(config.authorities(config.registry()), system);
    Ok(HttpSettings { token, login, proxy: proxy(system), trust, offline: system.offline })
}

/// Returns the settings for requests to the registry of a configuration that is one of images. They have no token.
pub(super) fn settings_of_images(session: &Session) -> HttpSettings {
    let (config, system) = (session.config(), session.system());
    let trust = trust(config.authorities(config.registry()), system);
    HttpSettings { token: None, login: String::new(), proxy: proxy(system), trust, offline: system.offline }
}

/// Returns the settings for requests to the source of a policy of this layer. They have no token.
pub(crate) fn settings_of_source(session: &Session, layer: LayerName) -> HttpSettings {
    let (config, system) = (session.config(), session.system());
    let trust = trust(config.authorities_of_source(layer), system);
    HttpSettings { token: None, login: String::new(), proxy: proxy(system), trust, offline: system.offline }
}

/// Returns the stored token for a server that is no registry.
pub(crate) fn stored_token(session: &Session, endpoint: &Endpoint) -> Result<Option<Secret>, PipelineError> {
    let credentials = credentials(session.system())?;
    Ok(credentials.map_or(Ok(None), |kept| kept.token(endpoint)).map_err(PackageError::from)?)
}

/// Finds the log-in for a registry of images: our own, then that of docker's file or its helpers.
pub(crate) fn log_in_for(system: &System, host: &OciHost) -> Result<Option<LogIn>, LogInProblem> {
    let unusable = |error: String| LogInProblem::new(&error, "log in again, or log out");
    let credentials = credentials(system).map_err(|error| unusable(error.to_string()))?;
    let own = credentials.map_or(Ok(None), |kept| kept.log_in(host)).map_err(|error| unusable(error.to_string()))?;
    if own.is_some() {
        return Ok(own);
    }
    let Some(path) = docker_config(system) else { return Ok(None) };
    let bytes = match authority::read_file(&path, limits::oci::DOCKER_CONFIG) {
        Ok(bytes) => bytes,
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let problem = format!("{}: {error}", path.display());
            return Err(LogInProblem::new(&problem, "make it readable, or log in with smcp login"));
        }
    };
    for found in DockerConfig::read(&bytes)?.find(host)? {
        let log_in = match found {
            DockerLogIn::Kept(log_in) => Some(log_in),
            DockerLogIn::Helper { name, server } => {
                let path = system.variable("PATH").unwrap_or_default();
                smcp_oci::ask_helper(&name, &server, path, limits::oci::HELPER)?
            }
        };
        if log_in.is_some() {
            return Ok(log_in);
        }
    }
    Ok(None)
}

/// Returns the path of docker's file.
fn docker_config(system: &System) -> Option<PathBuf> {
    let named = system.variable(DOCKER_VARIABLE).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = named.or_else(|| system.home().map(|home| home.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// Returns the token of the variable, for the configured registry only; else the stored one.
fn token(session: &Session, endpoint: &Endpoint) -> Result<Option<Secret>, PipelineError> {
    let system = session.system();
    match variable_token(system)? {
        Some(token) if is_configured(session.config(), endpoint) => Ok(Some(token)),
        Some(_) | None => {
            Ok(credentials(system)?.map_or(Ok(None), |kept| kept.token(endpoint)).map_err(PackageError::from)?)
        }
    }
}

/// Whether the registry at `endpoint` is the one that the configuration names, and not only the command line.
fn is_configured(config: &Config, endpoint: &Endpoint) -> bool {
    config.configured_registry().endpoint() == Some(endpoint)
}

fn variable_token(system: &System) -> Result<Option<Secret>, PipelineError> {
    let Some(value) = system.variable(TOKEN_VARIABLE) else { return Ok(None) };
    let token = value.to_str().and_then(|text| Secret::new(text).ok());
    token.map(Some).ok_or(PipelineError::TokenVariable { variable: TOKEN_VARIABLE })
}

/// Opens the stored tokens; `None` when no token was ever stored.
fn credentials(system: &System) -> Result<Option<Credentials>, PipelineError> {
    let Some(path) = folder(system) else { return Ok(None) };
    match authority::open_dir(&path) {
        Ok(dir) => Ok(Some(Credentials::new(dir, &path, system.caller))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(PipelineError::local("look for tokens", &path, cause)),
    }
}

fn folder(system: &System) -> Option<PathBuf> {
    system.home().map(|home| home.join(FOLDER))
}

/// Returns what smcp does not understand of the proxy's exceptions; nothing when no request of this configuration could
/// go through a proxy.
pub fn proxy_remarks(config: &Config, system: &System) -> Vec<String> {
    let proxied =
        config.registry().endpoint().filter(|endpoint| endpoint.scheme() == Scheme::Https && !endpoint.is_loopback());
    proxied.map_or_else(Vec::new, |_| proxy(system).remarks())
}

/// Returns which certificate authorities are trusted.
fn trust(authorities: Authorities<'_>, system: &System) -> Trust {
    match authorities {
        Authorities::Environment => Trust::Environment { file: named_by_environment(system) },
        Authorities::System => Trust::System,
        Authorities::File { file, layer } => {
            let Guarded { bytes, suspects } =
                authority::read_guarded(file, limits::CERTIFICATES, Folder::Any, layer.owners());
            // Whoever could write the file could forge what a registry says.
            let bytes = match suspects.first() {
                Some(suspect) => Err(suspect.to_string()),
                None => bytes.map_err(|error| error.to_string()),
            };
            Trust::File { path: file.to_string_lossy().into_owned(), bytes }
        }
    }
}

/// Returns the file of certificate authorities that the environment names: its path, and its first bytes or why it can't
/// be read.
fn named_by_environment(system: &System) -> Option<(String, Result<Vec<u8>, String>)> {
    system.variable(CERTIFICATES_VARIABLE).map(PathBuf::from).map(|path| {
        let bytes =
            authority::read_file(&path, limits::CERTIFICATES).map(|bytes| bytes.into_iter().take(BEGINNING).collect());
        (path.to_string_lossy().into_owned(), bytes.map_err(|error| error.to_string()))
    })
}

pub(crate) fn proxy(system: &System) -> ProxySettings {
    let text = |name| system.variable(name).map(|value| value.to_string_lossy().into_owned());
    ProxySettings {
        url: PROXY_VARIABLES.into_iter().find_map(|name| Some((name, text(name)?))),
        except: EXCEPT_VARIABLES.into_iter().find_map(|name| Some((name, text(name)?))),
    }
}
