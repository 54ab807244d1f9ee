//! Where a package's files live while it runs.
//!
//! In the folder that the configuration names, else in the cache, else, where that can only be read, in the folder that
//! the system has for such things.

use std::path::Path;

use crate::PipelineError;
use crate::Session;
use smcp_authority as authority;
use smcp_store::RunFolder;
use smcp_store::Runs;
use smcp_store::StoreError;

/// Ours, in the system's folder.
const FOLDER: &str = "smcp";

impl Session {
    /// A new folder for one run. What dead runs left beside it is removed when `sweep` says so.
    ///
    /// # Errors
    /// When none can be made.
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
        match (self.cache()?.runs().and_then(made), authority::runtime_dir()) {
            (Err(error), Some(elsewhere)) if error.is_read_only() => {
                tracing::debug!(%error, "the cache can only be read; the run's files are elsewhere");
                Ok(self.runs_at(&elsewhere.join(FOLDER)).and_then(made)?)
            }
            (found, _) => Ok(found?),
        }
    }

    /// Removes what dead runs left outside of the cache.
    pub(crate) fn sweep_elsewhere(&self) {
        let elsewhere = self.config().runtime_dir().map(Path::to_path_buf);
        let Some(path) = elsewhere.or_else(|| authority::runtime_dir().map(|path| path.join(FOLDER))) else { return };
        // Not made for that.
        if authority::open_dir(&path).is_ok()
            && let Ok(runs) = self.runs_at(&path)
        {
            runs.sweep();
        }
    }

    fn runs_at(&self, path: &Path) -> Result<Runs, StoreError> {
        let dir = authority::create_dir(path).map_err(|cause| StoreError::no_runs(path, cause))?;
        Runs::at(&dir, path, self.system().caller)
    }
}
