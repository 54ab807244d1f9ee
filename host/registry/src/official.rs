//! A registry like the official MCP registry: its API, version 0.1, over HTTP.
//!
//! A package is a server `NAMESPACE/NAME`. What runs of it is its MCP bundle, which lies elsewhere and has the digest that
//! the registry says. Its manifest is in the bundle, so both have one digest. `entry` reads what the registry says of one
//! version, `pages` its lists.

mod catalog;
mod entry;
mod pages;
mod runnable;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Map;
use serde_json::Value;

use crate::Artifact;
use crate::RegistryClient;
use crate::asked::AskedRegistry;
use crate::directory;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::error::VersionProblem;
use crate::official::entry::ListedServer;
use crate::official::runnable::OfferedBundle;
use smcp_http::HttpOutcome;
use smcp_http::HttpRequest;
use smcp_http::HttpSettings;
use smcp_http::encoded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Status;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::limits::official;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryUrl;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;

/// The form of its answers.
const JSON: &str = "application/json";
/// Every list and version is asked for with those that were deleted: they are refused by name, and not as missing.
const DELETED_TOO: &str = "include_deleted=true";
/// What stands for a version in its own word for the latest.
const LATEST: &str = "latest";

/// A registry like the official one. Before the first request it neither connects nor reads certificates.
#[derive(Debug)]
pub struct OfficialRegistry {
    asked: AskedRegistry,
    /// When this is, in seconds since the Unix epoch: a certification has an end.
    now: u64,
    /// Where the bundles are that were resolved.
    places: RefCell<BTreeMap<Digest, String>>,
}

impl OfficialRegistry {
    /// The registry at `url`; `now` is the time in seconds since the Unix epoch.
    pub fn new(url: RegistryUrl, settings: HttpSettings, now: u64) -> Self {
        let asked = AskedRegistry::new(Registry::Official(url.clone()), url, settings);
        Self { asked, now, places: RefCell::default() }
    }

