//! Tokens: what a token service gives to somebody who may do something.
//!
//! A registry names the service, and so decides who gets the log-in. It is sent only to a service of the registry's own
//! house; to any other the question is asked without it. What is asked for is ours: this repository, and what is to be
//! done with it, whatever the registry's challenge says. The token goes to the registry alone.

use std::io::Read as _;

use serde::Deserialize;

use crate::client::OciClient;
use crate::client::RepositoryAccess;
use crate::client::too_long;
use crate::error::OciError;
use crate::error::said;
use smcp_http::Authorization;
use smcp_http::HttpCall;
use smcp_http::HttpMethod;
use smcp_http::HttpReply;
use smcp_http::HttpTarget;
use smcp_http::encoded;
use smcp_model::deadline::Deadline;
use smcp_model::endpoint::Endpoint;
use smcp_model::limits;
use smcp_model::log_in::LogIn;
use smcp_model::secret::Secret;
use smcp_model::text::SafeText;

/// The answer of a token service.
#[derive(Deserialize)]
struct Grant {
    token: Option<String>,
    access_token: Option<String>,
}

impl OciClient<'_> {
    /// Asks the service at `realm` for a token.
    pub(crate) fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        access: RepositoryAccess,
        log_in: Option<&LogIn>,
        deadline: &Deadline,
    ) -> Result<Authorization, OciError> {
        let endpoint = self.http.led_to(realm)?;
        let is_own = is_of_the_house(self.http.server().url.endpoint(), &endpoint);
        let withheld = log_in.is_some() && !is_own;
        let repository = self.repository.name();
        let scope = match access {
            RepositoryAccess::Pull => Some(format!("repository:{repository}:pull")),
            RepositoryAccess::Push => Some(format!("repository:{repository}:pull,push")),
            RepositoryAccess::Catalog => Some("registry:catalog:*".to_owned()),
            RepositoryAccess::Entry => None,
        };
        let scope = scope.as_deref();
        let reply = match log_in.filter(|_| is_own) {
            Some(LogIn::Refresh(token)) => self.exchange_token(realm, service, scope, token, deadline)?,
            Some(LogIn::Password { user, password }) => {
                let basic = Authorization::basic(user, password).map_err(|_| self.unusable(too_long()))?;
                self.ask_for_token(realm, service, scope, Some(&basic), deadline)?
            }
            None => self.ask_for_token(realm, service, scope, None, deadline)?,
        };
        self.read_token(reply, &endpoint, access, withheld, deadline)
    }

    fn ask_for_token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        authorization: Option<&Authorization>,
        deadline: &Deadline,
    ) -> Result<HttpReply, OciError> {
        let separator = if realm.contains('?') { '&' } else { '?' };
        let fields = [("service", service), ("scope", scope)];
        let fields = fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded(value?))));
        let fields: Vec<String> = fields.collect();
        let target = format!("{realm}{separator}{}", fields.join("&"));
        let call = HttpCall {
            method: HttpMethod::Get,
            target: HttpTarget::Led(&target),
            headers: &[("accept", "application/json")],
            body: None,
            authorization,
            repeatable: true,
        };
        Ok(self.http.call(&call, deadline)?)
    }

    /// Exchanges a refreshing token for one of this repository.
    fn exchange_token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        token: &Secret,
        deadline: &Deadline,
    ) -> Result<HttpReply, OciError> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "smcp"),
            ("service", service.unwrap_or_default()),
            ("scope", scope.unwrap_or_default()),
            ("refresh_token", token.expose()),
        ];
        let form: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let form = form.join("&");
        let call = HttpCall {
            method: HttpMethod::Post,
            target: HttpTarget::Led(realm),
            headers: &[("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")],
            body: Some(form.as_bytes()),
            authorization: None,
            repeatable: true,
        };
        Ok(self.http.call(&call, deadline)?)
    }

    fn read_token(
        &self,
        reply: HttpReply,
        service: &Endpoint,
        access: RepositoryAccess,
        withheld: bool,
        deadline: &Deadline,
    ) -> Result<Authorization, OciError> {
        let status = reply.status();
        let name = format!("the token service {service} of {}", self.host());
        if status != 200 {
            let advice = if withheld {
                format!("the log-in for {} is not sent to {service}, which is of another house", self.repository.host())
            } else {
                format!("log in: {}", self.advice())
            };
            let who = if reply.knew_who_asks() { "this log-in" } else { "anybody whom it does not know" };
            let said = said(&reply.message());
            return Err(OciError::Denied { host: name, who, doing: self.doing(access), status, said, advice });
        }
        let no_token = |found: &str| OciError::Protocol {
            host: name.clone(),
            doing: "for a token".to_owned(),
            found: found.to_owned(),
            said: SafeText::default(),
            allowed: "JSON with a `token` or an `access_token`",
        };
        let body = reply.body(deadline).map_err(|problem| self.http.failed(problem))?;
        let mut bytes = Vec::new();
        let read = body.take(smcp_model::number::wide(limits::oci::GRANT)).read_to_end(&mut bytes);
        read.map_err(|cause| OciError::Broken { what: format!("the answer of {name}"), cause })?;
        let grant: Grant = serde_json::from_slice(&bytes).map_err(|_| no_token("another document"))?;
        let token = grant.token.or(grant.access_token).ok_or_else(|| no_token("no token"))?;
        let token = Secret::new(&token).map_err(|_| no_token("a token that fits into no header"))?;
        Ok(Authorization::bearer(&token))
    }
}

