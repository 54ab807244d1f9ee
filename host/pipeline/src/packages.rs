//! The packages of a registry, as policies are told of them: `policy diff`.
//!
//! Only the names of the packages are in memory. Bundles are not fetched, so nothing of this can be started.

use std::fmt;

use crate::PipelineError;
use crate::Session;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::request::Subject;
use smcp_policy::request;
use smcp_registry as registry;
use smcp_registry::Listed;
use smcp_registry::RegistryClient;

/// The packages of a registry that lists them, in the order of their names.
pub struct PackageList {
    client: Box<dyn RegistryClient>,
    listed: std::vec::IntoIter<Listed>,
}

impl PackageList {
    /// Lists the packages of the session's registry; `None` when registries of its kind have no list.
    ///
    /// # Errors
    /// [`PipelineError::Package`] when it can't be read, or does not list them.
    pub fn of(session: &Session) -> Result<Option<Self>, PipelineError> {
        let listed: Vec<Listed> = match session.config().registry() {
            Registry::Directory(path) => {
                let directory = crate::open_directory(session.config().registry(), path)?;
                directory.catalog(&Deadline::none())?.collect::<Result<_, _>>()?
            }
            Registry::Oci(place) => session.images(place)?.catalog(&Deadline::after(limits::oci::LIST))?,
            // The first has no list; of the second, most packages can't be resolved, and a manifest lies in each bundle.
            Registry::Url(_) | Registry::Official(_) => return Ok(None),
        };
        Ok(Some(Self { client: session.registry()?, listed: listed.into_iter() }))
    }

    /// How many packages are left.
    pub fn left(&self) -> usize {
        self.listed.len()
    }

    /// Asks for the next package in its latest version, within `deadline`; the inner `None` is one of which no version is
    /// published.
    ///
    /// # Errors
    /// [`PipelineError::Package`] when it can't be read, or is not what it should be.
    pub fn next(&mut self, deadline: &Deadline) -> Result<Option<Option<Subject>>, PipelineError> {
        let Some(Listed { id, latest, problem }) = self.listed.next() else { return Ok(None) };
        // With a problem, the question for the latest version has the error itself.
        let selector = match (latest, problem) {
            (Some(version), _) => Selector::Exact(version),
            (None, Some(_)) => Selector::Latest,
            (None, None) => return Ok(Some(None)),
        };
        let resolution = self.client.resolve(&PackageRef { id, selector }, deadline)?;
        let (facts, manifest) = registry::describe(self.client.as_ref(), &resolution, deadline)?;
        let known = Subject { facts, ..request::resolved(&resolution) };
        Ok(Some(Some(request::with_manifest(known, &manifest))))
    }
}

impl fmt::Debug for PackageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageList").field("left", &self.left()).finish_non_exhaustive()
    }
}
