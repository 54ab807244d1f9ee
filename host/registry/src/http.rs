//! A remote registry: the real registry's API, over HTTP.
//!
//! `docs/registry.md` has the API. [`document`](crate::document) and [`fetch`](crate::fetch()) check the body of an
//! answer; `smcp-http` handles everything before the body.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Map;
use serde_json::Value;

use crate::Artifact;
use crate::Listed;
use crate::RegistryClient;
use crate::answered_statements;
use crate::asked::AskedRegistry;
use crate::document;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use smcp_http::HttpAnswer;
use smcp_http::HttpError;
use smcp_http::HttpOutcome;
use smcp_http::HttpProblem;
use smcp_http::HttpRequest;
use smcp_http::HttpSettings;
use smcp_http::ServerMessage;
use smcp_http::encoded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Status;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::limits::statements;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryUrl;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;

/// The most bytes of the list of all packages: some hundred for each.
const CATALOG: usize = 64 * 1024 * 1024;
/// The most bytes that are read of a health answer: it consists of one word.
const HEALTH: usize = 4096;

/// The path of the health answer, which every registry has.
const HEALTH_PATH: &str = "/healthz";
/// The status by which a registry says that the statements about a version can't be read.
const UNREADABLE: u16 = 422;

/// A remote registry. Before the first request it neither connects nor reads certificates.
#[derive(Debug)]
pub struct HttpRegistry {
    asked: AskedRegistry,
}

impl HttpRegistry {
    /// The registry at `url`.
    pub fn new(url: RegistryUrl, settings: HttpSettings) -> Self {
        Self { asked: AskedRegistry::new(Registry::Url(url.clone()), url, settings) }
    }

    fn ask(&self, path: &str, accept: &'static str, deadline: &Deadline) -> Result<HttpOutcome, HttpError> {
        self.asked.client.get(&HttpRequest { path, accept }, deadline)
    }

