//! Finds the files of the configuration and reads them.
//!
//! The caller passes the flag, the variables, the home and the [`Files`] to search. After it `fold` makes the
//! configuration.

mod search;
mod unread;

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::Config;
use crate::Places;
use crate::discover::search::Search;
use crate::discover::unread::Surroundings;
use crate::files::Files;
use crate::fold::fold;
use crate::layer_file::LayerFile;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;
use smcp_model::path;
use smcp_model::path::PathError;
use smcp_model::policy::LayerName;
use smcp_model::suspect::Suspect;

/// The administrator's folder.
pub const SYSTEM_FOLDER: &str = "/etc/mcp";
/// The variable that adds another system layer.
pub const SYSTEM_VARIABLE: &str = "SMCP_SYSTEM_CONFIG";
/// The variable that names the user layer's file.
pub const USER_VARIABLE: &str = "SMCP_CONFIG";

/// The way in which the file was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `--config`.
    Flag,
    /// `SMCP_CONFIG`.
    Variable,
    /// Not named: the file is at its usual path.
    Nobody,
}

/// The file of the user layer, which may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its absolute path.
    pub file: PathBuf,
    /// How it was named.
    pub named_by: NamedBy,
}

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

/// The configuration, and the files that it was read from.
#[derive(Debug)]
pub struct Discovered {
    /// The rules in force, and notices about them. The command line has changed nothing yet.
    pub config: Config,
    /// Everything on the path to a file, read or missing, that another user could have changed.
    pub suspects: Vec<Suspect>,
    /// Each file that was read, in the order of the layers.
    pub files: Vec<Location>,
}

/// Finds and reads every file of the configuration. Without any file the defaults hold, and a notice says so.
///
/// # Errors
/// With every problem of the files that were read, or every file that can't be read and must not be ignored.
pub fn discover(asked: Asked<'_>, places: &Places, files: &dyn Files) -> Result<Discovered, ConfigError> {
    let search = Search { places, files };
    let location = user_file(asked, places)?;
    let around = Surroundings {
        system: search.content(&places.system_folder)?,
        user: search.content_beside(&location)?,
        system_variable: asked.system_variable,
    };
    unread::refuse_unread(&location, &around, places)?;
    let (bytes, suspects) = search.read(&location)?;
    let Some(bytes) = bytes else {
        location.missing(places)?;
        let config = Config::unconfigured(places, search.legacy_file(&location).as_deref());
        return Ok(Discovered { config, suspects, files: Vec::new() });
    };
    let file = LayerFile::parse(&bytes, &location.file, LayerName::User, places);
    let config = fold(vec![file], places.home.as_deref())?;
    Ok(Discovered { config, suspects, files: vec![location] })
}

/// Finds the user layer: `--config`, else `SMCP_CONFIG`, else `~/.mcp/config.yaml`.
///
/// # Errors
/// When the name is empty, or the home is needed and unknown: rules that can't be found must not be skipped.
pub fn user_file(asked: Asked<'_>, places: &Places) -> Result<Location, ConfigError> {
    let (named, named_by) = match (asked.flag, asked.user_variable.filter(|value| !value.is_empty())) {
        (Some(path), _) => (path, NamedBy::Flag),
        (None, Some(path)) => (Path::new(path), NamedBy::Variable),
        (None, None) => (Path::new("~/.mcp/config.yaml"), NamedBy::Nobody),
    };
    let refuse = |message: &str, allowed: &str| {
        let file = named.display().to_string();
        Err(ConfigError::one(ConfigProblem::of_file(ProblemCode::Unreadable, &file, message, Some(allowed))))
    };
    match path::absolute(named, &places.working_directory, places.home.as_deref()) {
        Ok(file) => Ok(Location { file, named_by }),
        Err(PathError::Empty) => refuse("the name of the configuration file is empty", "the path of a YAML file"),
        Err(PathError::NoHome) => {
            refuse("HOME is not an absolute path, so the configuration can't be found", "HOME, or --config PATH")
        }
        Err(error @ PathError::Relative { .. }) => refuse(&error.to_string(), "an absolute path, or one below `~/`"),
        Err(error @ (PathError::Nul | PathError::OtherHome | PathError::Variable { .. })) => {
            refuse(&error.to_string(), "the path of a YAML file")
        }
    }
}