    /// Asks for a document below the registry's address; `None` when it has none there. `what` is the server that it is
    /// about, if it is about one.
    fn document(
        &self,
        path: &str,
        what: Option<&str>,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Option<Map<String, Value>>, PackageError> {
        let answer = match self.asked.client.get(&HttpRequest { path, accept: JSON }, deadline)? {
            HttpOutcome::Found(answer) => answer,
            HttpOutcome::Missing(_) => return Ok(None),
        };
        let invalid = |problem: SafeText| invalid(what, problem);
        let Some(bytes) = self.asked.document(answer, limit, deadline)? else {
            let problem = format!("it has more than {limit} bytes, the most that is read");
            return Err(invalid(SafeText::new(&problem)));
        };
        json::read(&bytes).map(Some).map_err(invalid)
    }

    fn exact(&self, wanted: &PackageRef, version: &Version, deadline: &Deadline) -> Result<ListedServer, PackageError> {
        let found = self.version(wanted, version.as_str(), deadline)?;
        found.ok_or_else(|| self.missing(wanted, deadline))
    }

    /// Asks for one version; `None` when there is none.
    fn version(
        &self,
        wanted: &PackageRef,
        version: &str,
        deadline: &Deadline,
    ) -> Result<Option<ListedServer>, PackageError> {
        let (name, version) = (encoded(&wanted.id.to_string()), encoded(version));
        let path = format!("/servers/{name}/versions/{version}?{DELETED_TOO}");
        let answer = self.document(&path, Some(&wanted.to_string()), limits::RESOLVE, deadline)?;
        let invalid = |problem: String| VersionProblem::Document(SafeText::new(&problem)).of(wanted);
        answer.map(|answer| ListedServer::read(&Value::Object(answer)).map_err(invalid)).transpose()
    }

    /// Lists the versions of a server in the registry's order; `None` when there is no such server.
    fn versions(&self, id: &PackageId, deadline: &Deadline) -> Result<Option<Vec<ListedServer>>, PackageError> {
        let path = format!("/servers/{}/versions", encoded(&id.to_string()));
        let invalid = |problem: &str| VersionProblem::Document(SafeText::new(problem)).of(id);
        let (mut listed, mut weight): (Vec<ListedServer>, usize) = (Vec::new(), 0);
        let found = self.pages(&path, DELETED_TOO, Some(&id.to_string()), deadline, &mut |entry| {
            let entry = ListedServer::read(entry).map_err(|problem| invalid(&problem))?;
            check_name(id, &entry)?;
            weight = weight.saturating_add(entry.weight());
            if weight > official::VERSIONS {
                return Err(invalid("what it says of its versions is more than is kept"));
            }
            if listed.iter().any(|other| other.version == entry.version) {
                return Err(invalid(&format!("it has version `{}` twice", SafeText::quoted(&entry.version))));
            }
            listed.push(entry);
            Ok(())
        })?;
        Ok(found.then_some(listed))
    }

    /// Finds the highest version that is active. What the registry calls its latest may be none, and is asked for only where it
    /// lists no versions: clients need no such list, so small registries have none.
    fn latest(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<ListedServer, PackageError> {
        let Some(listed) = self.versions(&wanted.id, deadline)? else {
            let named = self.version(wanted, LATEST, deadline)?;
            let named = named.ok_or_else(|| self.no_package(&wanted.id))?;
            let wrong = |what, expected: &str, found: &str| PackageError::Identity {
                what,
                expected: expected.to_owned(),
                found: SafeText::quoted(found),
            };
            return match &named.status {
                _ if named.semver().is_none() => {
                    Err(wrong("the version that the registry calls the latest", "SemVer", &named.version))
                }
                Some(Status::Deprecated) => {
                    Err(wrong("the status of what the registry calls the latest", "active", "deprecated"))
                }
                None | Some(Status::Published | Status::Refused(_)) => Ok(named),
            };
        };
        let hint = hint(&listed);
        let is_active = |entry: &ListedServer| matches!(entry.status, None | Some(Status::Published));
        let newest = listed.into_iter().filter(is_active).filter_map(|entry| Some((entry.rank()?, entry)));
        let newest = newest.max_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, entry)| entry);
        newest.ok_or_else(|| {
            let hint = format!("`latest` is the highest SemVer that is active\n  {hint}");
            self.no_version(wanted, hint)
        })
    }

    fn by_digest(
        &self,
        wanted: &PackageRef,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<ListedServer, PackageError> {
        let Some(mut listed) = self.versions(&wanted.id, deadline)? else { return Err(self.no_package(&wanted.id)) };
        let hint = hint(&listed);
        listed.retain(|entry| entry.bundles().any(|bundle| bundle.digest == *digest));
        if listed.len() > 1 {
            let versions: Vec<String> =
                listed.iter().map(|entry| SafeText::quoted_value(&entry.version).to_string()).collect();
            let versions = versions.join(", ");
            return Err(VersionProblem::AmbiguousDigest { digest: *digest, versions }.of(&wanted.id));
        }
        listed.pop().ok_or_else(|| self.no_version(wanted, hint))
    }

    /// Makes the answer of what the registry says of a version.
    fn resolution(&self, wanted: &PackageRef, entry: &ListedServer) -> Result<Resolution, PackageError> {
        check_name(&wanted.id, entry)?;
        let version: Version = entry.version.parse().map_err(|_| {
            let problem = format!("`server.version` is `{}`, which is no version", SafeText::quoted(&entry.version));
            VersionProblem::Document(SafeText::new(&problem)).of(wanted)
        })?;
        if let Selector::Exact(exact) = &wanted.selector
            && *exact != version
        {
            return Err(PackageError::Identity {
                what: "the version in the registry's answer",
                expected: exact.to_string(),
                found: SafeText::new(version.as_str()),
            });
        }
        let label = format!("{}@{version}", wanted.id);
        let wanted_digest = if let Selector::Digest(digest) = &wanted.selector { Some(digest) } else { None };
        let OfferedBundle { digest, url } =
            entry.runnable(wanted_digest).map_err(|why| VersionProblem::NotRunnable(why).of(&label))?;
        self.places.borrow_mut().insert(*digest, url.clone());
        Ok(Resolution {
            id: wanted.id.clone(),
            version,
            registry: self.asked.location.clone(),
            facts: entry.facts(digest, self.now),
            manifest_digest: *digest,
            bundle_digest: *digest,
            bundle_size: None,
            image_digest: None,
        })
    }

    /// Makes the error for a missing server or version; it lists what there is instead.
    fn missing(&self, wanted: &PackageRef, deadline: &Deadline) -> PackageError {
        match self.versions(&wanted.id, deadline) {
            Ok(None) => self.no_package(&wanted.id),
            Ok(Some(listed)) => self.no_version(wanted, hint(&listed)),
            Err(error) => {
                tracing::info!(%error, "the versions that there are instead can't be listed");
                self.no_version(wanted, "check the name and the version".to_owned())
            }
        }
    }

    fn no_package(&self, id: &PackageId) -> PackageError {
        let hint = "names are NAMESPACE/NAME, such as io.github.user/server, and capital letters count".to_owned();
        RegistryProblem::NoSuchPackage { id: id.clone(), hint }.of(&self.asked.location)
    }

    fn no_version(&self, wanted: &PackageRef, hint: String) -> PackageError {
        let (id, wanted) = (wanted.id.clone(), wanted.selector.to_string());
        RegistryProblem::NoSuchVersion { id, wanted, hint }.of(&self.asked.location)
    }
}

/// The error about an answer that is none: about a server, or about the list of all.
fn invalid(what: Option<&str>, problem: SafeText) -> PackageError {
    match what {
        Some(what) => VersionProblem::Document(problem).of(what),
        None => VersionProblem::List(problem).of(""),
    }
}

/// Says which versions there are.
fn hint(listed: &[ListedServer]) -> String {
    let usable: Vec<&str> = listed.iter().filter_map(ListedServer::named_version).collect();
    if usable.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has: {}", directory::listed(&usable, usable.len()))
    }
}

