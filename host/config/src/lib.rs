//! YAML text → [`Config`]: the rules in force, or every problem.
//!
//! The first stage. It opens no files itself: the caller passes the [`Files`] to read. After it `package` uses the
//! registry, and `policy` the rules. Anything that is not understood is an error, because a rule that is silently
//! dropped protects no user.
//!
//! Inside, the data flows one way too: `discover` finds the files, `smcp-yaml` makes a tree of each text, `reader` reads
//! it by the description in `keys`, `layer_file` has the values of one file, `fold` makes one configuration of all files.

pub mod choice;
mod config;
pub mod discover;
mod drafts;
mod exceptions;
mod files;
mod fold;
mod form;
mod join;
mod keys;
mod layer;
mod layer_file;
mod notice;
mod place;
mod problem;
mod reader;
pub mod rules;
pub mod schema;
pub mod set;
mod setting;
mod settings;
pub mod template;
#[cfg(test)]
mod tests;
mod trust;
pub mod view;

pub use crate::config::Authorities;
pub use crate::config::Config;
pub use crate::config::LockedOut;
pub use crate::config::LooserError;
pub use crate::config::ThresholdError;
pub use crate::exceptions::remarks::ExceptionRemarks;
pub use crate::files::Files;
pub use crate::layer::Layer;
pub use crate::notice::ConfigNotice;
pub use crate::place::FilePlace;
pub use crate::place::WrittenValue;
pub use crate::problem::ConfigError;
pub use crate::problem::ConfigProblem;
pub use crate::problem::ProblemCode;
pub use crate::setting::Setting;
pub use crate::setting::SettingSource;
pub use crate::trust::StatementRule;
pub use crate::trust::TrustedRegistry;
pub use smcp_yaml::Position;

use std::path::Path;
use std::path::PathBuf;

use crate::layer_file::LayerFile;
use smcp_model::limits;
use smcp_model::policy::LayerName;
use smcp_yaml::Bounds;

/// What a configuration file may have.
pub(crate) const BOUNDS: Bounds =
    Bounds { document: "a configuration", expanded: limits::CONFIG_EXPANDED, brackets: limits::CONFIG_BRACKETS };

/// The directories of relative paths, of `~/` and of the system layer.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's home; `None` when it is unknown.
    pub home: Option<PathBuf>,
    /// The directory that a relative `--config` starts at, absolute. It is empty when it can't be found; then only
    /// absolute paths work.
    pub working_directory: PathBuf,
    /// The folder of an administrator's rules: `/etc/mcp`. No flag, variable or file changes it; only tests do.
    pub system_folder: PathBuf,
}

/// Reads the text of one file as the whole configuration, in the user layer.
///
/// # Errors
/// With every problem of the file: it is not UTF-8, too large, or not one YAML document, or keys or values are
/// invalid.
pub fn parse(bytes: &[u8], file: &Path, places: &Places) -> Result<Config, ConfigError> {
    fold::fold(vec![LayerFile::parse(bytes, file, LayerName::User, places)], places.home.as_deref())
}
