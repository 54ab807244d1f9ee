//! A directory registry in the words of the official MCP registry's API.
//!
//! Clients that know such registries can list what a company has. They can't start it from there: its packages are bundles
//! that smcp alone verifies and unpacks, and no kind of package that they know.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::Artifact;
use crate::RegistryClient as _;
use crate::directory::DirectoryRegistry;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use smcp_bundle::manifest;
use smcp_bundle::manifest::Platform;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::facts::Facts;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::json as model_json;
use smcp_model::limits;
use smcp_model::limits::official;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// The schema of what is said of a server.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// The most letters of a description that the schema allows.
const DESCRIPTION: usize = 100;

/// What a list of servers is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerQuery {
    /// The server and version behind which it goes on.
    pub after: Option<(PackageId, Version)>,
    /// How many entries at most.
    pub limit: usize,
    /// What the names have in them, in small letters.
    pub search: Option<String>,
    /// Only the latest version of each, or this one of each.
    pub version: Option<Selector>,
    /// Whether versions that never run are listed, too.
    pub deleted_too: bool,
}

/// Entries of a list, and what is wrong with those that are missing in it.
#[derive(Debug, Default)]
pub struct ListedServers {
    /// The document.
    pub document: Value,
    /// What the operator should know.
    pub problems: Vec<String>,
}

impl DirectoryRegistry {
    /// Returns a page of the list of servers, in the order of their names, the highest versions first.
    ///
    /// # Errors
    /// When the directory can't be read, or the deadline passes.
    pub fn servers(&self, query: &ServerQuery, deadline: &Deadline) -> Result<ListedServers, PackageError> {
        let ServerQuery { after, limit, search, version, deleted_too } = query;
        let mut page = PageOfServers::default();
        for id in self.packages()? {
            deadline.check()?;
            let (id, after) = (id?, after.as_ref());
            let name = id.to_string();
            // The order of the whole names, as `packages` has it.
            let is_before = after.is_some_and(|(at, _)| name < at.to_string());
            let is_wanted = search.as_ref().is_none_or(|search| name.to_lowercase().contains(search));
            if is_before || !is_wanted || !is_nameable(&id) {
                continue;
            }
            let passed = after.filter(|(at, _)| *at == id).map(|(_, version)| version);
            let Some((latest, versions)) = page.told(self.known(&id, deadline))? else { continue };
            for found in versions.iter().skip_while(|found| passed.is_some_and(|at| rank(found) >= rank(at))) {
                let is_latest = latest.as_ref() == Some(found);
                let fits = match version {
                    None => true,
                    Some(Selector::Latest) => is_latest,
                    Some(Selector::Exact(exact)) => exact == found,
                    Some(Selector::Digest(_)) => false,
                };
                if !fits {
                    continue;
                }
                let entry = page.told(self.described(&id, found, is_latest, *deleted_too, deadline))?.flatten();
                page.entries.extend(entry);
                if page.entries.len() >= *limit {
                    // What follows may be nothing, which the next page says.
                    return Ok(page.document(Some(format!("{id}@{found}"))));
                }
            }
        }
        Ok(page.document(None))
    }

    /// Returns every version of a server, the highest first; `None` when there is no such server.
    ///
    /// # Errors
    /// When the directory can't be read, or the deadline passes.
    pub fn server_versions(
        &self,
        id: &PackageId,
        deleted_too: bool,
        deadline: &Deadline,
    ) -> Result<Option<ListedServers>, PackageError> {
        let (latest, versions) = self.known(id, deadline)?;
        if versions.is_empty() || !is_nameable(id) {
            return Ok(None);
        }
        let mut page = PageOfServers::default();
        for found in &versions {
            deadline.check()?;
            let is_latest = latest.as_ref() == Some(found);
            let entry = page.told(self.described(id, found, is_latest, deleted_too, deadline))?.flatten();
            page.entries.extend(entry);
        }
        Ok(Some(page.document(None)))
    }

    /// Returns what is said of one version; `None` when there is none.
    ///
    /// # Errors
    /// When the directory can't be read, or the deadline passes.
    pub fn server(
        &self,
        wanted: &PackageRef,
        deleted_too: bool,
        deadline: &Deadline,
    ) -> Result<Option<Value>, PackageError> {
        let PackageRef { id, selector } = wanted;
        if !is_nameable(id) {
            return Ok(None);
        }
        let latest = self.latest(id, deadline)?.map(|entry| entry.version);
        let found = match selector {
            Selector::Exact(version) => Some(version.clone()),
            Selector::Latest => latest.clone(),
            Selector::Digest(_) => None,
        };
        let Some(found) = found else { return Ok(None) };
        self.described(id, &found, latest.as_ref() == Some(&found), deleted_too, deadline)
    }

    /// The error about a server that is not there.
    pub fn no_server(&self, id: &PackageId) -> PackageError {
        let hint = "names are NAMESPACE/NAME".to_owned();
        RegistryProblem::NoSuchPackage { id: id.clone(), hint }.of(self.registry())
    }

    /// The error about a version that is not there, or not shown.
    pub fn no_server_version(&self, wanted: &PackageRef) -> PackageError {
        let PackageRef { id, selector } = wanted;
        let is_there = is_nameable(id) && self.versions(id).is_ok_and(|versions| !versions.is_empty());
        if !is_there {
            return self.no_server(id);
        }
        let hint = "its list of versions says which there are".to_owned();
        RegistryProblem::NoSuchVersion { id: id.clone(), wanted: selector.to_string(), hint }.of(self.registry())
    }

