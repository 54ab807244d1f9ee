//! Rules that this version can't read, or that stand where nothing looks for them: refused, never passed over.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;

use crate::Places;
use crate::discover::Location;
use crate::discover::NamedBy;
use crate::problem::Code;
use crate::problem::ConfigError;
use crate::problem::Problem;
use crate::problem::shown;

/// What is at a place where rules may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FolderContent {
    /// Nothing is there.
    Nothing,
    /// Something that is not a folder.
    NotAFolder,
    /// A folder, with the names in it.
    Names(Vec<OsString>),
}

/// Places where somebody could have written rules, and what is there.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// [`Places::system_folder`].
    pub(super) system: FolderContent,
    /// The folder of the user layer's file.
    pub(super) user: FolderContent,
    /// The value of [`super::SYSTEM_VARIABLE`]; an empty one is a value too, for whoever set it meant a file.
    pub(super) system_variable: Option<&'a OsStr>,
}

/// Refuses to go on when there are rules that this version would have to ignore, or that somebody wrote where nothing
/// looks for them.
///
/// # Errors
/// With every one of them.
pub(super) fn refuse_unread(
    location: &Location,
    around: &Surroundings<'_>,
    places: &Places,
) -> Result<(), ConfigError> {
    let home = places.home.as_deref();
    let mut problems = Vec::new();
    let mut refuse = |code, path: &Path, message: &str, allowed: &str| {
        problems.push(Problem::of_file(code, &shown(path, home), message, Some(allowed)));
    };
    match &around.system {
        FolderContent::Nothing => {}
        FolderContent::NotAFolder => {
            let message = "it is not a directory, so the system layer can't be looked for";
            refuse(Code::Unreadable, &places.system_folder, message, "a directory, or nothing");
        }
        FolderContent::Names(names) => {
            for name in names.iter().filter(|name| is_one_of(name, &SYSTEM_RULES)) {
                let message = "a system layer is not supported by this version yet";
                refuse(Code::Unsupported, &places.system_folder.join(name), message, "no such file or directory");
            }
        }
    }
    if let Some(value) = around.system_variable {
        let message = "SMCP_SYSTEM_CONFIG: a system layer is not supported by this version yet";
        let value = if value.is_empty() { OsStr::new("\"\"") } else { value };
        refuse(Code::Unsupported, Path::new(value), message, "no SMCP_SYSTEM_CONFIG");
    }
    let by_default = location.named_by == NamedBy::Nobody;
    match &around.user {
        FolderContent::Nothing => {}
        // A file that somebody named is not there then, which is said elsewhere.
        FolderContent::NotAFolder if by_default => {
            let message = "it is not a directory, so the configuration can't be looked for in it";
            refuse(Code::Unreadable, location.folder(), message, "a directory, or nothing");
        }
        FolderContent::NotAFolder => {}
        FolderContent::Names(names) => {
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
