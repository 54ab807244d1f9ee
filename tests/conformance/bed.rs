//! The files of one case, in a temporary folder that is its home.

use std::path::Path;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;

use crate::table::Case;

/// A folder with a configuration and a facts document.
pub(crate) struct Bed(TempDir);

impl Bed {
    /// Writes the files of a case.
    pub(crate) fn of(case: &Case) -> Self {
        let folder = TempDir::new().unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        dir.write("config.yaml", &case.config).unwrap();
        dir.write("facts.json", &case.facts).unwrap();
        Self(folder)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder().join("config.yaml")
    }

    /// The facts document.
    pub(crate) fn facts(&self) -> PathBuf {
        self.folder().join("facts.json")
    }
}
