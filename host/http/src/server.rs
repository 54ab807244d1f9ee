//! A server and the client that asks it.

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
    /// What it is to whoever asks, as it stands behind "a" and "the": `registry`.
    pub noun: &'static str,
    /// Its URL.
    pub url: RegistryUrl,
}

impl fmt::Display for RemoteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.noun, self.url)
    }
}

/// What a server is asked with.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// The token for this server, and for no other.
    pub token: Option<Secret>,
    /// What to do when a log-in is needed.
    pub login: String,
    /// The proxy of the environment.
    pub proxy: ProxySettings,
    /// Whose certificates are trusted.
    pub trust: Trust,
}

/// Asks one server. Nothing is connected, and no certificate read, before the first question.
#[derive(Debug)]
pub struct HttpClient {
    server: RemoteServer,
    home: Address,
    settings: HttpSettings,
    agents: Agents,
}

impl HttpClient {
    /// Asks `server`.
    pub fn new(server: RemoteServer, settings: HttpSettings) -> Self {
        let home = Address::of(&server.url);
        let agents = Agents::new(home.endpoint().clone(), settings.proxy.clone(), settings.trust.clone());
        Self { server, home, settings, agents }
    }

    /// Who is asked.
    pub const fn server(&self) -> &RemoteServer {
        &self.server
    }

    /// Asks for something, more than once where that may help.
    ///
    /// # Errors
    /// When there is no answer before the deadline, or not one that can be read.
    pub fn get(&self, question: &HttpRequest<'_>, deadline: &Deadline) -> Result<HttpOutcome, HttpError> {
        let Some(from) = self.home.below(question.path) else {
            let problem = HttpProblem::NotHttp(SafeText::new("its address is no URL"));
            return Err(ServerError { server: self.server.clone(), problem, via: None }.into());
        };
        let Self { server, settings: HttpSettings { token, login, .. }, agents, .. } = self;
        Exchange { agents, from, accept: question.accept, token: token.as_ref(), login, server, deadline }.ask()
    }

    /// The error that an answer of the server is, when whoever asked finds a problem in it.
    pub fn failed(&self, problem: HttpProblem) -> HttpError {
        let via = self.agents.via(self.home.endpoint());
        ServerError { server: self.server.clone(), problem, via }.into()
    }
}
