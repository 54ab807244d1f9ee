//! One request to a server, with its redirects and its repeated tries.

use std::thread;
use std::time::Duration;

use ureq::Body;
use ureq::http::Request;
use ureq::http::Response;

use crate::address::Address;
use crate::agent::Agents;
use crate::answer;
use crate::answer::HttpAnswer;
use crate::answer::header;
use crate::authorization::Authorization;
use crate::call::HttpMethod;
use crate::error::HttpError;
use crate::error::ServerError;
use crate::problem::HttpProblem;
use crate::problem::RequestFailure;
use crate::problem::ServerMessage;
use crate::problem::Tries;
use crate::problem::shown;
use crate::proxy::Via;
use crate::retry;
use crate::server::RemoteServer;
use smcp_model::deadline::Deadline;
use smcp_model::endpoint::Scheme;
use smcp_model::limits;
use smcp_model::registry::without_secrets;

/// The outcome of a request.
#[derive(Debug)]
pub enum HttpOutcome {
    /// The answer.
    Found(HttpAnswer),
    /// The server doesn't have it (status 404).
    Missing(ServerMessage),
}

/// A request to a server.
#[derive(Debug, Clone, Copy)]
pub struct HttpRequest<'q> {
    /// The path below the server's address, with its query; it begins with a slash.
    pub path: &'q str,
    /// The value of the header `accept`.
    pub accept: &'static str,
}

/// A request with everything that sending it needs.
pub(crate) struct Exchange<'q> {
    pub(crate) agents: &'q Agents,
    /// The server's own address.
    pub(crate) home: &'q Address,
    pub(crate) from: Address,
    pub(crate) method: HttpMethod,
    pub(crate) headers: &'q [(&'static str, &'q str)],
    pub(crate) body: Option<&'q [u8]>,
    pub(crate) authorization: Option<&'q Authorization>,
    /// Whether sending it twice does the same as once.
    pub(crate) repeatable: bool,
    pub(crate) server: &'q RemoteServer,
    pub(crate) deadline: &'q Deadline,
}

/// An answer that is neither a redirect nor worth another try.
pub(crate) struct Settled {
    pub(crate) response: Response<Body>,
    /// Who answered.
    pub(crate) address: Address,
    /// Whether the authorization was sent there.
    pub(crate) sent: bool,
}

/// A try without an answer: whether another one may help.
enum FailedTry {
    Again { problem: HttpProblem, via: Option<Box<Via>>, wait: Option<Duration> },
    Over(HttpError),
}

