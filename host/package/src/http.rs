//! A registry behind a URL: the real registry's API, over HTTP.
//!
//! `docs/registry.md` has the API. The other side, whoever it is, can at worst make a command fail: where a connection
//! may go is checked when it is made, every body has a bound and a deadline, and what the body says is believed as far
//! as [`document`](crate::document) and [`fetch`](crate::fetch) go.

mod address;
mod agent;
mod answer;
mod certificate;
mod exchange;
mod problem;
mod proxy;
mod reach;
mod retry;
mod trust;

use std::io::Read;

pub use crate::http::problem::HttpProblem;
pub use crate::http::proxy::ProxySettings;
pub(super) use crate::http::proxy::Via;
pub use crate::http::trust::Trust;

use crate::Artifact;
use crate::RegistryClient;
use crate::document;
use crate::error::PackageError;
use crate::http::address::Address;
use crate::http::address::encoded;
use crate::http::agent::Agents;
use crate::http::answer::Answer;
use crate::http::exchange::Outcome;
use crate::http::exchange::Question;
use crate::http::problem::Said;
use crate::stream::recover;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Status;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryUrl;
use smcp_model::secret::Secret;
use smcp_model::text::SafeText;

/// How much is read of what a registry says of its health, bytes: it says one word.
const HEALTH: u64 = 4096;

/// What a registry behind a URL is asked with.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// The token for this registry, and for no other.
    pub token: Option<Secret>,
    /// What to add when a log-in is needed: a token that is there and was not meant for this registry, for one.
    pub login_hint: String,
    /// The proxy of the environment.
    pub proxy: ProxySettings,
    /// Whose certificates are trusted.
    pub trust: Trust,
}

/// A registry behind a URL. Nothing is connected, and no certificate read, before it is asked.
#[derive(Debug)]
pub struct HttpRegistry {
    location: Registry, // INVARIANT: at `url`.
    url: RegistryUrl,
    settings: HttpSettings,
    agents: Agents,
}

impl HttpRegistry {
    /// The registry at `url`.
    pub fn new(url: RegistryUrl, settings: HttpSettings) -> Self {
        let agents = Agents::new(url.endpoint().clone(), settings.proxy.clone(), settings.trust.clone());
        Self { location: Registry::Url(url.clone()), url, settings, agents }
    }

    /// The proxy that stands before it.
    fn via(&self) -> Option<Box<Via>> {
        self.agents.via(self.url.endpoint())
    }

    fn ask(&self, path: &str, accept: &'static str, deadline: &Deadline) -> Result<Outcome, PackageError> {
        let registry = self.location.to_string();
        let from = Address::below(&self.url, path);
        let (token, hint) = (self.settings.token.as_ref(), self.settings.login_hint.as_str());
        Question { agents: &self.agents, from, accept, token, hint, registry: &registry, deadline }.ask()
    }

