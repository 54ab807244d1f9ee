//! Which file is the user layer, and what beside it must not be ignored.
//!
//! Pure: the caller says what the flag, the variable and the home are, and looks at the files that are named here.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

use crate::Places;
use crate::problem::Code;
use crate::problem::ConfigError;
use crate::problem::Problem;
use crate::problem::shown;
use smcp_model::path;
use smcp_model::path::PathError;

/// The administrator's folder.
pub const SYSTEM_FOLDER: &str = "/etc/mcp";
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
        Err(error @ PathError::Relative { .. }) => refuse(&error.to_string(), "an absolute path, or one below `~/`"),
        Err(error @ (PathError::Nul | PathError::OtherHome | PathError::Variable { .. })) => {
            refuse(&error.to_string(), "the path of a YAML file")
        }
    }
}

impl Location {
    /// The folder that the file stands in.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
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

/// What was found where rules may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing is there.
    Nothing,
    /// Something that is no folder.
    NoFolder,
    /// A folder, with the names in it.
    Folder(Vec<OsString>),
}

/// Places where somebody could have written rules, and what is there.
#[derive(Debug)]
pub struct Surroundings {
    /// [`Places::system_folder`].
    pub system: Found,
    /// The folder of the user layer's file.
    pub user: Found,
    /// The value of [`SYSTEM_VARIABLE`]; an empty one is a value too, for whoever set it meant a file.
    pub system_variable: Option<OsString>,
}

/// Refuses to go on when there are rules that this version would have to ignore, or that somebody wrote where nothing
/// looks for them.
///
/// # Errors
/// With every one of them.
pub fn refuse_unread(location: &Location, around: &Surroundings, places: &Places) -> Result<(), ConfigError> {
    let home = places.home.as_deref();
    let mut problems = Vec::new();
    let mut refuse = |code, path: &Path, message: &str, allowed: &str| {
        problems.push(Problem::of_file(code, &shown(path, home), message, Some(allowed)));
    };
    match &around.system {
        Found::Nothing => {}
        Found::NoFolder => {
            let message = "it is not a directory, so the system layer can't be looked for";
            refuse(Code::Unreadable, &places.system_folder, message, "a directory, or nothing");
        }
        Found::Folder(names) => {
            for name in names.iter().filter(|name| is_one_of(name, &SYSTEM_RULES)) {
                let message = "a system layer is not supported by this version yet";
                refuse(Code::Unsupported, &places.system_folder.join(name), message, "no such file or directory");
            }
        }
    }
    if let Some(value) = &around.system_variable {
        let message = "SMCP_SYSTEM_CONFIG: a system layer is not supported by this version yet";
        let value = if value.is_empty() { OsStr::new("\"\"") } else { value };
        refuse(Code::Unsupported, Path::new(value), message, "no SMCP_SYSTEM_CONFIG");
    }
    let by_default = location.named_by == NamedBy::Nobody;
    match &around.user {
        Found::Nothing => {}
        // A file that somebody named is not there then, which is said elsewhere.
        Found::NoFolder if by_default => {
            let message = "it is not a directory, so the configuration can't be looked for in it";
            refuse(Code::Unreadable, location.folder(), message, "a directory, or nothing");
        }
        Found::NoFolder => {}
        Found::Folder(names) => {
            for name in names {
                let path = location.folder().join(name);
                if is_one_of(name, &["policies.d"]) {
                    let message = "a policies.d directory is not supported by this version yet";
                    let allowed = "its policies as entries of `policy.custom`, and no such directory";
                    refuse(Code::Unsupported, &path, message, allowed);
                } else if by_default && name != "config.yaml" && is_one_of(name, &["config.yaml", "config.yml"]) {
                    refuse(Code::Unreadable, &path, "it is not read: the file is called `config.yaml`", "no such file");
                }
            }
        }
    }
    ConfigError::of(problems, 0).map_or(Ok(()), Err)
}

