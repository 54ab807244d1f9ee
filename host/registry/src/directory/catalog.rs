//! The catalogue of a directory registry: every package, in order.
//!
//! Packages are read one after the other. Only the names of all owners and of one owner's packages are in memory.

use crate::directory::DirectoryRegistry;
use crate::directory::PACKAGES;
use crate::directory::list;
use crate::error::PackageError;
use smcp_model::deadline::Deadline;
use smcp_model::name::PackageId;
use smcp_model::name::PackageWord;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// A package in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The package.
    pub id: PackageId,
    /// The version that `latest` means; `None` when no version is published, or when there is a problem.
    pub latest: Option<Version>,
    /// Why the latest version can't be found.
    pub problem: Option<SafeText>,
}

impl DirectoryRegistry {
    /// Lists every package in the order of the names, with its latest version. The caller has to stop at the first error,
    /// so that a part is never taken for the whole.
    ///
    /// # Errors
    /// When the directory can't be read, or the deadline passes: at the start, or at any package.
    pub fn catalog<'r>(
        &'r self,
        deadline: &'r Deadline,
    ) -> Result<impl Iterator<Item = Result<Listed, PackageError>> + 'r, PackageError> {
        Ok(self.packages()?.map(move |id| {
            deadline.check()?;
            self.listed(id?, deadline)
        }))
    }

    fn listed(&self, id: PackageId, deadline: &Deadline) -> Result<Listed, PackageError> {
        match self.latest(&id, deadline) {
            Ok(entry) => Ok(Listed { id, latest: entry.map(|entry| entry.version), problem: None }),
            Err(PackageError::Timeout(expired)) => Err(expired.into()),
            Err(error) => {
                let problem = Some(SafeText::new(&error.sentence()));
                Ok(Listed { id, latest: None, problem })
            }
        }
    }

    /// Lists every package in the order of the names.
    pub(super) fn packages(&self) -> Result<impl Iterator<Item = Result<PackageId, PackageError>> + '_, PackageError> {
        let mut orgs = self.words(PACKAGES)?;
        // The order of the whole names: `a-b/x` comes before `a/x`.
        orgs.sort_by_key(|org| format!("{org}/"));
        Ok(orgs.into_iter().flat_map(|org| match self.words(&format!("{PACKAGES}/{org}")) {
            Ok(mut names) => {
                names.sort();
                let ids = names.into_iter().map(move |name| Ok(PackageId { org: org.clone(), name }));
                Box::new(ids) as Box<dyn Iterator<Item = Result<PackageId, PackageError>>>
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }))
    }

    /// Lists the names in a folder that are valid for owners or packages.
    fn words(&self, path: &str) -> Result<Vec<PackageWord>, PackageError> {
        let names = list(self.dir(), path).map_err(self.failed(format!("list `{path}`")))?;
        Ok(names.into_iter().filter_map(|name| name.parse().ok()).collect())
    }
}
