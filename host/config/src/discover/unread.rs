//! Refuses rules that smcp would not read, instead of ignoring them.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;

use crate::Places;
use crate::discover::Location;
use crate::discover::NamedBy;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;

/// What is at the path of a folder that may contain rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FolderContent {
    /// Nothing is there.
    Nothing,
    /// Something that is not a folder.
    NotAFolder,
    /// A folder, with the names in it.
    Names(Vec<OsString>),
}

/// The places that may contain rules, and what is there.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// [`Places::system_folder`].
    pub(super) system: FolderContent,
    /// The folder of the user layer's file.
    pub(super) user: FolderContent,
    /// The value of [`super::SYSTEM_VARIABLE`]; an empty one is a value too, because it was meant as a file.
    pub(super) system_variable: Option<&'a OsStr>,
}

/// Refuses rules that this version does not support, and files whose name or place means that they are not read.
///
/// # Errors
/// With each of them.
pub(super) fn refuse_unread(
    location: &Location,
    around: &Surroundings<'_>,
    places: &Places,
) -> Result<(), ConfigError> {
    let home = places.home.as_deref();
    let mut problems = Vec::new();
    let mut refuse = |code, path: &Path, message: &str, allowed: &str| {
        problems.push(ConfigProblem::of_file(code, &shown(path, home), message, Some(allowed)));
    };
    match &around.system {
        FolderContent::Nothing => {}
        FolderContent::NotAFolder => {
            let message = "it is not a directory, so the system layer can't be looked for";
            refuse(ProblemCode::Unreadable, &places.system_folder, message, "a directory, or nothing");
        }
        FolderContent::Names(names) => {
            for name in names.iter().filter(|name| is_one_of(name, &SYSTEM_RULES)) {
                let message = "a system layer is not supported by this version yet";
                refuse(
                    ProblemCode::Unsupported,
                    &places.system_folder.join(name),
                    message,
                    "no such file or directory",
                );
            }
        }
    }
    if let Some(value) = around.system_variable {
        let message = "SMCP_SYSTEM_CONFIG: a system layer is not supported by this version yet";
        let value = if value.is_empty() { OsStr::new("\"\"") } else { value };
        refuse(ProblemCode::Unsupported, Path::new(value), message, "no SMCP_SYSTEM_CONFIG");
    }
    let by_default = location.named_by == NamedBy::Nobody;
    match &around.user {
        FolderContent::Nothing => {}
        // Then a file that the user named is missing, which is reported elsewhere.
        FolderContent::NotAFolder if by_default => {
            let message = "it is not a directory, so the configuration can't be looked for in it";
            refuse(ProblemCode::Unreadable, location.folder(), message, "a directory, or nothing");
        }
        FolderContent::NotAFolder => {}
        FolderContent::Names(names) => {
            for name in names {
                let path = location.folder().join(name);
                if is_one_of(name, &["policies.d"]) {
                    let message = "a policies.d directory is not supported by this version yet";
                    let allowed = "its policies as entries of `policy.custom`, and no such directory";
                    refuse(ProblemCode::Unsupported, &path, message, allowed);
                } else if by_default && name != "config.yaml" && is_one_of(name, &["config.yaml", "config.yml"]) {
                    refuse(
                        ProblemCode::Unreadable,
                        &path,
                        "it is not read: the file is called `config.yaml`",
                        "no such file",
                    );
                }
            }
        }
    }
    ConfigError::of(problems, 0).map_or(Ok(()), Err)
}

/// Names in the administrator's folder that contain rules, or were meant to.
const SYSTEM_RULES: [&str; 4] = ["config.yaml", "config.yml", "config.json", "policies.d"];

/// Whether a name is one of these, in any case, since the case of letters is a common mistake.
fn is_one_of(name: &OsStr, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
