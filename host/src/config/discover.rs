//! Which file is the user layer, and what beside it must not be ignored.
//!
//! Pure: the caller says what the flag, the variable and the home are, and looks at the files that are named here.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::config::Places;
use crate::config::problem::Code;
use crate::config::problem::ConfigError;
use crate::config::problem::Problem;
use crate::config::problem::shown;
use crate::model::path;
use crate::model::path::PathError;

/// The administrator's file.
pub const SYSTEM_FILE: &str = "/etc/mcp/config.yaml";
/// The variable that adds another system layer.
pub const SYSTEM_VARIABLE: &str = "SMCP_SYSTEM_CONFIG";
/// The variable that names the user layer's file.
pub const USER_VARIABLE: &str = "SMCP_CONFIG";

/// Who named the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `--config`.
    Flag,
    /// `SMCP_CONFIG`.
    Variable,
    /// Nobody: it is where the file always is.
    Nobody,
}

/// The file of the user layer, which may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its absolute path.
    pub file: PathBuf,
    /// Who named it.
    pub named_by: NamedBy,
}

/// Finds the user layer: `--config`, else `SMCP_CONFIG`, else `~/.mcp/config.yaml`.
///
/// # Errors
/// When the name is empty, or a home is needed and there is none: rules that can't be found must not be skipped.
pub fn user_file(flag: Option<&Path>, variable: Option<&OsStr>, places: &Places) -> Result<Location, ConfigError> {
    let (named, named_by) = match (flag, variable) {
        (Some(path), _) => (path, NamedBy::Flag),
        (None, Some(path)) => (Path::new(path), NamedBy::Variable),
        (None, None) => (Path::new("~/.mcp/config.yaml"), NamedBy::Nobody),
    };
    let refuse = |message: &str, allowed: &str| {
        let file = named.display().to_string();
        Err(ConfigError::one(Problem::of_file(Code::Unreadable, &file, message, Some(allowed))))
    };
    match path::absolute(named, &places.working_directory, places.home.as_deref()) {
        Ok(file) => Ok(Location { file, named_by }),
        Err(PathError::Empty) => refuse("the name of the configuration file is empty", "the path of a YAML file"),
        Err(PathError::NoHome) => {
            refuse("HOME is not an absolute path, so the configuration can't be found", "HOME, or --config PATH")
        }
        Err(error @ (PathError::Nul | PathError::OtherHome)) => refuse(&error.to_string(), "the path of a YAML file"),
    }
}

impl Location {
    /// The directory of further policies beside the file.
    pub fn policies_dir(&self) -> PathBuf {
        self.file.with_file_name("policies.d")
    }

    /// Where an older tool keeps its configuration, when nobody named ours.
    pub fn legacy_file(&self, places: &Places) -> Option<PathBuf> {
        let home = places.home.as_ref().filter(|_| self.named_by == NamedBy::Nobody)?;
        Some(home.join(".smcp/config.yaml"))
    }

    /// What a missing file means: nothing is configured, or, when somebody named it, an error.
    ///
    /// # Errors
    /// When the flag or the variable named it.
    pub fn missing(&self, places: &Places) -> Result<(), ConfigError> {
        let allowed = match self.named_by {
            NamedBy::Nobody => return Ok(()),
            NamedBy::Flag => "--config with a file that exists".to_owned(),
            NamedBy::Variable => format!("{USER_VARIABLE} with a file that exists, or without a value"),
        };
        let file = shown(&self.file, places.home.as_deref());
        let message = "the configuration file does not exist";
        Err(ConfigError::one(Problem::of_file(Code::Unreadable, &file, message, Some(&allowed))))
    }
}

/// Rules that are there but that this version can't read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unread<'a> {
    /// Whether [`Location::policies_dir`] exists.
    pub policies_dir: bool,
    /// Whether [`SYSTEM_FILE`] exists.
    pub system_file: bool,
    /// The value of [`SYSTEM_VARIABLE`].
    pub system_variable: Option<&'a OsStr>,
}