    fn ask_for(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<HttpOutcome, HttpError> {
        let (org, name) = (&wanted.id.org, &wanted.id.name);
        let reference = encoded(&wanted.selector.to_string());
        self.ask(&format!("/v1/org/{org}/mcps/{name}/resolve?ref={reference}"), "application/json", deadline)
    }

    /// Lists every package, with its latest version as far as the registry says. It is asked for the others.
    ///
    /// # Errors
    /// When it can't be asked, has no list, or one that is not right: a part is never taken for the whole.
    pub fn catalog(&self, deadline: &Deadline) -> Result<Vec<Listed>, PackageError> {
        let HttpOutcome::Found(answer) = self.ask("/v1/catalog", "application/json", deadline)? else {
            return Err(RegistryProblem::NoCatalog.of(&self.asked.location));
        };
        let invalid = |problem: SafeText| VersionProblem::List(problem).of("");
        let most = CATALOG;
        let too_long = || invalid(SafeText::new(&format!("it has more than {most} bytes, the most that is read")));
        let bytes = self.asked.document(answer, most, deadline)?.ok_or_else(too_long)?;
        let document: Map<String, Value> = json::read(&bytes).map_err(invalid)?;
        let packages = document.get("packages").and_then(Value::as_array);
        let packages = packages.ok_or_else(|| invalid(SafeText::new("it has no `packages`")))?;
        let mut listed = BTreeMap::new();
        for (entry, number) in packages.iter().zip(1..) {
            let word = |key| entry.get(key).and_then(Value::as_str);
            let id = word("package").and_then(|name| name.parse::<PackageId>().ok());
            let latest = word("latest_version").map(str::parse).transpose();
            let (Some(id), Ok(latest)) = (id, latest) else {
                return Err(invalid(SafeText::new(&format!("its package {number} has no name or no version"))));
            };
            let problem = latest.is_none().then(|| SafeText::new("the registry does not say its latest version"));
            let twice = format!("it has {id} twice");
            if listed.insert(id.to_string(), Listed { id, latest, problem }).is_some() {
                return Err(invalid(SafeText::new(&twice)));
            }
        }
        Ok(listed.into_values().collect())
    }

    /// Makes the error for a missing package or version. A second request finds out which of the two is missing; without
    /// an answer to that, the error is about the version.
    fn missing(&self, wanted: &PackageRef, message: &ServerMessage, deadline: &Deadline) -> PackageError {
        let id = wanted.id.clone();
        let private = "a private package is there only for those who are logged in: smcp login";
        let message = message.0.as_ref().map_or_else(String::new, |text| format!("the registry says: {text}\n  "));
        let latest = PackageRef { id: id.clone(), selector: Selector::Latest };
        let newest = match &wanted.selector {
            Selector::Latest => None,
            Selector::Exact(_) | Selector::Digest(_) => Some(self.ask_for(&latest, deadline)),
        };
        let hint = match newest {
            Some(Ok(HttpOutcome::Missing(_))) => {
                let hint = format!("{message}check the name; {private}");
                return RegistryProblem::NoSuchPackage { id, hint }.of(&self.asked.location);
            }
            Some(Ok(HttpOutcome::Found(answer))) => match self.read(answer, &latest, deadline) {
                Ok(newest) => format!("{message}the latest is {}", newest.version),
                Err(_) => format!("{message}check the version; {private}"),
            },
            Some(Err(_)) | None => format!("{message}check the name and the version; {private}"),
        };
        RegistryProblem::NoSuchVersion { id, wanted: wanted.selector.to_string(), hint }.of(&self.asked.location)
    }

    /// Reads an answer about `wanted`, with the same checks as a document of a directory.
    fn read(&self, answer: HttpAnswer, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        let limit = limits::RESOLVE;
        let Some(bytes) = self.asked.document(answer, limit, deadline)? else {
            let problem = SafeText::new(&format!("it has more than {limit} bytes, the most that is read"));
            return Err(VersionProblem::Document(problem).of(wanted));
        };
        let resolution = document::read(&bytes, wanted, &self.asked.location)?;
        if wanted.selector == Selector::Latest {
            check_latest(&resolution)?;
        }
        Ok(resolution)
    }
}

/// Checks the version that a registry calls the latest: it has to be SemVer, and published. A status that forbids every
/// run is accepted here, since it is refused later in any case.
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
            HttpOutcome::Found(answer) => self.read(answer, wanted, deadline),
            HttpOutcome::Missing(message) => Err(self.missing(wanted, &message, deadline)),
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
        let outcome = self.ask(&path, "application/octet-stream, */*", deadline)?;
        self.asked.file(outcome, (id, artifact, digest), deadline)
    }

    fn statements(&self, resolution: &Resolution, deadline: &Deadline) -> Result<ArrivedStatements, PackageError> {
        let (org, name) = (&resolution.id.org, &resolution.id.name);
        let (version, manifest) = (encoded(resolution.version.as_str()), &resolution.manifest_digest);
        let path = format!("/v1/org/{org}/mcps/{name}/statements?ref={version}&manifest={manifest}");
        let refused = |problem: SafeText| VersionProblem::Statements(problem).of(resolution.label());
        let answer = match self.ask(&path, "application/json", deadline) {
            Ok(HttpOutcome::Found(answer)) => answer,
            // Most registries have none, nor this path.
            Ok(HttpOutcome::Missing(_)) => return Ok(ArrivedStatements::default()),
            Err(HttpError::Server(error)) => {
                // A registry that is there and can't read them: none of those that are kept takes their place.
                let HttpProblem::Unexpected { status: UNREADABLE, message } = &error.problem else {
                    return Err(HttpError::Server(error).into());
                };
                return Err(refused(SafeText::new(&format!("the registry can't read them{message}"))));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(bytes) = self.asked.document(answer, statements::ANSWER, deadline)? else {
            let most = statements::ANSWER;
            return Err(refused(SafeText::new(&format!("the answer has more than {most} bytes"))));
        };
        answered_statements::read(&bytes).map_err(refused)
    }

    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError> {
        // A package that does not exist: unlike the health, this request needs the log-in.
        let path = "/v1/org/smcp-doctor/mcps/no-such-package/resolve?ref=0.0.0";
        drop(self.ask(path, "application/json", deadline)?);
        let health = match self.ask(HEALTH_PATH, "application/json", deadline)? {
            HttpOutcome::Missing(_) => None,
            HttpOutcome::Found(answer) => self
                .asked
                .body(answer, HEALTH, deadline)?
                .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok()),
        };
        if health.is_some_and(|health| health.get("status").is_some_and(serde_json::Value::is_string)) {
            return Ok(());
        }
        Err(self.asked.other_service(HEALTH_PATH))
    }

    fn registry(&self) -> &Registry {
        &self.asked.location
    }
}
