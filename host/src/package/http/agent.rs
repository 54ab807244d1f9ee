//! ureq, set up for registries: what is trusted, and how it connects.
//!
//! Nothing here happens before the first request: certificates are read for the first `https` one.

use std::sync::Arc;
use std::sync::OnceLock;

use ureq::Agent;
use ureq::Proxy;
use ureq::ProxyProtocol;
use ureq::tls::Certificate;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

use crate::model::endpoint::Endpoint;
use crate::model::endpoint::Scheme;
use crate::model::limits;
use crate::package::http::problem::HttpProblem;
use crate::package::http::problem::shown;
use crate::package::http::reach::Guard;
use crate::package::http::reach::Sightings;

const USER_AGENT: &str = concat!("smcp/", env!("CARGO_PKG_VERSION"));

/// The proxy of the environment: for `https`, and never for this machine.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// The variable it stands in, and its value.
    pub url: Option<(&'static str, String)>,
    /// Hosts that are reached without it: names, `.suffix`, `*.suffix`, `*`, with commas between them.
    pub except: Option<String>,
}

impl std::fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may have a password in it.
        let variable = self.url.as_ref().map(|(variable, _)| variable);
        f.debug_struct("ProxySettings").field("url", &variable).field("except", &self.except).finish()
    }
}

/// The ways to a server.
#[derive(Debug)]
pub(super) struct Agents {
    home: Endpoint,
    seen: Sightings,
    settings: ProxySettings,
    plain: OnceLock<Agent>,
    direct: OnceLock<Agent>,
    proxied: OnceLock<Agent>,
    proxy: OnceLock<Option<Proxy>>,
}

impl Agents {
    pub(super) fn new(home: Endpoint, settings: ProxySettings) -> Self {
        Self {
            home,
            seen: Sightings::default(),
            settings,
            plain: OnceLock::new(),
            direct: OnceLock::new(),
            proxied: OnceLock::new(),
            proxy: OnceLock::new(),
        }
    }

    /// A new question is asked, or an old one again.
    pub(super) fn begin(&self) {
        self.seen.begin();
    }

    /// Who goes to `target`.
    pub(super) fn to(&self, target: &Endpoint) -> Result<&Agent, HttpProblem> {
        match (target.scheme(), self.proxy_to(target)?) {
            (Scheme::Http, _) => made(&self.plain, || Ok(self.guarded(None))),
            (Scheme::Https, None) => made(&self.direct, || Ok(self.guarded(Some(trust()?)))),
            (Scheme::Https, Some(proxy)) => {
                if *target != self.home {
                    self.seen.note_unseen();
                }
                made(&self.proxied, || {
                    let config = config(Some(trust()?)).proxy(Some(proxy.clone())).build();
                    // The only name that is looked up is the proxy's own; where the target is, is the proxy's business.
                    Ok(Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default()))
                })
            }
        }
    }

    fn guarded(&self, tls: Option<TlsConfig>) -> Agent {
        let guard = Guard::new(self.home.clone(), self.seen.clone(), DefaultResolver::default());
        Agent::with_parts(config(tls).build(), DefaultConnector::default(), guard)
    }

    /// The proxy that stands between us and `target`.
    fn proxy_to(&self, target: &Endpoint) -> Result<Option<&Proxy>, HttpProblem> {
        if target.scheme() == Scheme::Http || target.is_loopback() {
            return Ok(None);
        }
        let proxy = made(&self.proxy, || self.settings.url.as_ref().map(|url| self.settings.proxy(url)).transpose())?;
        let uri = target.to_string().parse().map_err(|_| HttpProblem::NotHttp(shown("its address is no URL")))?;
        Ok(proxy.as_ref().filter(|proxy| !proxy.is_no_proxy(&uri)))
    }
}

