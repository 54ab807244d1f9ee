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
    /// Whether a manifest is more than a part of the bundle.
    has_manifests: bool,
    not_runnable: u64,
    /// Whether the list says why a package has no latest version.
    says_why: bool,
}

impl PackageList {
    /// Lists the packages of the session's registry.
    ///
    /// # Errors
    /// [`PipelineError::Package`] when it can't be read, or does not list them.
    pub fn of(session: &Session) -> Result<Self, PipelineError> {
        let listed: Vec<Listed> = match session.config().registry() {
            Registry::Directory(path) => {
                let directory = crate::open_directory(session.config().registry(), path)?;
                directory.catalog(&Deadline::none())?.collect::<Result<_, _>>()?
            }
            Registry::Oci(place) => session.images(place)?.catalog(&Deadline::after(limits::oci::LIST))?,
            Registry::Official(url) => session.official(url)?.catalog(&Deadline::after(limits::oci::LIST))?.0,
            Registry::Url(url) => session.remote(url)?.catalog(&Deadline::after(limits::oci::LIST))?,
        };
        let (client, listed) = (session.registry()?, listed.into_iter());
        let has_manifests = !matches!(session.config().registry(), Registry::Official(_));
        let says_why = !matches!(session.config().registry(), Registry::Url(_));
        Ok(Self { client, listed, has_manifests, not_runnable: 0, says_why })
    }

    /// How many packages are left.
    pub fn left(&self) -> usize {
        self.listed.len()
    }

    /// How many packages so far are of kinds that smcp does not run.
    pub const fn not_runnable(&self) -> u64 {
        self.not_runnable
    }

    /// Asks for the next package in its latest version, within `deadline`; the inner `None` is one of which no version is
    /// published, or none that could run.
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
        let says_why = selector != Selector::Latest || self.says_why;
        let resolution = match self.client.resolve(&PackageRef { id, selector }, deadline) {
            Err(error) if !says_why && error.is_absence() => return Ok(Some(None)),
            // Most of what such a registry lists is packages of other kinds, which no start gets as far as a policy with.
            Err(error) if !self.has_manifests && error.is_not_runnable() => {
                self.not_runnable = self.not_runnable.saturating_add(1);
                return Ok(Some(None));
            }
            resolution => resolution?,
        };
        if !self.has_manifests {
            return Ok(Some(Some(request::resolved(&resolution))));
        }
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
