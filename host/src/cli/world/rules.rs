//! The rules in force, read for a command, and how far they are trusted.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::world::World;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_config as config;
use smcp_config::Config;
use smcp_config::ConfigError;
use smcp_config::Notice;
use smcp_config::discover;
use smcp_config::discover::Found;
use smcp_config::discover::Location;
use smcp_config::discover::NamedBy;
use smcp_config::discover::Surroundings;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::suspect::Suspect;
use smcp_pipeline as pipeline;

impl World {
    /// The configuration for a command that decides nothing: the file, then what the command line changes. Rules that
    /// somebody else could have written are told of.
    pub(in crate::cli) fn config(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        self.told(warning_threshold, false)
    }

    /// The same for a command that decides, but starts nothing: that there are no rules is said, too.
    pub(in crate::cli) fn config_to_decide(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        self.told(warning_threshold, true)
    }

    /// The same for what starts a server, or says what a start would: rules that somebody else could have written are
    /// refused.
    pub(in crate::cli) fn config_to_start(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        let (mut config, suspects) = self.read_configuration()?;
        if let Some(error) = ConfigError::untrusted(&suspects, self.places.home.as_deref()) {
            return Err(error.into());
        }
        config.refuse_suspects();
        self.notices(&config, true);
        self.changed(config, warning_threshold)
    }

    fn told(&self, warning_threshold: Option<Score>, decides: bool) -> Result<Config, Failure> {
        let (config, mut suspects) = self.read_configuration()?;
        suspects.extend(pipeline::suspects(&config));
        for suspect in suspects {
            self.insist(&format!("{suspect}\n  until then `smcp run` refuses it"));
        }
        self.notices(&config, decides);
        self.changed(config, warning_threshold)
    }

    fn notices(&self, config: &Config, decides: bool) {
        for notice in config.notices() {
            match notice {
                Notice::Unconfigured if !decides => {}
                Notice::Unconfigured
                | Notice::AuditLogIgnored { .. }
                | Notice::ForeignKeys { .. }
                | Notice::LegacyFile { .. } => {
                    self.remark(&notice.to_string());
                }
            }
        }
    }

    /// What the command line changes.
    fn changed(&self, mut config: Config, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        if let Some(text) = &self.global.registry {
            config.override_registry(self.registry(text)?);
        }
        if let Some(path) = &self.global.cache_dir {
            config.override_cache_dir(self.cache_dir(path)?);
        }
        if let Some(threshold) = warning_threshold {
            config.raise_warning_threshold(threshold).map_err(Failure::usage)?;
        }
        pipeline::remarks_on_the_proxy(&config).iter().for_each(|remark| self.remark(remark));
        Ok(config)
    }

    /// The file of the user layer.
    pub(in crate::cli) fn location(&self) -> Result<Location, ConfigError> {
        let variable = authority::variable(discover::USER_VARIABLE);
        discover::user_file(self.global.config.as_deref(), variable.as_deref(), &self.places)
    }

    /// What the file of the user layer says, and who else could have written it; nothing of the command line.
    fn read_configuration(&self) -> Result<(Config, Vec<Suspect>), ConfigError> {
        let places = &self.places;
        let location = self.location()?;
        let around = Surroundings {
            system: self.found_at(&places.system_folder)?,
            user: self.found_beside(&location)?,
            system_variable: set_variable(discover::SYSTEM_VARIABLE),
        };
        discover::refuse_unread(&location, &around, places)?;
        let folder = if location.named_by == NamedBy::Nobody { Folder::Own } else { Folder::Any };
        let Guarded { bytes, suspects } = authority::read_guarded(&location.file, limits::CONFIG_FILE, folder);
        let config = match bytes {
            Ok(bytes) => config::parse(&bytes, &location.file, places),
            // A link that leads nowhere is not nothing: whoever made it meant rules.
            Err(error) if error.is_missing() && !self.is_there(&location.file)? => {
                location.missing(places)?;
                // Only to be mentioned, so one that can't be looked at is none.
                let is_there = |file: &PathBuf| authority::exists(file).is_ok_and(|there| there);
                let legacy = location.legacy_file(places).filter(is_there);
                Ok(Config::unconfigured(places, legacy.as_deref()))
            }
            Err(error) => Err(self.unreadable(&location.file, &error)),
        };
        config.map(|config| (config, suspects))
    }

    /// What is in the folder of the user's file.
    fn found_beside(&self, location: &Location) -> Result<Found, ConfigError> {
        let folder = location.folder();
        if location.named_by == NamedBy::Nobody {
            return self.found_at(folder);
        }
        // A folder of somebody else's need not be one that the user may list.
        let name = "policies.d";
        let names = self.is_there(&folder.join(name))?.then(|| OsString::from(name));
        Ok(Found::Folder(names.into_iter().collect()))
    }

    /// What is at a folder in which rules may stand. Not being able to look is an error: nobody knows then.
    fn found_at(&self, folder: &Path) -> Result<Found, ConfigError> {
        match authority::names(folder) {
            Ok(names) => Ok(Found::Folder(names)),
            Err(error) => match (error.kind(), self.is_there(folder)?) {
                (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, false) => Ok(Found::Nothing),
                (io::ErrorKind::NotADirectory, true) => Ok(Found::NoFolder),
                (io::ErrorKind::NotFound, true) => Err(self.unreadable(folder, &NOWHERE)),
                _ => Err(self.unreadable(folder, &error)),
            },
        }
    }

    /// Whether something is at `path`.
    fn is_there(&self, path: &Path) -> Result<bool, ConfigError> {
        authority::exists(path).map_err(|error| self.unreadable(path, &error))
    }

    /// A file that can't be read. Below somebody else's HOME no `~` hides whose it is.
    fn unreadable(&self, path: &Path, error: &dyn fmt::Display) -> ConfigError {
        let home = self.places.home.as_deref();
        let below = home.filter(|home| path.starts_with(home));
        let foreign = below.and_then(|home| authority::foreign_owner(home).map(|uid| (home.display(), uid)));
        let Some((home, uid)) = foreign else { return ConfigError::unreadable(path, home, error) };
        let cause = format!(
            "{error}; HOME is {home}, which belongs to another user (uid {uid}): set it to your own home (`sudo -E` keeps \
             the caller's), or name a file with --config"
        );
        ConfigError::unreadable(path, None, &cause)
    }

    /// The file that the audit log is written to, for whoever only reads it; nothing is said of the configuration.
    pub(in crate::cli) fn audit_log(&self) -> Result<Option<PathBuf>, Failure> {
        Ok(self.read_configuration()?.0.audit_log().map(Path::to_path_buf))
    }
}

/// What is wrong with a link.
const NOWHERE: &str = "it is a link that leads nowhere";

/// A variable that is set, if only to nothing.
fn set_variable(name: &str) -> Option<OsString> {
    authority::environment().into_iter().find(|(set, _)| set == name).map(|(_, value)| value)
}
