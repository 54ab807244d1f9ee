//! The folder of a package's files while it runs, and where such files stay.
//!
//! The folder is in that which the configuration names, else in the cache. Where the cache can only be read, it is in the
//! system's runtime folder. Unpacked bundles stay in the cache, when runs are there, too.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::PipelineError;
use crate::Session;
use smcp_authority as authority;
use smcp_bundle::Keeper;
use smcp_code::UserSeal;
use smcp_store::RunFolder;
use smcp_store::Runs;
use smcp_store::StoreError;
use smcp_store::Trees;

/// Where unpacked bundles stay.
#[derive(Debug)]
pub(crate) struct KeptFiles {
    trees: Trees,
    seal: UserSeal,
}

impl KeptFiles {
    /// The same as a loan.
    pub(crate) fn keeper(&self) -> Keeper<'_> {
        Keeper { trees: &self.trees, seal: &self.seal }
    }
}

/// The name of smcp's folder in the system's folder.
const FOLDER: &str = "smcp";

impl Session {
    /// Makes a new folder for one run. With `sweep`, removes what dead runs left beside it.
    ///
    /// # Errors
    /// When no folder can be made.
    pub(crate) fn run_folder(&self, sweep: bool) -> Result<RunFolder, PipelineError> {
        let made = |runs: Runs| {
            if sweep {
                runs.sweep();
            }
            runs.folder()
        };
        if let Some(path) = self.config().runtime_dir() {
            return Ok(self.runs_at(path).and_then(made)?);
        }
        match (self.cache()?.runs().and_then(made), self.system_folder()) {
            (Err(error), Some(elsewhere)) if error.is_read_only() => {
                tracing::debug!(%error, "the cache can only be read; the run's files are elsewhere");
                Ok(self.runs_at(&elsewhere.join(FOLDER)).and_then(made)?)
            }
            (folder, _) => Ok(folder?),
        }
    }

    /// Returns where unpacked bundles stay; `None` where each start unpacks. With `make`, makes it if it is missing.
    ///
    /// # Errors
    /// When there is no cache that can be used.
    pub(crate) fn trees(&self, make: bool) -> Result<Option<KeptFiles>, PipelineError> {
        if self.config().runtime_dir().is_some() {
            return Ok(None);
        }
        Ok(self.open_trees(make)?.unwrap_or_else(|error| {
            tracing::info!(%error, "unpacked bundles are not kept");
            None
        }))
    }

    /// Does the same for the cache, whatever is configured, and returns why it can't.
    ///
    /// # Errors
    /// When there is no cache that can be used.
    pub(crate) fn open_trees(&self, make: bool) -> Result<io::Result<Option<KeptFiles>>, PipelineError> {
        let (cache, places) = (self.cache()?, self.code_places());
        let found = if make {
            cache.make_trees().and_then(|trees| Ok(Some((trees, UserSeal::made(&places)?))))
        } else {
            cache.trees().and_then(|trees| match trees {
                Some(trees) => Ok(UserSeal::existing(&places)?.map(|seal| (trees, seal))),
                None => Ok(None),
            })
        };
        Ok(found.map(|found| found.map(|(trees, seal)| KeptFiles { trees, seal })))
    }

    /// Removes what dead runs left outside the cache.
    pub(crate) fn sweep_elsewhere(&self) {
        let elsewhere = self.config().runtime_dir().map(Path::to_path_buf);
        let Some(path) = elsewhere.or_else(|| self.system_folder().map(|path| path.join(FOLDER))) else { return };
        // The folder is not made only to be swept.
        if authority::open_dir(&path).is_ok()
            && let Ok(runs) = self.runs_at(&path)
        {
            runs.sweep();
        }
    }

    /// The folder that the system keeps for what this user runs.
    fn system_folder(&self) -> Option<PathBuf> {
        authority::runtime_dir(self.system().variable("XDG_RUNTIME_DIR"))
    }

    fn runs_at(&self, path: &Path) -> Result<Runs, StoreError> {
        let dir = authority::create_dir(path).map_err(|cause| StoreError::no_runs(path, cause))?;
        Runs::at(&dir, path, self.system().caller)
    }
}
