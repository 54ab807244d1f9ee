//! A server, and the client for it.

use std::fmt;

use crate::address::Address;
use crate::agent::Agents;
use crate::authorization::Authorization;
use crate::call::HttpCall;
use crate::call::HttpMethod;
use crate::call::HttpReply;
use crate::call::HttpTarget;
use crate::error::HttpError;
use crate::error::ServerError;
use crate::exchange::Exchange;
use crate::exchange::HttpOutcome;
use crate::exchange::HttpRequest;
use crate::exchange::led;
use crate::problem::HttpProblem;
use crate::proxy::ProxySettings;
use crate::trust::Trust;
use smcp_model::deadline::Deadline;
use smcp_model::endpoint::Endpoint;
use smcp_model::registry::RegistryUrl;
use smcp_model::secret::Secret;
use smcp_model::text::SafeText;

/// A server, as messages name it: "registry `https://…`".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteServer {
    /// The kind of server, as it follows "a" and "the" in messages: `registry`.
    pub noun: &'static str,
    /// Its URL.
    pub url: RegistryUrl,
}

impl fmt::Display for RemoteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.noun, self.url)
    }
}

/// The settings of requests to a server.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// The token for this server. It is never sent to another one.
    pub token: Option<Secret>,
    /// The advice for when a log-in is needed.
    pub login: String,
    /// The proxy of the environment.
    pub proxy: ProxySettings,
    /// The authorities whose certificates are trusted.
    pub trust: Trust,
    /// Whether nothing is sent: every request fails, as where no server can be reached.
    pub offline: bool,
}

/// A client for one server. Before the first request it neither connects nor reads certificates.
#[derive(Debug)]
pub struct HttpClient {
    server: RemoteServer,
    home: Address,
    settings: HttpSettings,
    agents: Agents,
}

impl HttpClient {
    /// Makes a client for `server`.
    pub fn new(server: RemoteServer, settings: HttpSettings) -> Self {
        let home = Address::of(&server.url);
        let agents = Agents::new(home.endpoint().clone(), settings.proxy.clone(), settings.trust.clone());
        Self { server, home, settings, agents }
    }

    /// The server.
    pub const fn server(&self) -> &RemoteServer {
        &self.server
    }

    /// Sends a GET request, and repeats it where that may help.
    ///
    /// # Errors
    /// When there is no valid answer before the deadline.
    pub fn get(&self, request: &HttpRequest<'_>, deadline: &Deadline) -> Result<HttpOutcome, HttpError> {
        self.get_from(self.below(request.path)?, request.accept, deadline)
    }

    /// The same for a place that an answer of the server has named, absolute or relative. It is checked as a redirect is,
    /// and the token goes there only if it is the server's own scheme, host and port.
    ///
    /// # Errors
    /// As [`HttpClient::get`]; when it leads where it must not.
    pub fn get_led(&self, location: &str, accept: &'static str, deadline: &Deadline) -> Result<HttpOutcome, HttpError> {
        self.get_from(self.named(location)?, accept, deadline)
    }

    /// Returns the address of a place that an answer has named.
    fn named(&self, location: &str) -> Result<Address, HttpError> {
        led(&self.home, &self.home, location).map_err(|problem| {
            // Nothing was redirected.
            self.failed(if let HttpProblem::Redirect { to, reason } = problem {
                HttpProblem::Named { to, reason }
            } else {
                problem
            })
        })
    }

    fn get_from(&self, from: Address, accept: &str, deadline: &Deadline) -> Result<HttpOutcome, HttpError> {
        self.check_online()?;
        let Self { server, settings: HttpSettings { token, login, .. }, agents, home } = self;
        let token = token.as_ref().filter(|_| from.endpoint() == home.endpoint());
        let authorization = token.map(Authorization::bearer);
        let exchange = Exchange {
            agents,
            home,
            from,
            method: HttpMethod::Get,
            headers: &[("accept", accept)],
            body: None,
            authorization: authorization.as_ref(),
            repeatable: true,
            server,
            deadline,
        };
        exchange.ask(login)
    }

    /// Sends any request, and repeats it where that may help. The answer has any status but those that say "later".
    ///
    /// # Errors
    /// When there is no answer before the deadline, or it leads where it must not.
    pub fn call(&self, call: &HttpCall<'_>, deadline: &Deadline) -> Result<HttpReply, HttpError> {
        self.check_online()?;
        let from = match call.target {
            HttpTarget::Below(path) => self.below(path)?,
            HttpTarget::Led(location) => self.named(location)?,
        };
        let Self { server, settings: _, agents, home } = self;
        let HttpCall { method, target: _, headers, body, authorization, repeatable } = *call;
        let exchange =
            Exchange { agents, home, from, method, headers, body, authorization, repeatable, server, deadline };
        exchange.settle().map(|settled| HttpReply::new(settled, home, server.noun))
    }

    /// Whether a place that the server names is its own scheme, host and port.
    pub fn is_home(&self, location: &str) -> bool {
        self.home.follow(location).is_ok_and(|address| address.endpoint() == self.home.endpoint())
    }

    /// The server that an answer's location names, if it is a place that may be asked.
    ///
    /// # Errors
    /// When it is none.
    pub fn led_to(&self, location: &str) -> Result<Endpoint, HttpError> {
        let address = led(&self.home, &self.home, location).map_err(|problem| self.failed(problem))?;
        Ok(address.endpoint().clone())
    }

    fn check_online(&self) -> Result<(), HttpError> {
        if !self.settings.offline {
            return Ok(());
        }
        Err(ServerError { server: self.server.clone(), problem: HttpProblem::NotAsked, via: None }.into())
    }

    fn below(&self, path: &str) -> Result<Address, HttpError> {
        let no_url = || self.failed(HttpProblem::NotHttp(SafeText::new("its address is no URL")));
        self.home.below(path).ok_or_else(no_url)
    }

    /// Makes the error about an answer of the server in which the caller found a problem.
    pub fn failed(&self, problem: HttpProblem) -> HttpError {
        let via = self.agents.via(self.home.endpoint());
        ServerError { server: self.server.clone(), problem, via }.into()
    }
}