impl Location {
    /// Returns the folder of the file.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }

    /// Returns the path of an older tool's configuration, unless the user named the file.
    fn legacy_file(&self, places: &Places) -> Option<PathBuf> {
        let home = places.home.as_ref().filter(|_| self.named_by == NamedBy::Nobody)?;
        Some(home.join(".smcp/config.yaml"))
    }

    /// Accepts a missing file as no configuration, unless the user named it.
    ///
    /// # Errors
    /// When the flag or the variable named it.
    fn missing(&self, places: &Places) -> Result<(), ConfigError> {
        let allowed = match self.named_by {
            NamedBy::Nobody => return Ok(()),
            NamedBy::Flag => "--config with a file that exists".to_owned(),
            NamedBy::Variable => format!("{USER_VARIABLE} with a file that exists, or without a value"),
        };
        let file = shown(&self.file, places.home.as_deref());
        let message = "the configuration file does not exist";
        Err(ConfigError::one(ConfigProblem::of_file(ProblemCode::Unreadable, &file, message, Some(&allowed))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(home: Option<&str>) -> Places {
        Places {
            home: home.map(PathBuf::from),
            working_directory: PathBuf::from("/work"),
            system_folder: PathBuf::from("/system/mcp"),
        }
    }

    fn found(flag: Option<&str>, variable: Option<&str>, places: &Places) -> Result<Location, ConfigError> {
        let (flag, user_variable) = (flag.map(Path::new), variable.map(OsStr::new));
        user_file(Asked { flag, user_variable, system_variable: None }, places)
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_both_over_the_home() {
        let cases = [
            (None, None, "/home/me/.mcp/config.yaml", NamedBy::Nobody),
            (None, Some(""), "/home/me/.mcp/config.yaml", NamedBy::Nobody),
            (None, Some("/v.yaml"), "/v.yaml", NamedBy::Variable),
            (None, Some("~/v.yaml"), "/home/me/v.yaml", NamedBy::Variable),
            (Some("f.yaml"), Some("/v.yaml"), "/work/f.yaml", NamedBy::Flag),
            (Some("./d/f.yaml"), None, "/work/d/f.yaml", NamedBy::Flag),
        ];
        for (flag, variable, file, named_by) in cases {
            let found = found(flag, variable, &places(Some("/home/me")));
            assert_eq!(found, Ok(Location { file: file.into(), named_by }));
        }
    }

    #[test]
    fn rules_that_can_not_be_found_are_not_skipped() {
        let homeless = found(None, None, &places(None)).unwrap_err();
        assert_eq!(
            homeless.to_string(),
            "~/.mcp/config.yaml: HOME is not an absolute path, so the configuration can't be found \
             (allowed: HOME, or --config PATH)"
        );
        assert!(found(Some("/f.yaml"), None, &places(None)).is_ok());
        for wrong in ["", "~you/config.yaml", "a\0b"] {
            assert!(found(Some(wrong), None, &places(Some("/home/me"))).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_a_file_that_somebody_named_must_exist() {
        let places = places(Some("/home/me"));
        let missing =
            |flag: Option<&str>, variable: Option<&str>| found(flag, variable, &places).unwrap().missing(&places);
        assert_eq!(missing(None, None), Ok(()));
        assert_eq!(
            missing(Some("/home/me/x.yaml"), None).unwrap_err().to_string(),
            "~/x.yaml: the configuration file does not exist (allowed: --config with a file that exists)"
        );
        assert_eq!(
            missing(None, Some("x.yaml")).unwrap_err().to_string(),
            "/work/x.yaml: the configuration file does not exist \
             (allowed: SMCP_CONFIG with a file that exists, or without a value)"
        );
    }

    #[test]
    fn an_older_tools_file_matters_only_when_nobody_named_ours() {
        let places = places(Some("/home/me"));
        let legacy = |flag: Option<&str>| found(flag, None, &places).unwrap().legacy_file(&places);
        assert_eq!(legacy(None), Some(PathBuf::from("/home/me/.smcp/config.yaml")));
        assert_eq!(legacy(Some("/x.yaml")), None);
    }
}
