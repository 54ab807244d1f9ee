//! Which file is the user layer, and what beside it this version must not ignore.
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
    if named.as_os_str().is_empty() {
        return refuse("the name of the configuration file is empty", "the path of a YAML file");
    }
    let file = match (named.strip_prefix("~"), &places.home) {
        (Ok(rest), Some(home)) => home.join(rest),
        (Ok(_), None) => {
            return refuse(
                "HOME is not an absolute path, so the configuration can't be found",
                "HOME, or --config PATH",
            );
        }
        (Err(_), _) => places.working_directory.join(named),
    };
    Ok(Location { file: file.components().collect(), named_by })
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