/// Refuses to go on when there are rules that this version would have to ignore.
///
/// # Errors
/// With every one of them.
pub fn refuse_unread(location: &Location, unread: Unread<'_>, places: &Places) -> Result<(), ConfigError> {
    let directory = shown(&location.policies_dir(), places.home.as_deref());
    let variable = unread.system_variable.map(|value| value.to_string_lossy());
    let found = [
        unread.system_file.then_some((
            SYSTEM_FILE,
            "a system layer is not supported by this version yet",
            "no such file",
        )),
        variable.as_deref().map(|value| {
            (value, "SMCP_SYSTEM_CONFIG: a system layer is not supported by this version yet", "no SMCP_SYSTEM_CONFIG")
        }),
        unread.policies_dir.then_some((
            directory.as_str(),
            "a policies.d directory is not supported by this version yet",
            "its policies as entries of `policy.custom`, and no such directory",
        )),
    ];
    let problems = found
        .into_iter()
        .flatten()
        .map(|(file, message, allowed)| Problem::of_file(Code::Unsupported, file, message, Some(allowed)));
    ConfigError::of(problems.collect(), 0).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(home: Option<&str>) -> Places {
        Places { home: home.map(PathBuf::from), working_directory: PathBuf::from("/work") }
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_both_over_the_home() {
        let cases = [
            (None, None, "/home/me/.mcp/config.yaml", NamedBy::Nobody),
            (None, Some("/v.yaml"), "/v.yaml", NamedBy::Variable),
            (None, Some("~/v.yaml"), "/home/me/v.yaml", NamedBy::Variable),
            (Some("f.yaml"), Some("/v.yaml"), "/work/f.yaml", NamedBy::Flag),
            (Some("./d/f.yaml"), None, "/work/d/f.yaml", NamedBy::Flag),
        ];
        for (flag, variable, file, named_by) in cases {
            let found = user_file(flag.map(Path::new), variable.map(OsStr::new), &places(Some("/home/me")));
            assert_eq!(found, Ok(Location { file: file.into(), named_by }));
        }
    }

    #[test]
    fn rules_that_can_not_be_found_are_not_skipped() {
        let homeless = user_file(None, None, &places(None)).unwrap_err();
        assert_eq!(
            homeless.to_string(),
            "~/.mcp/config.yaml: HOME is not an absolute path, so the configuration can't be found \
             (allowed: HOME, or --config PATH)"
        );
        assert!(user_file(Some(Path::new("/f.yaml")), None, &places(None)).is_ok());
        for wrong in ["", "~you/config.yaml", "a\0b"] {
            assert!(user_file(Some(Path::new(wrong)), None, &places(Some("/home/me"))).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_a_file_that_somebody_named_must_exist() {
        let places = places(Some("/home/me"));
        let missing = |flag: Option<&str>, variable: Option<&str>| {
            user_file(flag.map(Path::new), variable.map(OsStr::new), &places).unwrap().missing(&places)
        };
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
        let legacy = |flag: Option<&str>| user_file(flag.map(Path::new), None, &places).unwrap().legacy_file(&places);
        assert_eq!(legacy(None), Some(PathBuf::from("/home/me/.smcp/config.yaml")));
        assert_eq!(legacy(Some("/x.yaml")), None);
    }

    #[test]
    fn rules_that_this_version_can_not_read_stop_it() {
        let places = places(Some("/home/me"));
        let location = user_file(None, None, &places).unwrap();
        assert_eq!(location.policies_dir(), Path::new("/home/me/.mcp/policies.d"));
        assert_eq!(refuse_unread(&location, Unread::default(), &places), Ok(()));
        let all = Unread { policies_dir: true, system_file: true, system_variable: Some(OsStr::new("/s.yaml")) };
        let error = refuse_unread(&location, all, &places).unwrap_err();
        let said: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "/etc/mcp/config.yaml: a system layer is not supported by this version yet (allowed: no such file)",
                "/s.yaml: SMCP_SYSTEM_CONFIG: a system layer is not supported by this version yet \
                 (allowed: no SMCP_SYSTEM_CONFIG)",
                "~/.mcp/policies.d: a policies.d directory is not supported by this version yet \
                 (allowed: its policies as entries of `policy.custom`, and no such directory)",
            ]
        );
        for one in [
            Unread { policies_dir: true, ..Unread::default() },
            Unread { system_file: true, ..Unread::default() },
            Unread { system_variable: Some(OsStr::new("")), ..Unread::default() },
        ] {
            assert_eq!(refuse_unread(&location, one, &places).unwrap_err().problems().len(), 1);
        }
    }
}
