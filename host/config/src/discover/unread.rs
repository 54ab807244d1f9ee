//! Refuses rules that smcp would not read, instead of ignoring them.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;

use crate::discover::location::Location;
use crate::discover::location::NamedBy;
use crate::discover::policies_d;
use crate::discover::search::Search;
use crate::problem::ConfigError;
use crate::problem::ConfigProblem;
use crate::problem::ProblemCode;
use crate::problem::shown;

/// The file of a layer in its usual folder.
const FILE: &str = "config.yaml";

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

/// Refuses files whose name or place means that they are not read, beside the file of each layer.
///
/// # Errors
/// With each of them, or the first folder that can't be searched.
pub(super) fn refuse_unread(locations: &[Location], search: &Search<'_>) -> Result<(), ConfigError> {
    let home = search.places.home.as_deref();
    let mut problems = Vec::new();
    // The folder of a named file may not be listable, and has other files in it.
    for location in locations.iter().filter(|location| location.named_by == NamedBy::Nobody) {
        let mut refuse = |path: &Path, message: &str, allowed: &str| {
            problems.push(ConfigProblem::of_file(ProblemCode::Unreadable, &shown(path, home), message, Some(allowed)));
        };
        match search.content(location.folder())? {
            FolderContent::Nothing => {}
            FolderContent::NotAFolder => {
                let message = "it is not a directory, so the configuration can't be looked for in it";
                refuse(location.folder(), message, "a directory, or nothing");
            }
            FolderContent::Names(names) => {
                for name in &names {
                    if let Some(meant) = meant(name) {
                        let message = format!("it is not read: it must be called `{meant}`");
                        refuse(&location.folder().join(name), &message, "no such file");
                    }
                }
            }
        }
    }
    ConfigError::of(problems, 0).map_or(Ok(()), Err)
}

/// Returns the name that was meant by one that is not read. The case of letters is a common mistake.
fn meant(name: &OsStr) -> Option<&'static str> {
    let is_one_of = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    match name.to_str() {
        Some(FILE | policies_d::NAME) => None,
        _ if is_one_of(&[FILE, "config.yml", "config.json"]) => Some(FILE),
        _ if is_one_of(&[policies_d::NAME]) => Some(policies_d::NAME),
        _ => None,
    }
}
