//! Finds the files of the configuration and reads them.
//!
//! The caller passes the flag, the variables, the home and the [`Files`] to search. After it `fold` makes the
//! configuration.

mod location;
mod policies_d;
mod search;
mod unread;

pub use crate::discover::location::Location;
pub use crate::discover::location::NamedBy;
pub(crate) use crate::discover::policies_d::NAME as POLICIES_FOLDER;
pub(crate) use crate::discover::policies_d::PolicyFolder;
pub(crate) use crate::discover::policies_d::read as read_policies;
pub(crate) use crate::discover::search::Search;

use std::ffi::OsStr;
use std::path::Path;

use crate::Config;
use crate::Places;
use crate::files::Files;
use crate::fold::fold;
use crate::layer_file::LayerFile;
use crate::notice::ConfigNotice;
use crate::problem::ConfigError;
use smcp_model::policy::LayerName;
use smcp_model::suspect::Suspect;

/// The administrator's folder.
pub const SYSTEM_FOLDER: &str = "/etc/mcp";
/// The variable that adds another system layer.
pub const SYSTEM_VARIABLE: &str = "SMCP_SYSTEM_CONFIG";
/// The variable that names the user layer's file.
pub const USER_VARIABLE: &str = "SMCP_CONFIG";

/// Where to find rules, according to the command line and the environment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// `--config`.
    pub flag: Option<&'a Path>,
    /// The value of [`USER_VARIABLE`]; an empty one counts as absent.
    pub user_variable: Option<&'a OsStr>,
    /// The value of [`SYSTEM_VARIABLE`]; an empty one is a value too, because it was meant as a file.
    pub system_variable: Option<&'a OsStr>,
}

/// The configuration, and what was noticed about its files.
#[derive(Debug)]
pub struct Discovered {
    /// The rules in force, and notices about them. The command line has changed nothing yet.
    pub config: Config,
    /// Everything on the path to a file, read or missing, that another user could have changed.
    pub suspects: Vec<Suspect>,
}

/// Finds and reads every file of the configuration: the administrator's, the added one and the user's, and the
/// `policies.d` beside each. Without any of them the defaults hold, and a notice says so.
///
/// # Errors
/// With every problem of the files that were read, or every file that can't be read and must not be ignored.
pub fn discover(asked: Asked<'_>, places: &Places, files: &dyn Files) -> Result<Discovered, ConfigError> {
    let search = Search { places, files };
    let locations = locations(asked, places)?;
    unread::refuse_unread(&locations, &search)?;
    read(&locations, &search)
}

/// Reads the user's file that is asked for, and the `policies.d` beside it, as the only layer: what an administrator has
/// written is left out.
///
/// # Errors
/// With every problem of the files.
pub fn discover_alone(asked: Asked<'_>, places: &Places, files: &dyn Files) -> Result<Discovered, ConfigError> {
    read(&[location::user_file(asked, places)?], &Search { places, files })
}

fn read(locations: &[Location], search: &Search<'_>) -> Result<Discovered, ConfigError> {
    let mut found = ReadFiles::default();
    for location in locations {
        found.read(location, search)?;
    }
    let ReadFiles { files, suspects, notices } = found;
    let places = search.places;
    let mut config = if files.is_empty() { Config::unconfigured(places) } else { fold(files, places.home.as_deref())? };
    config.notices.extend(notices);
    Ok(Discovered { config, suspects })
}

/// Returns where the file of each layer may be, in the order of the layers.
fn locations(asked: Asked<'_>, places: &Places) -> Result<Vec<Location>, ConfigError> {
    let added = asked.system_variable.map(|value| location::added_file(value, places)).transpose()?;
    let user = location::user_file(asked, places)?;
    Ok([Some(Location::of_system(places)), added, Some(user)].into_iter().flatten().collect())
}

/// Finds the user layer's file: `--config`, else `SMCP_CONFIG`, else `~/.mcp/config.yaml`.
///
/// # Errors
/// When the name is empty, or the home is needed and unknown: rules that can't be found must not be skipped.
pub fn user_file(asked: Asked<'_>, places: &Places) -> Result<Location, ConfigError> {
    location::user_file(asked, places)
}

/// What was read so far.
#[derive(Debug, Default)]
struct ReadFiles {
    files: Vec<LayerFile>,
    suspects: Vec<Suspect>,
    notices: Vec<ConfigNotice>,
}

impl ReadFiles {
    /// Reads the file of one layer, and the `policies.d` beside it.
    fn read(&mut self, location: &Location, search: &Search<'_>) -> Result<(), ConfigError> {
        let places = search.places;
        let (bytes, suspects) = search.read(&location.file, location)?;
        let main = bytes.map(|bytes| LayerFile::parse(&bytes, &location.file, location.layer, places));
        if main.is_none() {
            location.missing(places)?;
            let legacy = search.legacy_file(location).into_iter();
            self.notices.extend(legacy.map(|file| ConfigNotice::LegacyFile { file }));
        }
        let folder = policies_d::read(location, main.as_ref(), search)?;
        // Who may write to `/etc` can do more than to remove an administrator's rules.
        if location.layer != LayerName::System || main.is_some() || folder.is_some() {
            self.suspect(suspects);
        }
        self.files.extend(main);
        let Some(PolicyFolder { path, files, suspects, unread }) = folder else { return Ok(()) };
        self.suspect(suspects);
        self.files.extend(files);
        if location.named_by != NamedBy::Nobody {
            self.notices.push(ConfigNotice::PoliciesBeside { folder: path.clone() });
        }
        if !unread.is_empty() {
            self.notices.push(ConfigNotice::UnreadPolicies { folder: path, names: unread });
        }
        Ok(())
    }

    fn suspect(&mut self, suspects: Vec<Suspect>) {
        for suspect in suspects {
            if !self.suspects.contains(&suspect) {
                self.suspects.push(suspect);
            }
        }
    }
}