/// Names in the administrator's folder that hold rules, or were meant to.
const SYSTEM_RULES: [&str; 4] = ["config.yaml", "config.yml", "config.json", "policies.d"];

/// Whether a name is one of these, in whatever case: another case is how a name goes wrong.
fn is_one_of(name: &OsStr, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
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

    fn folder(names: &[&str]) -> Found {
        Found::Folder(names.iter().map(OsString::from).collect())
    }

    /// What is refused of rules that are there, by the file and the first words.
    fn refused(flag: Option<&str>, around: &Surroundings) -> Vec<String> {
        let places = places(Some("/home/me"));
        let location = user_file(flag.map(Path::new), None, &places).unwrap();
        let refused = refuse_unread(&location, around, &places);
        refused.err().map_or_else(Vec::new, |error| error.problems().iter().map(ToString::to_string).collect())
    }

    fn around(system: Found, user: Found, variable: Option<&str>) -> Surroundings {
        Surroundings { system, user, system_variable: variable.map(OsString::from) }
    }

    #[test]
    fn rules_that_this_version_can_not_read_stop_it() {
        assert_eq!(refused(None, &around(Found::Nothing, Found::Nothing, None)), [""; 0]);
        let harmless =
            around(folder(&["policies", "config.yaml.bak"]), folder(&["config.yaml", "policies", "cache"]), None);
        assert_eq!(refused(None, &harmless), [""; 0]);
        let all = around(folder(&["config.yaml", "policies.d"]), folder(&["policies.d"]), Some("/s.yaml"));
        assert_eq!(
            refused(None, &all),
            [
                "/system/mcp/config.yaml: a system layer is not supported by this version yet \
                 (allowed: no such file or directory)",
                "/system/mcp/policies.d: a system layer is not supported by this version yet \
                 (allowed: no such file or directory)",
                "/s.yaml: SMCP_SYSTEM_CONFIG: a system layer is not supported by this version yet \
                 (allowed: no SMCP_SYSTEM_CONFIG)",
                "~/.mcp/policies.d: a policies.d directory is not supported by this version yet \
                 (allowed: its policies as entries of `policy.custom`, and no such directory)",
            ]
        );
    }

    #[test]
    fn rules_in_a_wrong_place_are_not_passed_over() {
        let empty = || folder(&[]);
        for (system, user, variable, expected) in [
            (folder(&["config.yml"]), empty(), None, "/system/mcp/config.yml: a system layer"),
            (folder(&["Config.YAML"]), empty(), None, "/system/mcp/Config.YAML: a system layer"),
            (folder(&["config.json"]), empty(), None, "/system/mcp/config.json: a system layer"),
            (folder(&["policies.d"]), Found::Nothing, None, "/system/mcp/policies.d: a system layer"),
            (Found::NoFolder, empty(), None, "/system/mcp: it is not a directory"),
            (empty(), folder(&["config.yml"]), None, "~/.mcp/config.yml: it is not read"),
            (empty(), folder(&["config.yaml", "Config.yml"]), None, "~/.mcp/Config.yml: it is not read"),
            (empty(), folder(&["Policies.d"]), None, "~/.mcp/Policies.d: a policies.d directory"),
            (empty(), Found::NoFolder, None, "~/.mcp: it is not a directory"),
            (empty(), empty(), Some(""), "\"\": SMCP_SYSTEM_CONFIG: a system layer"),
        ] {
            let around = around(system, user, variable);
            let said = refused(None, &around);
            assert!(said.len() == 1 && said[0].starts_with(expected), "{around:?}: {said:?}");
        }
        // Beside a file that somebody named, only what belongs to its layer counts.
        assert_eq!(refused(Some("/x/c.yaml"), &around(empty(), folder(&["config.yml"]), None)), [""; 0]);
        assert_eq!(refused(Some("/x/c.yaml"), &around(empty(), folder(&["policies.d"]), None)).len(), 1);
    }
}
