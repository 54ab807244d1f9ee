//! ureq, set up for servers: what is trusted, and how it connects.
//!
//! Nothing here happens before the first request: certificates are read for the first `https` one.

use std::net::SocketAddr;
use std::sync::OnceLock;

use ureq::Agent;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

use crate::problem::HttpProblem;
use crate::proxy::ParsedProxy;
use crate::proxy::ProxySettings;
use crate::proxy::Via;
use crate::reach::AddressGuard;
use crate::reach::Sightings;
use crate::trust::Trust;
use smcp_model::endpoint::Endpoint;
use smcp_model::endpoint::Scheme;
use smcp_model::limits;

const USER_AGENT: &str = concat!("smcp/", env!("CARGO_PKG_VERSION"));

/// The ways to a server.
#[derive(Debug)]
pub(crate) struct Agents {
    home: Endpoint,
    seen: Sightings,
    settings: ProxySettings,
    trust: Trust,
    plain: OnceLock<Agent>,
    direct: OnceLock<Agent>,
    proxied: OnceLock<Agent>,
    proxy: OnceLock<Option<ParsedProxy>>,
}

impl Agents {
    pub(crate) fn new(home: Endpoint, settings: ProxySettings, trust: Trust) -> Self {
        Self {
            home,
            seen: Sightings::default(),
            settings,
            trust,
            plain: OnceLock::new(),
            direct: OnceLock::new(),
            proxied: OnceLock::new(),
            proxy: OnceLock::new(),
        }
    }

    /// A new question is asked, or an old one again.
    pub(crate) fn begin(&self) {
        self.seen.begin();
    }

    /// Who goes to `target`.
    pub(crate) fn to(&self, target: &Endpoint) -> Result<&Agent, HttpProblem> {
        match (target.scheme(), self.proxy_to(target)?) {
            (Scheme::Http, _) => get_or_make(&self.plain, || Ok(self.guarded(None))),
            (Scheme::Https, None) => get_or_make(&self.direct, || Ok(self.guarded(Some(self.trust.config()?)))),
            (Scheme::Https, Some(proxy)) => {
                if *target != self.home {
                    self.seen.note_unseen();
                }
                get_or_make(&self.proxied, || {
                    let config = config(Some(self.trust.config()?)).proxy(Some(proxy.proxy.clone())).build();
                    // The only name that is looked up is the proxy's own; where the target is, is the proxy's business.
                    Ok(Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default()))
                })
            }
        }
    }

    fn guarded(&self, tls: Option<TlsConfig>) -> Agent {
        let guard = AddressGuard::new(self.home.clone(), self.seen.clone(), DefaultResolver::default());
        Agent::with_parts(config(tls).build(), DefaultConnector::default(), guard)
    }

    /// The proxy that stands between us and `target`.
    fn proxy_to(&self, target: &Endpoint) -> Result<Option<&ParsedProxy>, HttpProblem> {
        if target.scheme() == Scheme::Http || target.is_loopback() {
            return Ok(None);
        }
        let proxy = get_or_make(&self.proxy, || self.settings.parse())?;
        Ok(proxy.as_ref().filter(|proxy| proxy.is_for(target)))
    }

    /// The proxy through which `target` is asked, as people may know it.
    pub(crate) fn via(&self, target: &Endpoint) -> Option<Box<Via>> {
        self.proxy_to(target).ok().flatten().map(|proxy| Box::new(proxy.via.clone()))
    }

    /// The addresses that the last connection was tried to; none behind a proxy.
    pub(crate) fn tried(&self) -> Vec<SocketAddr> {
        self.seen.tried()
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

/// What is in the cell, made first when nothing is.
fn get_or_make<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, HttpProblem>) -> Result<&T, HttpProblem> {
    match cell.get() {
        Some(value) => Ok(value),
        None => make().map(|value| cell.get_or_init(|| value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_used_for_what_is_elsewhere_and_not_excepted() {
        let cases = [
            ("r.example", "", true),
            ("a.r.example", "r.example", false),
            ("localhost:8443", "", false),
            ("127.0.0.1", "", false),
        ];
        for (target, except, expected) in cases {
            let target = Endpoint::new(Scheme::Https, target).unwrap();
            let settings = ProxySettings {
                url: Some(("HTTPS_PROXY", "http://user:pw@proxy.example:3128".to_owned())),
                except: Some(("NO_PROXY", except.to_owned())),
            };
            let agents = Agents::new(target.clone(), settings, Trust::default());
            assert_eq!(agents.proxy_to(&target).unwrap().is_some(), expected, "{target} {except}");
        }
    }
}
