//! The servers of a registry, each with its latest version.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::Listed;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::official::OfficialRegistry;
use crate::official::entry::ListedServer;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Status;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// What is asked for: one version of each server. A registry that gives all of them is read as well.
const LATEST: &str = "version=latest";

impl OfficialRegistry {
    /// Lists every server in the order of the names, with the highest version that is listed and active. Returns also how
    /// many entries have a name that no reference can have.
    ///
    /// # Errors
    /// When the registry can't be asked, or its list is none.
    pub fn catalog(&self, deadline: &Deadline) -> Result<(Vec<Listed>, usize), PackageError> {
        // Each with whether the registry says of its latest version that it is active.
        let mut listed: BTreeMap<String, (Listed, bool)> = BTreeMap::new();
        let mut unnamed = 0_usize;
        // Digests have one length; names and versions have what length somebody chose.
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        let found = self.pages("/servers", LATEST, None, deadline, &mut |entry| {
            let name = entry.get("server").and_then(|server| server.get("name")?.as_str());
            let Some(id) = name.and_then(|name| name.parse::<PackageId>().ok()) else {
                unnamed = unnamed.saturating_add(1);
                return Ok(());
            };
            let (known, is_stated) =
                listed.entry(id.to_string()).or_insert((Listed { id, latest: None, problem: None }, false));
            match ListedServer::read(entry) {
                Ok(entry) if !seen.insert(Digest::of(format!("{}@{}", entry.name, entry.version).as_bytes())) => {
                    let twice = format!("it has version `{}` twice", SafeText::quoted(&entry.version));
                    known.problem = Some(SafeText::new(&twice));
                }
                Ok(entry) => {
                    let is_active = matches!(entry.status, None | Some(Status::Published));
                    let version: Option<Version> = entry.version.parse().ok();
                    let version = version.filter(|version| is_active && version.semver().is_some());
                    let now = (entry.status.is_some(), version.as_ref().map(Version::semver));
                    if version.is_some() && now > (*is_stated, known.latest.as_ref().map(Version::semver)) {
                        (known.latest, *is_stated) = (version, entry.status.is_some());
                    }
                }
                // One that is damaged does no harm to the others.
                Err(problem) => known.problem = Some(SafeText::new(&problem)),
            }
            Ok(())
        })?;
        if !found {
            return Err(RegistryProblem::NoCatalog.of(&self.asked.location));
        }
        // What a part of a server's entries says is not its latest version.
        let whole = |(listed, _): (Listed, bool)| Listed {
            latest: listed.latest.filter(|_| listed.problem.is_none()),
            ..listed
        };
        Ok((listed.into_values().map(whole).collect(), unnamed))
    }
}
