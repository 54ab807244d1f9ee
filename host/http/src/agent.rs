//! Configures ureq: certificates, proxy, checked addresses, time limits.
//!
//! An agent is made for the first request that needs it; certificates are read for the first `https` one.

use std::net::SocketAddr;
use std::sync::OnceLock;

use ureq::Agent;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;

use crate::names::SystemNames;
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

/// The agents for the ways to a server: unencrypted, direct, through the proxy.
#[derive(Debug)]
pub(crate) struct Agents {
    home: Endpoint,
    seen: Sightings,
    settings: ProxySettings,
    trust: Trust,
    unencrypted: OnceLock<Agent>,
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
            unencrypted: OnceLock::new(),
            direct: OnceLock::new(),
            proxied: OnceLock::new(),
            proxy: OnceLock::new(),
        }
    }

    /// Begins a new request, or a new try of one.
    pub(crate) fn begin(&self) {
        self.seen.begin();
    }

    /// Returns the agent for requests to `target`.
    pub(crate) fn to(&self, target: &Endpoint) -> Result<&Agent, HttpProblem> {
        match (target.scheme(), self.proxy_to(target)?) {
            (Scheme::Http, _) => make_once(&self.unencrypted, || Ok(self.guarded(None))),
            (Scheme::Https, None) => make_once(&self.direct, || Ok(self.guarded(Some(self.trust.config()?)))),
            (Scheme::Https, Some(proxy)) => {
                if *target != self.home {
                    self.seen.note_unseen();
                }
                make_once(&self.proxied, || {
                    let config = config(Some(self.trust.config()?)).proxy(Some(proxy.proxy.clone())).build();
                    // Only the proxy's own name is resolved here; the proxy resolves that of the target.
                    Ok(Agent::with_parts(config, DefaultConnector::default(), SystemNames::default()))
                })
            }
        }
    }

    fn guarded(&self, tls: Option<TlsConfig>) -> Agent {
        let guard = AddressGuard::new(self.home.clone(), self.seen.clone(), SystemNames::default());
        Agent::with_parts(config(tls).build(), DefaultConnector::default(), guard)
    }

    /// Returns the proxy for requests to `target`, if one is needed.
    fn proxy_to(&self, target: &Endpoint) -> Result<Option<&ParsedProxy>, HttpProblem> {
        if target.scheme() == Scheme::Http || target.is_loopback() {
            return Ok(None);
        }
        let proxy = make_once(&self.proxy, || self.settings.parse())?;
        Ok(proxy.as_ref().filter(|proxy| proxy.is_for(target)))
    }

    /// Returns the proxy for requests to `target`, for messages.
    pub(crate) fn via(&self, target: &Endpoint) -> Option<Box<Via>> {
        self.proxy_to(target).ok().flatten().map(|proxy| Box::new(proxy.via.clone()))
    }

    /// Returns the addresses that the last connection was tried to; empty behind a proxy.
    pub(crate) fn tried(&self) -> Vec<SocketAddr> {
        self.seen.tried()
    }
}

/// The configuration of every agent. Redirects and statuses are handled by `exchange`, not by ureq.
fn config(tls: Option<TlsConfig>) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    let builder = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(tls.is_some())
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .max_response_header_size(limits::http::HEADERS)
        .timeout_connect(Some(limits::http::CONNECT))
        .timeout_recv_response(Some(limits::http::ANSWER));
    match tls {
        Some(tls) => builder.tls_config(tls),
        None => builder,
    }
}

/// Returns the value of the cell, and makes it first if needed.
fn make_once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, HttpProblem>) -> Result<&T, HttpProblem> {
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