/// Whether a token service may have the log-in for a registry: the same host, or one of the same domain. There is no
/// list of the endings under which anybody can have a domain; two letters before which something short stands count as
/// one, as in `co.uk`.
fn is_of_the_house(registry: &Endpoint, service: &Endpoint) -> bool {
    let same_host = registry.host() == service.host() || registry.is_loopback() && service.is_loopback();
    let domains = || Some(domain(registry.host())? == domain(service.host())?);
    registry.scheme() == service.scheme() && (same_host || domains().unwrap_or(false))
}

/// The domain of a host; `None` for an address, or a name without dots.
fn domain(host: &str) -> Option<&str> {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return None;
    }
    let host = host.trim_end_matches('.');
    let starts: Vec<usize> =
        std::iter::once(0).chain(host.match_indices('.').map(|(at, _)| at.saturating_add(1))).collect();
    let label = |from_end: usize| {
        let start = *starts.get(starts.len().checked_sub(from_end)?)?;
        host.get(start..)?.split('.').next()
    };
    let (top, second) = (label(1)?, label(2)?);
    let labels = if top.len() == 2 && second.len() <= 3 { 3 } else { 2 };
    host.get(*starts.get(starts.len().checked_sub(labels)?)?..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::endpoint::Scheme;

    #[test]
    fn a_log_in_goes_to_a_service_of_the_house_alone() {
        let cases = [
            ("https://r.example.com", "https://r.example.com", true),
            ("https://r.example.com", "https://r.example.com:8443", true),
            ("https://registry-1.docker.io", "https://auth.docker.io", true),
            ("https://registry.gitlab.com", "https://gitlab.com", true),
            ("https://registry.corp.example", "https://auth.corp.example", true),
            ("https://r.corp.co.uk", "https://auth.corp.co.uk", true),
            ("https://r.corp.co.uk", "https://auth.evil.co.uk", false),
            ("https://r.example.com", "https://auth.docker.io", false),
            ("https://r.example.com", "https://example.com.evil.org", false),
            ("https://r.example.com", "https://notexample.com", false),
            ("https://r.com", "https://evil.com", false),
            ("https://registry", "https://auth", false),
            ("https://10.0.0.1", "https://10.0.0.2", false),
            ("http://localhost:5000", "http://127.0.0.1:5001", true),
            ("http://localhost:5000", "https://auth.example.com", false),
        ];
        let endpoint = |url: &str| {
            let (scheme, authority) = url.split_once("://").unwrap();
            Endpoint::new(Scheme::from_name(scheme).unwrap(), authority).unwrap()
        };
        for (registry, service, expected) in cases {
            assert_eq!(is_of_the_house(&endpoint(registry), &endpoint(service)), expected, "{registry} {service}");
        }
    }
}