    fn ask_for(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Outcome, PackageError> {
        let (org, name) = (&wanted.id.org, &wanted.id.name);
        let reference = encoded(&wanted.selector.to_string());
        self.ask(&format!("/v1/org/{org}/mcps/{name}/resolve?ref={reference}"), "application/json", deadline)
    }

    /// The error for something that isn't there. Whether the package or only the version is missing is a question of
    /// its own; when that has no answer either, the version is all that is known to be missing.
    fn missing(&self, wanted: &PackageRef, said: &Said, deadline: &Deadline) -> PackageError {
        let (id, registry) = (wanted.id.clone(), self.location.to_string());
        let private = "a private package is there only for those who are logged in: smcp login";
        let said = said.0.as_ref().map_or_else(String::new, |text| format!("the registry says: {text}\n  "));
        let latest = PackageRef { id: id.clone(), selector: Selector::Latest };
        let newest = match &wanted.selector {
            Selector::Latest => None,
            Selector::Exact(_) | Selector::Digest(_) => Some(self.ask_for(&latest, deadline)),
        };
        let hint = match newest {
            Some(Ok(Outcome::Missing(_))) => {
                return PackageError::NoSuchPackage { id, registry, hint: format!("{said}check the name; {private}") };
            }
            Some(Ok(Outcome::Found(answer))) => match self.read(answer, &latest, deadline) {
                Ok(newest) => format!("{said}the latest is {}", newest.version),
                Err(_) => format!("{said}check the version; {private}"),
            },
            Some(Err(_)) | None => format!("{said}check the name and the version; {private}"),
        };
        PackageError::NoSuchVersion { id, wanted: wanted.selector.to_string(), registry, hint }
    }

    /// Reads an answer about `wanted`, as carefully as a document of a directory.
    fn read(&self, answer: Answer, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        let limit = u64::try_from(limits::RESOLVE).unwrap_or(u64::MAX);
        let too_long = || PackageError::Document {
            subject: wanted.to_string(),
            problem: SafeText::new(&format!("it has more than {limit} bytes, the most that is read")),
        };
        if answer.length().is_some_and(|length| length > limit) {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        let read = answer.body(deadline).take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| {
            recover(error, |cause| PackageError::Registry {
                registry: self.location.to_string(),
                doing: "read its answer".to_owned(),
                cause,
            })
        })?;
        if bytes.len() > limits::RESOLVE {
            return Err(too_long());
        }
        if answer::begins_a_page(&bytes) {
            let (registry, problem) = (self.location.to_string(), HttpProblem::WebPage);
            return Err(PackageError::Http { registry, problem, via: self.via() });
        }
        let resolution = document::read(&bytes, wanted, &self.location)?;
        if wanted.selector == Selector::Latest {
            check_latest(&resolution)?;
        }
        Ok(resolution)
    }
}

/// What a registry calls the latest version is published, and has a place in the order of versions. One that may not
/// run at all is refused for that, later and by everybody.
fn check_latest(resolution: &Resolution) -> Result<(), PackageError> {
    let wrong = |what, expected: &str, found: &str| PackageError::Identity {
        what,
        expected: expected.to_owned(),
        found: SafeText::new(found),
    };
    if resolution.version.semver().is_none() {
        return Err(wrong("the version that the registry calls the latest", "SemVer", resolution.version.as_str()));
    }
    match &resolution.facts.status {
        Some(Status::Published | Status::Refused(_)) => Ok(()),
        Some(Status::Deprecated) => {
            Err(wrong("the status of what the registry calls the latest", "published", "deprecated"))
        }
        None => Err(wrong("the status of what the registry calls the latest", "published", "absent")),
    }
}

impl RegistryClient for HttpRegistry {
    fn resolve(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        match self.ask_for(wanted, deadline)? {
            Outcome::Found(answer) => self.read(answer, wanted, deadline),
            Outcome::Missing(said) => Err(self.missing(wanted, &said, deadline)),
        }
    }

    fn artifact(
        &self,
        id: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        let path = format!("/v1/org/{}/artifacts/{digest}/{artifact}", id.org);
        let answer = match self.ask(&path, "application/octet-stream, */*", deadline)? {
            Outcome::Found(answer) => answer,
            Outcome::Missing(_) => {
                return Err(PackageError::MissingBlob {
                    registry: self.location.to_string(),
                    artifact,
                    digest: *digest,
                });
            }
        };
        let limit = artifact.limit();
        if answer.length().is_some_and(|length| length > limit) {
            return Err(PackageError::TooLarge { artifact, label: id.to_string(), limit });
        }
        Ok(Box::new(answer.body(deadline)))
    }

    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError> {
        let registry = || self.location.to_string();
        // A package that nobody has: whether we are let in shows here, and not with the health.
        let path = "/v1/org/smcp-doctor/mcps/no-such-package/resolve?ref=0.0.0";
        drop(self.ask(path, "application/json", deadline)?);
        let health = match self.ask("/healthz", "application/json", deadline)? {
            Outcome::Missing(_) => None,
            Outcome::Found(answer) => {
                let mut bytes = Vec::new();
                let read = answer.body(deadline).take(HEALTH).read_to_end(&mut bytes);
                read.map_err(|cause| {
                    recover(cause, |cause| PackageError::Registry {
                        registry: registry(),
                        doing: "read its answer".to_owned(),
                        cause,
                    })
                })?;
                serde_json::from_slice::<serde_json::Value>(&bytes).ok()
            }
        };
        if health.is_some_and(|health| health.get("status").is_some_and(serde_json::Value::is_string)) {
            return Ok(());
        }
        Err(PackageError::Http { registry: registry(), problem: HttpProblem::NoRegistry, via: self.via() })
    }

    fn registry(&self) -> &Registry {
        &self.location
    }
}
