//! The packages in a registry of images, where it lists its repositories.

use crate::Listed;
use crate::error::PackageError;
use crate::error::RegistryProblem;
use crate::oci::OciRegistry;
use crate::oci::versions;
use smcp_model::deadline::Deadline;
use smcp_model::name::PackageId;
use smcp_model::text::SafeText;

impl OciRegistry {
    /// Lists every package below the prefix in the order of the names, with its latest version: one question for the names,
    /// and one for each package.
    ///
    /// # Errors
    /// When the registry has no list of its repositories, or can't be asked.
    pub fn catalog(&self, deadline: &Deadline) -> Result<Vec<Listed>, PackageError> {
        let Some(repositories) = self.nobodys.repositories(deadline)? else {
            return Err(RegistryProblem::NoCatalog.of(&self.location));
        };
        let mut ids: Vec<PackageId> = repositories.iter().filter_map(|name| self.place.package(name)).collect();
        ids.sort_by_cached_key(ToString::to_string);
        ids.dedup();
        ids.into_iter().map(|id| self.listed(id, deadline)).collect()
    }

    fn listed(&self, id: PackageId, deadline: &Deadline) -> Result<Listed, PackageError> {
        let versions = self.client(&id).and_then(|client| Ok(versions(&client, deadline)?));
        match versions {
            Ok(versions) => {
                let latest = versions.unwrap_or_default().into_iter().find(|version| version.semver().is_some());
                Ok(Listed { id, latest, problem: None })
            }
            Err(error @ (PackageError::Timeout(_) | PackageError::Silence { .. })) => Err(error),
            Err(error) if error.is_outage() => Err(error),
            Err(error) => Ok(Listed { id, latest: None, problem: Some(SafeText::new(&error.sentence())) }),
        }
    }
}
