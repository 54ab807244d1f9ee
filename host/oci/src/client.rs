//! A client for one repository, and the log-in that it may need.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::challenge;
use crate::challenge::Challenge;
use crate::error::LogInProblem;
use crate::error::OciError;
use crate::error::said;
use smcp_http::Authorization;
use smcp_http::HttpCall;
use smcp_http::HttpClient;
use smcp_http::HttpMethod;
use smcp_http::HttpReply;
use smcp_http::HttpSettings;
use smcp_http::HttpTarget;
use smcp_http::RemoteServer;
use smcp_model::deadline::Deadline;
use smcp_model::log_in::LogIn;
use smcp_model::oci::OciRepository;
use smcp_model::registry::RegistryUrl;
use smcp_model::text::SafeText;

/// Finds the log-in for the registry when it asks for one; it may start a credential helper.
pub type FindLogIn<'c> = dyn Fn() -> Result<Option<LogIn>, LogInProblem> + 'c;

/// The host by which people know one registry, and the one that answers for it.
const DOCKER_HUB: (&str, &str) = ("https://docker.io", "registry-1.docker.io");

/// What is wanted of a repository, or of the registry around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RepositoryAccess {
    /// To read.
    Pull,
    /// To write, too.
    Push,
    /// To list the repositories.
    Catalog,
    /// To be known at all.
    Entry,
}

/// A request to the registry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OciCall<'q> {
    pub(crate) method: HttpMethod,
    pub(crate) target: HttpTarget<'q>,
    pub(crate) headers: &'q [(&'static str, &'q str)],
    pub(crate) body: Option<&'q [u8]>,
    pub(crate) repeatable: bool,
    pub(crate) access: RepositoryAccess,
}

/// A client for one repository. Before the first request it neither connects, nor reads certificates, nor looks for a
/// log-in.
pub struct OciClient<'c> {
    pub(crate) http: Rc<HttpClient>,
    pub(crate) repository: OciRepository,
    pub(crate) find_log_in: Rc<FindLogIn<'c>>,
    granted: RefCell<BTreeMap<RepositoryAccess, Authorization>>,
    /// What proves who asks everywhere in the registry, once it has asked.
    known_everywhere: Rc<RefCell<Option<Authorization>>>,
}

impl fmt::Debug for OciClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OciClient").field("repository", &self.repository).finish_non_exhaustive()
    }
}

impl<'c> OciClient<'c> {
    /// A client for `repository`. What `settings` say of a token is not used: `find_log_in` has it.
    pub fn new(repository: &OciRepository, settings: HttpSettings, find_log_in: Box<FindLogIn<'c>>) -> Self {
        let mut endpoint = repository.host().endpoint().clone();
        if endpoint.to_string() == DOCKER_HUB.0 {
            endpoint = endpoint.at(DOCKER_HUB.1);
        }
        let server = RemoteServer { noun: "registry", url: RegistryUrl::of(&endpoint) };
        let http = HttpClient::new(server, HttpSettings { token: None, ..settings });
        Self {
            http: Rc::new(http),
            repository: repository.clone(),
            find_log_in: Rc::from(find_log_in),
            granted: RefCell::default(),
            known_everywhere: Rc::default(),
        }
    }

    /// A client for another repository of the same registry, over the same connections.
    #[must_use]
    pub fn beside(&self, repository: OciRepository) -> Self {
        Self {
            http: Rc::clone(&self.http),
            repository,
            find_log_in: Rc::clone(&self.find_log_in),
            granted: RefCell::default(),
            known_everywhere: Rc::clone(&self.known_everywhere),
        }
    }

    /// The repository.
    pub const fn repository(&self) -> &OciRepository {
        &self.repository
    }

