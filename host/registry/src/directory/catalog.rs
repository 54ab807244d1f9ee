//! The catalogue of a directory registry: every package, in order.
//!
//! One after the other: owners are held in memory, and the names of one owner; packages are not.

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
    /// Which package.
    pub id: PackageId,
    /// What `latest` means for it; none when nothing is published, or when that can't be known.
    pub latest: Option<Version>,
    /// Why it can't be known.
    pub problem: Option<SafeText>,
}

impl DirectoryRegistry {
    /// Every package in the order of its name, with its latest version. The end of the first error is the end of it all:
    /// a part is never taken for the whole.
    ///
    /// # Errors
    /// When the directory can't be read, or time is over; at the beginning, and with each package.
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

    /// Every package in the order of its name.
    pub(super) fn packages(&self) -> Result<impl Iterator<Item = Result<PackageId, PackageError>> + '_, PackageError> {
        let mut orgs = self.words(PACKAGES)?;
        // As whole names sort: `a-b/x` comes before `a/x`.
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

    /// The names of a folder that are names of owners or packages.
    fn words(&self, path: &str) -> Result<Vec<PackageWord>, PackageError> {
        let names = list(self.dir(), path).map_err(self.failed(format!("list `{path}`")))?;
        Ok(names.into_iter().filter_map(|name| name.parse().ok()).collect())
    }
}
