//! Looks for rules. A place that can't be searched is an error.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::Places;
use crate::discover::location::Location;
use crate::discover::unread::FolderContent;
use crate::files::Files;
use crate::problem::ConfigError;
use smcp_model::guarded::Guarded;
use smcp_model::guarded::GuardedNames;
use smcp_model::limits;
use smcp_model::suspect::Suspect;

/// The names in a folder, and who else could have changed them.
type FolderListing = (Vec<OsString>, Vec<Suspect>);

/// The message for a link without a target.
const NOWHERE: &str = "it is a link that leads nowhere";

/// The places to search, and the file system.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) places: &'a Places,
    pub(crate) files: &'a dyn Files,
}

impl Search<'_> {
    /// Returns what is at the path of a folder that may contain rules.
    pub(super) fn content(&self, folder: &Path) -> Result<FolderContent, ConfigError> {
        match self.files.names(folder) {
            Ok(names) => Ok(FolderContent::Names(names)),
            Err(error) => match (error.kind(), self.is_there(folder)?) {
                (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, false) => Ok(FolderContent::Nothing),
                (io::ErrorKind::NotADirectory, true) => Ok(FolderContent::NotAFolder),
                (io::ErrorKind::NotFound, true) => Err(self.unreadable(folder, &NOWHERE)),
                _ => Err(self.unreadable(folder, &error)),
            },
        }
    }

    /// Returns the bytes of a file of the layer at `location`, `None` when it doesn't exist, and who else could have
    /// written or removed it.
    pub(super) fn read(
        &self,
        file: &Path,
        location: &Location,
    ) -> Result<(Option<Vec<u8>>, Vec<Suspect>), ConfigError> {
        let (folder, owners) = (location.kind_of_folder(), location.layer.owners());
        let Guarded { bytes, suspects } = self.files.read_guarded(file, limits::CONFIG_FILE, folder, owners);
        match bytes {
            Ok(bytes) => Ok((Some(bytes), suspects)),
            // A link that leads nowhere counts as a file, because it was meant to lead to rules.
            Err(error) if error.is_missing() && !self.is_there(file)? => Ok((None, suspects)),
            Err(error) => Err(self.unreadable(file, &error)),
        }
    }

    /// Returns the names in a folder of policies, `None` when it doesn't exist, and who else could have changed them.
    pub(super) fn policies(&self, folder: &Path, location: &Location) -> Result<Option<FolderListing>, ConfigError> {
        if !self.is_there(folder)? {
            return Ok(None);
        }
        let (kind, owners) = (location.kind_of_folder(), location.layer.owners());
        let GuardedNames { names, suspects } = self.files.names_guarded(folder, kind, owners);
        names.map(|names| Some((names, suspects))).map_err(|error| self.unreadable(folder, &error))
    }

    /// Returns the file of an older tool, if it exists and the user named no other.
    pub(super) fn legacy_file(&self, location: &Location) -> Option<PathBuf> {
        // It is only mentioned, so a file that can't be looked at counts as absent.
        let is_there = |file: &PathBuf| self.files.exists(file).is_ok_and(|there| there);
        location.legacy_file(self.places).filter(is_there)
    }

    /// Whether `path` exists.
    fn is_there(&self, path: &Path) -> Result<bool, ConfigError> {
        self.files.exists(path).map_err(|error| self.unreadable(path, &error))
    }

    /// Returns the error for a file that can't be read. If HOME belongs to another user, it says so and writes no `~`.
    pub(super) fn unreadable(&self, path: &Path, error: &dyn fmt::Display) -> ConfigError {
        let home = self.places.home.as_deref();
        let below = home.filter(|home| path.starts_with(home));
        let foreign = below.and_then(|home| self.files.foreign_owner(home).map(|uid| (home.display(), uid)));
        let Some((home, uid)) = foreign else { return ConfigError::unreadable(path, home, error) };
        let cause = format!(
            "{error}; HOME is {home}, which belongs to another user (uid {uid}): set it to your own home (`sudo -E` keeps \
             the caller's), or name a file with --config"
        );
        ConfigError::unreadable(path, None, &cause)
    }
}