impl Exchange<'_> {
    /// Sends the request, up to [`limits::http::TRIES`] times.
    pub(crate) fn settle(&self) -> Result<Settled, HttpError> {
        for tries in 1.. {
            match self.try_once(Tries(tries)) {
                Ok(settled) => return Ok(settled),
                Err(FailedTry::Over(error)) => return Err(error),
                Err(FailedTry::Again { problem, via, wait }) => {
                    self.deadline.check()?;
                    let wait = wait.unwrap_or_else(|| retry::backoff(tries.saturating_add(1)));
                    let too_long = wait > limits::http::RETRY_AFTER
                        || self.deadline.remaining().is_some_and(|remaining| wait >= remaining);
                    if tries >= limits::http::TRIES || too_long {
                        return Err(self.failed(problem, via));
                    }
                    tracing::info!(address = %self.from.shown(), %problem, ?wait, "asking again");
                    thread::sleep(wait);
                }
            }
        }
        Err(self.deadline.expired().into())
    }

    /// Sends the request, and interprets the status of the answer. `login` is the advice for one that asks for a log-in.
    pub(crate) fn ask(&self, login: &str) -> Result<HttpOutcome, HttpError> {
        let Settled { response, address, sent } = self.settle()?;
        let at_home = address.endpoint() == self.home.endpoint();
        let over = |problem| self.failed(problem, self.agents.via(address.endpoint()));
        match response.status().as_u16() {
            200 => HttpAnswer::new(response, self.server.noun).map(HttpOutcome::Found).map_err(over),
            404 => Ok(HttpOutcome::Missing(answer::message(response))),
            // Only the server itself can ask for a log-in, not the storage that it redirects to.
            status @ (401 | 403) if at_home => {
                let (message, advice) = (answer::message(response), login.to_owned());
                Err(over(HttpProblem::LoginNeeded { status, message, sent, advice }))
            }
            status => Err(over(HttpProblem::Unexpected { status, message: answer::message(response) })),
        }
    }

    fn failed(&self, problem: HttpProblem, via: Option<Box<Via>>) -> HttpError {
        ServerError { server: self.server.clone(), problem, via }.into()
    }

    /// A problem at `address` that another try does not solve.
    fn over(&self, address: &Address, problem: HttpProblem) -> FailedTry {
        FailedTry::Over(self.failed(problem, self.agents.via(address.endpoint())))
    }

    /// A problem at `address` that another try may solve, if the request may be sent again.
    fn again(&self, address: &Address, problem: HttpProblem, wait: Option<Duration>, repeatable: bool) -> FailedTry {
        if !repeatable {
            return self.over(address, problem);
        }
        FailedTry::Again { problem, via: self.agents.via(address.endpoint()), wait }
    }

    /// The deadline has passed while `address` did not answer.
    fn expired(&self, address: &Address) -> FailedTry {
        let place = shown(&format!("while {}{} was asked", address.endpoint(), self.tried()));
        FailedTry::Over(HttpError::Silence { expired: self.deadline.expired(), place })
    }

    /// The addresses that were tried, for messages.
    fn tried(&self) -> String {
        let tried: Vec<String> = self.agents.tried().iter().map(ToString::to_string).collect();
        if tried.is_empty() { String::new() } else { format!(" (at {})", tried.join(", ")) }
    }

    /// Sends the request once, and follows redirects.
    fn try_once(&self, tries: Tries) -> Result<Settled, FailedTry> {
        self.agents.begin();
        let mut address = self.from.clone();
        // Once another server was asked, the authorization is not sent again, even if that one redirects back.
        let mut authorization = self.authorization;
        for _ in 0..=limits::http::REDIRECTS {
            self.deadline.check().map_err(|expired| FailedTry::Over(expired.into()))?;
            let response = self.send(&address, authorization, tries)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return self.settled(response, address, authorization.is_some(), tries);
            }
            address = self.redirected(&address, &response).map_err(|problem| self.over(&address, problem))?;
            authorization = authorization.filter(|_| address.endpoint() == self.from.endpoint());
            tracing::debug!(to = %address.shown(), "redirected");
        }
        Err(self.over(&address, HttpProblem::TooManyRedirects))
    }

    fn send(
        &self,
        address: &Address,
        authorization: Option<&Authorization>,
        tries: Tries,
    ) -> Result<Response<Body>, FailedTry> {
        let agent =
            self.agents.to(address.endpoint()).map_err(|problem| FailedTry::Over(self.failed(problem, None)))?;
        let mut request = Request::builder().method(self.method.as_str()).uri(address.url());
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization.header());
        }
        tracing::debug!(address = %address.shown(), method = self.method.as_str(), "asking");
        let left = self.deadline.remaining();
        let sent = match self.body {
            Some(body) => request
                .body(body)
                .map_err(ureq::Error::from)
                .and_then(|request| agent.run(agent.configure_request(request).timeout_global(left).build())),
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| agent.run(agent.configure_request(request).timeout_global(left).build())),
        };
        sent.map_err(|error| match RequestFailure::of(error, self.server.noun) {
            RequestFailure::Expired => self.expired(address),
            RequestFailure::Final(problem) => self.over(address, problem),
            RequestFailure::Passing(cause) => {
                let cause = shown(&format!("{cause}{}", self.tried()));
                self.again(address, HttpProblem::Unreachable { tries, cause }, None, self.repeatable)
            }
        })
    }

    /// Returns the address of a redirect, if it may be followed.
    fn redirected(&self, from: &Address, response: &Response<Body>) -> Result<Address, HttpProblem> {
        let refused = |to: &str, reason: &str| HttpProblem::Redirect { to: shown(to), reason: shown(reason) };
        let Some(location) = header(response.headers(), "location") else {
            return Err(refused("", "it does not say where to"));
        };
        if !self.method.only_reads() {
            return Err(refused(&without_secrets(location), "what is sent goes to the server itself"));
        }
        led(from, self.home, location)
    }

    /// Interprets an answer that is not a redirect: whether asking again may help.
    fn settled(
        &self,
        response: Response<Body>,
        address: Address,
        sent: bool,
        tries: Tries,
    ) -> Result<Settled, FailedTry> {
        let status = response.status().as_u16();
        if !matches!(status, 429 | 500 | 502..=504) {
            return Ok(Settled { response, address, sent });
        }
        let text = |name| header(response.headers(), name);
        let wait = retry::retry_after(text("retry-after"), text("date"));
        let problem = HttpProblem::Busy { tries, status, message: answer::message(response), wait };
        // What was too much at this moment was not done.
        Err(self.again(&address, problem, wait, self.repeatable || status == 429))
    }
}

/// Returns the address that an answer from `from` leads to, if it may be followed: over TLS, or from this machine to
/// itself.
pub(crate) fn led(from: &Address, home: &Address, location: &str) -> Result<Address, HttpProblem> {
    let refused = |to: &str, reason: &str| HttpProblem::Redirect { to: shown(to), reason: shown(reason) };
    let to = from.follow(location).map_err(|reason| refused(&without_secrets(location), reason))?;
    let encrypted = to.endpoint().scheme() == Scheme::Https;
    let local = to.endpoint().is_loopback() && home.endpoint().is_loopback();
    if encrypted || local { Ok(to) } else { Err(refused(to.shown().as_str(), "only https:// is followed")) }
}