/// Checks that an entry is about the server that was asked for.
fn check_name(id: &PackageId, entry: &ListedServer) -> Result<(), PackageError> {
    if entry.name == id.to_string() {
        return Ok(());
    }
    Err(PackageError::Identity {
        what: "the server in the registry's answer",
        expected: id.to_string(),
        found: SafeText::quoted(&entry.name),
    })
}

/// Says why a registry of this kind can't have a package of that name.
fn unfit(id: &PackageId) -> Option<&'static str> {
    if id.org.as_str().contains('_') {
        return Some("a namespace has no `_`");
    }
    (id.to_string().len() > official::NAME).then_some("a name has at most 200 characters")
}

impl RegistryClient for OfficialRegistry {
    fn resolve(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        deadline.check()?;
        if let Some(why) = unfit(&wanted.id) {
            let hint = format!("it can't be in a registry like the official one: {why}");
            return Err(RegistryProblem::NoSuchPackage { id: wanted.id.clone(), hint }.of(&self.asked.location));
        }
        let entry = match &wanted.selector {
            Selector::Exact(version) => self.exact(wanted, version, deadline)?,
            Selector::Latest => self.latest(wanted, deadline)?,
            Selector::Digest(digest) => self.by_digest(wanted, digest, deadline)?,
        };
        self.resolution(wanted, &entry)
    }

    fn artifact(
        &self,
        id: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        let place = self.places.borrow().get(digest).cloned().ok_or_else(|| self.asked.no_file(artifact, digest))?;
        let outcome = self.asked.client.get_led(&place, "application/octet-stream, */*", deadline)?;
        self.asked.file(outcome, (id, artifact, digest), deadline)
    }

    /// A registry of this kind has none.
    fn statements(&self, _: &Resolution, _: &Deadline) -> Result<ArrivedStatements, PackageError> {
        Ok(ArrivedStatements::default())
    }

    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError> {
        let path = "/servers?limit=1";
        let answer = self.document(path, None, official::PAGE, deadline)?;
        if answer.is_some_and(|answer| answer.get("servers").is_some_and(Value::is_array)) {
            return Ok(());
        }
        Err(self.asked.other_service("/servers"))
    }

    fn registry(&self) -> &Registry {
        &self.asked.location
    }
}
