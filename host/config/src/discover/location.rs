//! The place of each layer's file: one that the user named, or the usual one.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::Places;
use crate::discover::Asked;
use crate::discover::SYSTEM_VARIABLE;
use crate::discover::USER_VARIABLE;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;
use smcp_model::guarded::Folder;
use smcp_model::path;
use smcp_model::path::PathError;
use smcp_model::policy::LayerName;

/// The way in which the file was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `--config`.
    Flag,
    /// `SMCP_CONFIG`, or `SMCP_SYSTEM_CONFIG` for an added system layer.
    Variable,
    /// Not named: the file is at its usual path.
    Nobody,
}

/// The file of one layer, which may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The layer that it belongs to.
    pub layer: LayerName,
    /// Its absolute path.
    pub file: PathBuf,
    /// How it was named.
    pub named_by: NamedBy,
}

impl Location {
    /// Returns the administrator's file, which nothing moves.
    pub(super) fn of_system(places: &Places) -> Self {
        let file = places.system_folder.join("config.yaml");
        Self { layer: LayerName::System, file, named_by: NamedBy::Nobody }
    }

    /// Returns the folder of the file.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }

    /// Returns the kind of folder that its files must be in: a folder that the user chose may be below `/tmp`.
    pub(super) const fn kind_of_folder(&self) -> Folder {
        match self.named_by {
            NamedBy::Nobody => Folder::Own,
            NamedBy::Flag | NamedBy::Variable => Folder::Any,
        }
    }

    /// Returns the path of an older tool's configuration, unless the user named the file.
    pub(super) fn legacy_file(&self, places: &Places) -> Option<PathBuf> {
        let is_usual = self.layer == LayerName::User && self.named_by == NamedBy::Nobody;
        let home = places.home.as_ref().filter(|_| is_usual)?;
        Some(home.join(".smcp/config.yaml"))
    }

    /// Accepts a missing file as an empty configuration, unless the user named it.
    ///
    /// # Errors
    /// When the flag or a variable named it.
    pub(super) fn missing(&self, places: &Places) -> Result<(), ConfigError> {
        let allowed = match (self.named_by, self.layer) {
            (NamedBy::Nobody, _) => return Ok(()),
            (NamedBy::Flag, _) => "--config with a file that exists".to_owned(),
            (NamedBy::Variable, layer) if layer.is_users() => {
                format!("{USER_VARIABLE} with a file that exists, or without a value")
            }
            (NamedBy::Variable, _) => {
                format!("{SYSTEM_VARIABLE} with a file that exists, or not set")
            }
        };
        let file = shown(&self.file, places.home.as_deref());
        let message = "the configuration file does not exist";
        Err(ConfigError::one(ConfigProblem::of_file(ProblemCode::Unreadable, &file, message, Some(&allowed))))
    }
}

/// Finds the user layer's file.
///
/// # Errors
/// See [`super::user_file`].
pub(super) fn user_file(asked: Asked<'_>, places: &Places) -> Result<Location, ConfigError> {
    let (named, named_by) = match (asked.flag, asked.user_variable.filter(|value| !value.is_empty())) {
        (Some(path), _) => (path, NamedBy::Flag),
        (None, Some(path)) => (Path::new(path), NamedBy::Variable),
        (None, None) => (Path::new("~/.mcp/config.yaml"), NamedBy::Nobody),
    };
    located(LayerName::User, named, named_by, places)
}

/// Finds the file of the added system layer, which [`SYSTEM_VARIABLE`] names.
///
/// # Errors
/// When the value is not a usable path; an empty one is not.
pub(super) fn added_file(value: &OsStr, places: &Places) -> Result<Location, ConfigError> {
    located(LayerName::Added, Path::new(value), NamedBy::Variable, places)
}

fn located(layer: LayerName, named: &Path, named_by: NamedBy, places: &Places) -> Result<Location, ConfigError> {
    let refuse = |message: &str, allowed: &str| {
        let is_added = layer == LayerName::Added;
        let (file, variable) = match (is_added, named.as_os_str().is_empty()) {
            (true, true) => ("\"\"".to_owned(), format!("{SYSTEM_VARIABLE}: ")),
            (true, false) => (named.display().to_string(), format!("{SYSTEM_VARIABLE}: ")),
            (false, _) => (named.display().to_string(), String::new()),
        };
        let message = format!("{variable}{message}");
        Err(ConfigError::one(ConfigProblem::of_file(ProblemCode::Unreadable, &file, &message, Some(allowed))))
    };
    match path::absolute(named, &places.working_directory, places.home.as_deref()) {
        Ok(file) => Ok(Location { layer, file, named_by }),
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
            assert_eq!(found, Ok(Location { layer: LayerName::User, file: file.into(), named_by }));
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