impl ProxySettings {
    /// Reads the settings. Anything that is not understood is an error: going without the proxy is not what was meant.
    fn proxy(&self, (variable, url): &(&'static str, String)) -> Result<Proxy, HttpProblem> {
        let invalid = || HttpProblem::Proxy { variable };
        let url = url.trim();
        let plain = Proxy::new(url).map_err(|_| invalid())?;
        let authority = plain.uri().authority().map(|authority| authority.as_str()).unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        let spoken = matches!(plain.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
        if !spoken || Endpoint::new(Scheme::Https, place).is_none() {
            return Err(invalid());
        }
        let mut builder = Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
        if let Some(user) = plain.username() {
            builder = builder.username(user);
        }
        if let Some(password) = plain.password() {
            builder = builder.password(password);
        }
        let excepted = self.except.as_deref().unwrap_or_default();
        for host in excepted.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            builder = builder.no_proxy(host);
        }
        builder.build().map_err(|_| invalid())
    }
}

/// What every request has in common. Redirects are followed by us, statuses are read by us.
fn config(tls: Option<TlsConfig>) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    let builder = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(tls.is_some())
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .max_response_header_size(limits::HTTP_HEADERS)
        .timeout_connect(Some(limits::HTTP_CONNECT))
        .timeout_recv_response(Some(limits::HTTP_ANSWER));
    match tls {
        Some(tls) => builder.tls_config(tls),
        None => builder,
    }
}

/// The system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, which take their place.
fn trust() -> Result<TlsConfig, HttpProblem> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "certificate authorities that can't be read");
    }
    if found.certs.is_empty() {
        let cause =
            found.errors.first().map_or_else(|| "there are no certificate authorities".to_owned(), ToString::to_string);
        return Err(HttpProblem::NoAuthorities(shown(&cause)));
    }
    let authorities = found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::from(authorities))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

/// What is in the cell, made first when nothing is.
fn made<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, HttpProblem>) -> Result<&T, HttpProblem> {
    match cell.get() {
        Some(value) => Ok(value),
        None => make().map(|value| cell.get_or_init(|| value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, except: &str) -> ProxySettings {
        ProxySettings { url: Some(("HTTPS_PROXY", url.to_owned())), except: Some(except.to_owned()) }
    }

    #[test]
    fn a_proxy_is_used_for_what_is_elsewhere_and_not_excepted() {
        let cases = [
            ("https://r.example", "", Ok(true)),
            ("https://r.example:8443", "other.example", Ok(true)),
            ("https://r.example", "r.example", Ok(false)),
            ("https://a.r.example", "x, .r.example", Ok(false)),
            ("https://r.example", "*", Ok(false)),
            ("https://localhost:8443", "", Ok(false)),
            ("https://127.0.0.1", "", Ok(false)),
        ];
        for (target, except, expected) in cases {
            let (scheme, authority) = target.split_once("://").unwrap();
            assert_eq!(scheme, "https");
            let target = Endpoint::new(Scheme::Https, authority).unwrap();
            let agents = Agents::new(target.clone(), settings("http://user:pw@proxy.example:3128", except));
            assert_eq!(agents.proxy_to(&target).map(|proxy| proxy.is_some()), expected, "{target} {except}");
        }
    }

    #[test]
    fn a_proxy_that_is_not_understood_is_never_left_out() {
        let home = Endpoint::new(Scheme::Https, "r.example").unwrap();
        for url in ["socks5://proxy.example", "ftp://proxy.example", "http://", "http://pro xy", "http://proxy:99999"] {
            let agents = Agents::new(home.clone(), settings(url, ""));
            assert_eq!(agents.proxy_to(&home).err(), Some(HttpProblem::Proxy { variable: "HTTPS_PROXY" }), "{url}");
        }
        for url in
            ["http://proxy.example:3128", "https://proxy.example", "proxy.example:3128", "http://u:p%40@proxy.example"]
        {
            let agents = Agents::new(home.clone(), settings(url, ""));
            assert!(agents.proxy_to(&home).unwrap().is_some(), "{url}");
        }
    }

    #[test]
    fn nothing_prints_the_proxys_password() {
        let settings = settings("http://user:hunter2@proxy.example", "");
        let proxy = settings.proxy(settings.url.as_ref().unwrap()).unwrap();
        assert!(!format!("{settings:?} {proxy:?}").contains("hunter2"));
    }
}
