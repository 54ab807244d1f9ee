//! A server, and the client for it.

use std::fmt;

use crate::address::Address;
use crate::agent::Agents;
use crate::error::HttpError;
use crate::error::ServerError;
use crate::exchange::Exchange;
use crate::exchange::HttpOutcome;
use crate::exchange::HttpRequest;
use crate::problem::HttpProblem;
use crate::proxy::ProxySettings;
use crate::trust::Trust;
use smcp_model::deadline::Deadline;
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
        let Some(from) = self.home.below(request.path) else {
            let problem = HttpProblem::NotHttp(SafeText::new("its address is no URL"));
            return Err(ServerError { server: self.server.clone(), problem, via: None }.into());
        };
        let Self { server, settings: HttpSettings { token, login, .. }, agents, .. } = self;
        Exchange { agents, from, accept: request.accept, token: token.as_ref(), login, server, deadline }.ask()
    }

    /// Makes the error about an answer of the server in which the caller found a problem.
    pub fn failed(&self, problem: HttpProblem) -> HttpError {
        let via = self.agents.via(self.home.endpoint());
        ServerError { server: self.server.clone(), problem, via }.into()
    }
}