    /// The versions of a package, the highest first, and the one that `latest` means.
    fn known(&self, id: &PackageId, deadline: &Deadline) -> Result<(Option<Version>, Vec<Version>), PackageError> {
        Ok((self.latest(id, deadline)?.map(|entry| entry.version), self.versions(id)?))
    }

    /// Describes a version; `None` when it is not there, or never runs and is not asked for.
    fn described(
        &self,
        id: &PackageId,
        version: &Version,
        is_latest: bool,
        deleted_too: bool,
        deadline: &Deadline,
    ) -> Result<Option<Value>, PackageError> {
        let Some(entry) = self.entry(id, version)? else { return Ok(None) };
        let status = match &entry.facts.status {
            None => None,
            Some(Status::Published) => Some("active"),
            Some(Status::Deprecated) => Some("deprecated"),
            Some(Status::Refused(_)) => Some("deleted"),
        };
        if status == Some("deleted") && !deleted_too {
            return Ok(None);
        }
        let Resolution { manifest_digest, bundle_digest, facts, .. } = entry;
        let (package, facts) = self.manifest_of(&manifest_digest, facts, deadline)?;
        let said = |key: &str| package.get(key).and_then(Value::as_str);
        let description = said("description").map(|text| SafeText::new(text).to_string());
        let description: String = description.unwrap_or_default().chars().take(DESCRIPTION).collect();
        let description = if description.trim().is_empty() { format!("the package {id}") } else { description };
        let description: String = description.chars().take(DESCRIPTION).collect();
        let mut server =
            json!({"$schema": SCHEMA, "name": id.to_string(), "description": description, "version": version.as_str()});
        let mut words = json!({"isLatest": is_latest});
        if let Value::Object(server) = &mut server
            && let Some(place) = said("repository").filter(|place| is_address(place))
        {
            let source = if place.starts_with("https://github.com/") { "github" } else { "git" };
            server.insert("repository".to_owned(), json!({"url": place, "source": source}));
        }
        if let (Value::Object(words), Some(status)) = (&mut words, status) {
            words.insert("status".to_owned(), status.into());
        }
        let certification = certification(&bundle_digest, &facts);
        Ok(Some(json!({
            "server": server,
            "_meta": {
                "io.modelcontextprotocol.registry/official": words,
                "info.mcp-hub/certification": certification,
            },
        })))
    }

    /// Reads the manifest of a version: its `package`, and the facts with what it adds to them.
    fn manifest_of(
        &self,
        digest: &Digest,
        facts: Facts,
        deadline: &Deadline,
    ) -> Result<(Map<String, Value>, Facts), PackageError> {
        let failed = |cause| self.failed(format!("read the manifest {digest}"))(cause);
        let (file, _) = self.verified(Artifact::Manifest, digest, deadline)?;
        let Some(bytes) = bounded::read_within(file, limits::MANIFEST, 0).map_err(failed)? else {
            return Ok((Map::new(), facts));
        };
        let certification = manifest::read(&bytes, Platform::current()).ok().and_then(|read| read.certification);
        let mut document: Map<String, Value> = model_json::read(&bytes).unwrap_or_default();
        let package = document.remove("package");
        let package = package.and_then(|package| if let Value::Object(it) = package { Some(it) } else { None });
        Ok((package.unwrap_or_default(), manifest::believe(certification.as_ref(), facts)))
    }
}

/// A page that is being made.
#[derive(Debug, Default)]
struct PageOfServers {
    entries: Vec<Value>,
    problems: Vec<String>,
}

impl PageOfServers {
    /// Passes over what is damaged, and notes it: it does no harm to the others. The end of the time ends all.
    fn told<T>(&mut self, found: Result<T, PackageError>) -> Result<Option<T>, PackageError> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.exit_kind() == ExitKind::Timeout => Err(error),
            Err(error) => {
                self.problems.push(error.sentence());
                Ok(None)
            }
        }
    }

    fn document(self, next: Option<String>) -> ListedServers {
        let Self { entries, problems } = self;
        let mut metadata = json!({"count": entries.len()});
        if let (Value::Object(metadata), Some(next)) = (&mut metadata, next) {
            metadata.insert("nextCursor".to_owned(), next.into());
        }
        ListedServers { document: json!({"servers": entries, "metadata": metadata}), problems }
    }
}

/// What the registry says of a bundle, bound to its digest.
fn certification(bundle: &Digest, facts: &Facts) -> Value {
    let mut said = Map::new();
    let findings = facts.findings.map(|SeverityCounts { critical, high, medium, low }| {
        json!({"critical": critical, "high": high, "medium": medium, "low": low})
    });
    let known = [
        ("subject_digest", Some(json!(bundle))),
        ("origin", facts.origin.as_ref().map(|origin| json!(origin.word()))),
        ("level", facts.cert_level.map(|level| json!(level))),
        ("score", facts.score.map(|score| json!(score.get()))),
        ("findings", findings),
    ];
    said.extend(known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(said)
}

/// Whether the API can have a server of that name.
fn is_nameable(id: &PackageId) -> bool {
    !id.org.as_str().contains('_') && id.to_string().len() <= official::NAME
}

/// Whether a text is an address that a client may show.
fn is_address(text: &str) -> bool {
    text.starts_with("https://") && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Where a version stands among others, as `versions` has them.
fn rank(version: &Version) -> impl Ord + use<> {
    (version.semver(), version.as_str().to_owned())
}