    /// The path of something below the repository.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository.name())
    }

    /// The registry, for messages.
    pub(crate) fn host(&self) -> String {
        format!("the registry {}", self.repository.host())
    }

    /// How to log in, for messages.
    pub fn advice(&self) -> String {
        format!("smcp login --registry {} --username NAME --token -", self.repository.host())
    }

    /// Sends a request, and says who asks when the registry wants to know.
    pub(crate) fn call(&self, call: &OciCall<'_>, deadline: &Deadline) -> Result<HttpReply, OciError> {
        let of_repository = self.granted.borrow().get(&call.access).cloned();
        let known = of_repository.or_else(|| self.known_everywhere.borrow().clone());
        let reply = self.send(call, known.as_ref(), deadline)?;
        // Only the registry itself asks who we are, not the storage that it redirects to.
        if reply.status() != 401 || !reply.is_from_home() {
            return Ok(reply);
        }
        let granted = self.authorize(&reply, call.access, deadline)?;
        let reply = self.send(call, Some(&granted), deadline)?;
        self.granted.borrow_mut().insert(call.access, granted);
        Ok(reply)
    }

    pub(crate) fn send(
        &self,
        call: &OciCall<'_>,
        authorization: Option<&Authorization>,
        deadline: &Deadline,
    ) -> Result<HttpReply, OciError> {
        let OciCall { method, target, headers, body, repeatable, access: _ } = *call;
        // A place that the registry names gets what proves who asks only when it is the registry itself.
        let is_home = match target {
            HttpTarget::Below(_) => true,
            HttpTarget::Led(location) => self.http.is_home(location),
        };
        let authorization = authorization.filter(|_| is_home);
        Ok(self.http.call(&HttpCall { method, target, headers, body, authorization, repeatable }, deadline)?)
    }

    /// Makes what the registry asks for of the log-in, if there is one.
    fn authorize(
        &self,
        reply: &HttpReply,
        access: RepositoryAccess,
        deadline: &Deadline,
    ) -> Result<Authorization, OciError> {
        let challenges: Vec<Challenge> = reply.headers("www-authenticate").flat_map(challenge::parse).collect();
        let log_in = self.log_in()?;
        // A token is for this repository alone and for minutes; a password is for everything.
        for challenge in &challenges {
            if let Challenge::Bearer { realm, service } = challenge {
                return self.token(realm, service.as_deref(), access, log_in.as_ref(), deadline);
            }
        }
        match (challenges.first(), log_in) {
            (Some(Challenge::Basic), Some(LogIn::Password { user, password })) => {
                let basic = Authorization::basic(&user, &password).map_err(|_| self.unusable(too_long()))?;
                *self.known_everywhere.borrow_mut() = Some(basic.clone());
                Ok(basic)
            }
            (Some(_), Some(LogIn::Refresh(_))) => Err(self.unusable(LogInProblem::new(
                "it is a token for a token service, and the registry asks for a name and a password",
                "log in with a name and a password",
            ))),
            (Some(_), Some(LogIn::Password { .. }) | None) => Err(OciError::Denied {
                host: self.host(),
                who: "anybody whom it does not know",
                doing: self.doing(access),
                status: 401,
                said: SafeText::default(),
                advice: format!("log in: {}", self.advice()),
            }),
            (None, _) => Err(OciError::Protocol {
                host: self.host(),
                doing: self.doing(access),
                found: "status 401, and no way to log in that smcp knows".to_owned(),
                said: SafeText::default(),
                allowed: "a `www-authenticate: Bearer` with a realm, or `Basic`",
            }),
        }
    }

    /// Looks for the log-in.
    pub(crate) fn log_in(&self) -> Result<Option<LogIn>, OciError> {
        (self.find_log_in)().map_err(|problem| self.unusable(problem))
    }

    pub(crate) fn unusable(&self, problem: LogInProblem) -> OciError {
        OciError::LogIn { host: self.repository.host().to_string(), problem }
    }

    /// What is wanted, for messages.
    pub(crate) fn doing(&self, access: RepositoryAccess) -> String {
        match access {
            RepositoryAccess::Pull => format!("read {}", self.repository.name()),
            RepositoryAccess::Push => format!("write to {}", self.repository.name()),
            RepositoryAccess::Catalog => "list its repositories".to_owned(),
            RepositoryAccess::Entry => "in".to_owned(),
        }
    }

    /// Makes the error of an answer that is not the wanted one.
    pub(crate) fn refused(&self, reply: HttpReply, what: &str, access: RepositoryAccess) -> OciError {
        let (status, knew) = (reply.status(), reply.knew_who_asks());
        let said = said(&reply.message());
        match status {
            404 => OciError::Missing { what: what.to_owned(), said, advice: self.advice() },
            401 | 403 => OciError::Denied {
                host: self.host(),
                who: if knew { "this log-in" } else { "anybody whom it does not know" },
                doing: self.doing(access),
                status,
                said,
                advice: format!("ask for the right to, or log in as somebody who has it: {}", self.advice()),
            },
            status => OciError::Protocol {
                host: self.host(),
                doing: format!("for {what}"),
                found: format!("status {status}"),
                said,
                allowed: "an answer of the distribution API, version 2",
            },
        }
    }
}

pub(crate) fn too_long() -> LogInProblem {
    LogInProblem::new("the name and the password are too long for a header", "log in with shorter ones")
}
